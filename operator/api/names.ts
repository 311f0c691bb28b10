/** Names in the cluster: labels, annotations, and what the objects of a server are called. Constants and pure text. */

export const LABEL = {
  /** Name of the server, on everything that belongs to it. */
  server: 'longshore.dev/server',
  /** Revision, on ReplicaSets and pods. */
  revision: 'longshore.dev/revision',
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
  readonly set: (revision: string) => string;
  readonly service: string;
  readonly budget: string;
  readonly config: string;
  readonly workers: string;
  readonly token: string;
};

export const namesOf = (server: string): Names => ({
  set: (revision) => `${server}-${revision}`,
  service: server,
  budget: server,
  config: `${server}-config`,
  workers: `${server}-workers`,
  token: `${server}-admin`,
});

/** Labels of everything that belongs to a server. */
export const labelsOf = (server: string): Record<string, string> => ({
  'app.kubernetes.io/name': 'longshore-server',
  'app.kubernetes.io/instance': server,
  'app.kubernetes.io/managed-by': MANAGER,
  [LABEL.server]: server,
});
