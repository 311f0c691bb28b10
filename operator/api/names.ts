import type { KubeObject } from './meta.ts';

/** Names in the cluster: labels, annotations, and what the objects of a server are called. Constants and pure text. */

export const LABEL = {
  /** Name of the server, on everything that belongs to it. */
  server: 'longshore.dev/server',
  /** Revision, on ReplicaSets and pods. */
  revision: 'longshore.dev/revision',
  /** `ChannelServer` on everything that belongs to one; not there for a `SocketServer`. */
  kind: 'longshore.dev/kind',
  /** `true`: the Service sends new connections to this pod. */
  open: 'longshore.dev/open',
} as const;

export const ANNOTATION = {
  /** On a server: another value replaces all processes. */
  reload: 'longshore.dev/reload',
  /** On a server: `previous` or a revision number to go back to; taken off when done. */
  undo: 'longshore.dev/undo',
  /** On a ReplicaSet: the part of the spec that it was made from, as JSON. */
  inputs: 'longshore.dev/inputs',
  /** On a ReplicaSet: 1, 2, 3 … */
  number: 'longshore.dev/revision-number',
  /** On a ReplicaSet: sysctls that were asked for and left out, with the reason, as JSON. */
  skipped: 'longshore.dev/sysctls-skipped',
  /** On a pod: since when it is being drained, RFC 3339. */
  drain: 'longshore.dev/drain-since',
  /** On a pod: what its last reload was for. */
  reloaded: 'longshore.dev/reloaded-for',
  /** On a pod: digest of the code that it should mount; makes the kubelet look at once. */
  code: 'longshore.dev/code',
  /** Which of its pods a ReplicaSet removes first. */
  cost: 'controller.kubernetes.io/pod-deletion-cost',
  /** On a node, by its owner: unsafe sysctls that its kubelet allows, as in `net.core.somaxconn,net.ipv4.*`. */
  allowedSysctls: 'longshore.dev/allowed-unsafe-sysctls',
} as const;

/** Who we are in `managedFields`, in events and in `app.kubernetes.io/managed-by`. */
export const MANAGER = 'longshore';

/** Deletion cost of a pod that is to go. */
export const GOING = -1000;

/** What the objects of a server are called. */
export type Names = {
  /** Value of `LABEL.server`, and what all other names begin with. */
  readonly server: string;
  readonly set: (revision: string) => string;
  readonly service: string;
  readonly budget: string;
  readonly config: string;
  readonly workers: string;
  readonly token: string;
  readonly peers: string;
};

/** What says which server it is. */
export type Named = Pick<KubeObject, 'kind' | 'metadata'>;

/** Objects of a ChannelServer have it behind its name, so that a SocketServer may be called the same. */
export const CHANNEL_SUFFIX = '-channel';

export const isChannel = ({ kind }: Pick<KubeObject, 'kind'>): boolean => kind === 'ChannelServer';

export function namesOf(server: Named): Names {
  const name = isChannel(server)
    ? `${server.metadata.name}${CHANNEL_SUFFIX}`
    : server.metadata.name;
  return {
    server: name,
    set: (revision) => `${name}-${revision}`,
    service: name,
    budget: name,
    config: `${name}-config`,
    workers: `${name}-workers`,
    token: `${name}-admin`,
    peers: `${name}-peers`,
  };
}

/** Secret of the inner ports, one for all servers of a namespace, and the key in it. */
export const INNER_SECRET = { name: 'longshore-inner', key: 'secret' } as const;

/** Key of the ConfigMap with the peers. */
export const PEERS_KEY = 'peers.json';

/** Labels of everything that belongs to a server. */
export function labelsOf(server: Named): Record<string, string> {
  const { server: name } = namesOf(server);
  return {
    'app.kubernetes.io/name': 'longshore-server',
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/managed-by': MANAGER,
    [LABEL.server]: name,
    ...(isChannel(server) ? { [LABEL.kind]: server.kind } : {}),
  };
}

/** Whether an object has the labels of a server's. */
export function isOf({ metadata }: Pick<KubeObject, 'metadata'>, server: Named): boolean {
  return (
    metadata.namespace === server.metadata.namespace &&
    metadata.labels?.[LABEL.server] === namesOf(server).server &&
    metadata.labels?.[LABEL.kind] === (isChannel(server) ? server.kind : undefined)
  );
}
