import { CHANNEL_SERVER, GROUP, SOCKET_SERVER, VERSION } from '../api/crd.ts';
import type { KubeObject } from '../api/meta.ts';

/** The kinds that the operator reads or writes, and their addresses. Pure. */

export type Resource = {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
};

/** One object. */
export type Ref = {
  readonly resource: Resource;
  /** Only for what is namespaced. */
  readonly namespace?: string | undefined;
  readonly name: string;
};

const core = (kind: string, plural: string, namespaced = true): Resource => ({
  group: '',
  version: 'v1',
  plural,
  kind,
  namespaced,
});

const grouped = (group: string, version: string, kind: string, plural: string): Resource => ({
  group,
  version,
  plural,
  kind,
  namespaced: true,
});

export type Kind =
  | 'SocketServer'
  | 'ChannelServer'
  | 'Pod'
  | 'ReplicaSet'
  | 'Service'
  | 'ConfigMap'
  | 'Secret'
  | 'PodDisruptionBudget'
  | 'Node'
  | 'Namespace'
  | 'Event'
  | 'Lease';

/** By kind. */
export const resources: Readonly<Record<Kind, Resource>> = {
  SocketServer: grouped(GROUP, VERSION, SOCKET_SERVER.kind, SOCKET_SERVER.plural),
  ChannelServer: grouped(GROUP, VERSION, CHANNEL_SERVER.kind, CHANNEL_SERVER.plural),
  Pod: core('Pod', 'pods'),
  ReplicaSet: grouped('apps', 'v1', 'ReplicaSet', 'replicasets'),
  Service: core('Service', 'services'),
  ConfigMap: core('ConfigMap', 'configmaps'),
  Secret: core('Secret', 'secrets'),
  PodDisruptionBudget: grouped('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  Node: core('Node', 'nodes', false),
  Namespace: core('Namespace', 'namespaces', false),
  Event: grouped('events.k8s.io', 'v1', 'Event', 'events'),
  Lease: grouped('coordination.k8s.io', 'v1', 'Lease', 'leases'),
};

/** As objects name it: `v1`, `apps/v1`. */
export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/**
 * The kind of an object.
 *
 * @throws {RangeError} if it is none of the above
 */
export function resourceOf({
  apiVersion,
  kind,
}: Pick<KubeObject, 'apiVersion' | 'kind'>): Resource {
  const found = Object.values(resources).find(
    (each) => each.kind === kind && apiVersionOf(each) === apiVersion,
  );
  if (!found) throw new RangeError(`${apiVersion} ${kind} is no kind that the operator handles`);
  return found;
}

/** Where an object is. */
export function refOf(object: KubeObject): Ref {
  const { name, namespace } = object.metadata;
  return { resource: resourceOf(object), namespace, name };
}

/** Under this the store of a watch and the queue have an object: `namespace/name`; `/name` without a namespace. */
export function keyOf({ metadata }: Pick<KubeObject, 'metadata'>): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

export type Place = {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** As in `status`. */
  readonly subresource?: string | undefined;
};

/** Path of one object, or without a name of all in a namespace, or without either of all. */
export function path(resource: Resource, { namespace, name, subresource }: Place = {}): string {
  const { group, version, plural, namespaced } = resource;
  return [
    group === '' ? '/api' : `/apis/${group}`,
    version,
    ...(namespaced && namespace !== undefined ? ['namespaces', encodeURIComponent(namespace)] : []),
    plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
    ...(subresource === undefined ? [] : [encodeURIComponent(subresource)]),
  ].join('/');
}
