import type { ConfigMap, KubeObject, Namespace, Node, Pod, ReplicaSet } from '../api/meta.ts';
import { LABEL, PEERS_KEY } from '../api/names.ts';
import type { ChannelServer, SocketServer } from '../api/types.ts';
import type { Client } from '../kube/client.ts';
import { type Resource, resources } from '../kube/resources.ts';
import { Reflector } from '../kube/watch.ts';
import { digest } from './digest.ts';

/** Under this key a ConfigMap that is watched keeps the digest of its files, and but for peers nothing else. */
const DIGEST = 'digest';

/** Copies of everything that the operator looks at, each trimmed to what it looks at. */
export class Watches {
  readonly servers: Reflector<SocketServer>;
  readonly channels: Reflector<ChannelServer>;
  readonly pods: Reflector<Pod>;
  readonly sets: Reflector<ReplicaSet>;
  readonly configMaps: Reflector<ConfigMap>;
  readonly services: Reflector<KubeObject>;
  readonly budgets: Reflector<KubeObject>;
  readonly nodes: Reflector<Node>;
  readonly namespaces: Reflector<Namespace>;

  /** @param namespaces only these; `undefined` for all */
  constructor(client: Client, namespaces: readonly string[] | undefined) {
    const ours = <T extends KubeObject>(resource: Resource, trim?: (object: T) => T) =>
      new Reflector<T>({ client, resource, namespaces, labelSelector: LABEL.server, trim });
    this.servers = new Reflector({ client, resource: resources.SocketServer, namespaces });
    this.channels = new Reflector({
      client,
      resource: resources.ChannelServer,
      namespaces,
      // After an upgrade without the new definitions the SocketServers are looked after all the same.
      optional: true,
    });
    this.pods = ours(resources.Pod, trimPod);
    this.sets = ours(resources.ReplicaSet, trimSet);
    this.services = ours(resources.Service, head);
    this.budgets = ours(resources.PodDisruptionBudget, head);
    this.configMaps = new Reflector({
      client,
      resource: resources.ConfigMap,
      namespaces,
      trim: trimConfigMap,
    });
    this.nodes = new Reflector({ client, resource: resources.Node, trim: trimNode });
    this.namespaces = new Reflector({ client, resource: resources.Namespace, trim: head });
  }

  /** By name, for metrics and logs. */
  get all(): readonly (readonly [string, Reflector<KubeObject>])[] {
    const { servers, channels, pods, sets, configMaps, services, budgets, nodes, namespaces } =
      this;
    return Object.entries({
      servers,
      channels,
      pods,
      sets,
      configMaps,
      services,
      budgets,
      nodes,
      namespaces,
    }) as unknown as [string, Reflector<KubeObject>][];
  }

  /** Resolves when everything there is has been seen once. */
  async synced(): Promise<void> {
    await Promise.all(this.all.map(([, reflector]) => reflector.synced));
  }

  /** Digest of the files of a ConfigMap; `undefined` if it is not there. */
  codeOf(namespace: string, name: string): string | undefined {
    return this.configMaps.store.get(`${namespace}/${name}`)?.data?.[DIGEST];
  }

  stop(): void {
    for (const [, reflector] of this.all) reflector.stop();
  }
}

/** Only the metadata. */
function head<T extends KubeObject>({ apiVersion, kind, metadata }: T): T {
  return { apiVersion, kind, metadata } as T;
}

/** What is looked at of a pod. */
export function trimPod(pod: Pod): Pod {
  const { podIP, phase, reason, message, conditions, containerStatuses, initContainerStatuses } =
    pod.status ?? {};
  const state = containerStatuses?.map(({ name, restartCount, state, lastState }) => ({
    name,
    restartCount,
    ...(state ? { state } : {}),
    ...(lastState ? { lastState } : {}),
  }));
  const ready = conditions?.filter(({ type }) => ['Ready', 'PodScheduled'].includes(type));
  const status = {
    podIP,
    phase,
    reason,
    message,
    conditions: ready,
    containerStatuses: state,
    initContainerStatuses,
  };
  const { nodeName } = pod.spec ?? {};
  return { ...head(pod), ...(nodeName === undefined ? {} : { spec: { nodeName } }), status } as Pod;
}

/** What is looked at of a ReplicaSet. */
export function trimSet(set: ReplicaSet): ReplicaSet {
  const { replicas } = set.spec;
  const failed = set.status?.conditions?.filter(({ type }) => type === 'ReplicaFailure') ?? [];
  return {
    ...head(set),
    spec: replicas === undefined ? {} : { replicas },
    ...(failed.length > 0 ? { status: { conditions: failed } } : {}),
  };
}

function trimConfigMap(map: ConfigMap): ConfigMap {
  const binary = Object.entries(map.binaryData ?? {}).map(
    ([name, base64]) => [name, Buffer.from(base64, 'base64')] as const,
  );
  const files = { ...map.data, ...Object.fromEntries(binary) };
  // Our own list of peers is short, and read again by whoever leads next.
  const peers = map.metadata.labels?.[LABEL.server] === undefined ? undefined : files[PEERS_KEY];
  const kept = typeof peers === 'string' ? { [PEERS_KEY]: peers } : {};
  return { ...head(map), data: { [DIGEST]: digest(files), ...kept } };
}

function trimNode(node: Node): Node {
  const { nodeInfo, conditions, runtimeHandlers } = node.status ?? {};
  const ready = conditions?.filter(({ type }) => type === 'Ready');
  return {
    ...head(node),
    spec: node.spec,
    status: { nodeInfo, conditions: ready, runtimeHandlers },
  } as Node;
}
