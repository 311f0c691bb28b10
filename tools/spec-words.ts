import type { Schema } from '../operator/api/json-schema.ts';
import { ANNOTATION, LABEL } from '../operator/api/names.ts';
import { statusSchema } from '../operator/api/schema-status.ts';

/** What docs/socketserver.md says beside the fields of the spec. */

export const BEFORE = `<!-- Written by npm run manifests from operator/api/schema.ts and tools/spec-words.ts. -->

# SocketServer, field by field

The kind \`SocketServer\`, \`longshore.dev/v1alpha1\`, short name \`lss\`. The same is in the cluster:

<!-- run: none reason="needs a cluster" -->
\`\`\`sh
kubectl explain lss.spec
kubectl explain lss.spec.drain.windowSeconds
kubectl explain lss.status --recursive
\`\`\`

**An edit is** says what an edit of the field costs; [rollouts.md](rollouts.md) has each of them step by step:

| class | what happens | connections |
|---|---|---|
| None | the Service changes, or how the next rollout goes; pods do not | stay |
| Hot | every running process gets the new values, or learns where its servers are | stay |
| WorkerReload | processes are replaced inside the pods, pod after pod | are closed process by process, clients come back at once |
| Scale | pods are added, or the emptiest ones drained | of removed pods are drained |
| PodReplacement | pods are replaced, drained one after another | each client reconnects once |

Two more edits are no fields: other files in the ConfigMap of \`code\`, and another value of the annotation
\`longshore.dev/reload\`. Both are a WorkerReload. Several edits at once take the dearest class.

Fields that the schema does not know are dropped, with a warning of \`kubectl\`; \`kubectl apply --validate=strict\`, which is
its default, refuses them.
`;

/** Rules that are about the object as a whole. */
export function rootRules(definition: object): string[] {
  type Version = { readonly schema: { readonly openAPIV3Schema: Schema } };
  const { versions } = (definition as { spec: { versions: readonly Version[] } }).spec;
  const rules = versions[0]?.schema.openAPIV3Schema['x-kubernetes-validations'] ?? [];
  return rules.map(({ message }) => message ?? '');
}

export function statusTable(): string {
  const { properties = {} } = statusSchema;
  const rows = Object.entries(properties).flatMap(([name, schema]) => {
    const record = schema.items ?? schema;
    const own = `| \`${name}\` | ${schema.description ?? ''} |`;
    if (!record.properties || name === 'conditions') return [own];
    const at = schema.items ? `${name}[]` : name;
    const inside = Object.entries(record.properties).map(
      ([each, { description = '' }]) => `| \`${at}.${each}\` | ${description} |`,
    );
    return [own, ...inside];
  });
  return ['## Status\n', '| field | meaning |', '|---|---|', ...rows, '', COLUMNS].join('\n');
}

const COLUMNS = `\`kubectl get lss\` shows \`spec.replicas\`, \`readyReplicas\`, \`updatedReplicas\`, \`drainingReplicas\`, \`connections\` and
\`phase\`. Connections alone are written at most every 15 s.

| phase | when |
|---|---|
| Pending | pods are missing and none is ready |
| Running | everything is as the spec says |
| Updating | a PodReplacement is under way |
| Reloading | a WorkerReload or a Hot change is under way |
| Scaling | pods are added or drained because of \`replicas\` |
| Degraded | it was complete, and has lost a pod since |
| Paused | there is something to do, and \`rollout.paused\` is true |
| Stalled | nothing gets on until somebody changes something; the condition \`Stalled\` says what |
| Invalid | the API server refuses what follows from the spec, or a ConfigMap is missing |
| Deleting | it has been deleted and has a finalizer of somebody else |
`;

/**
 * Every condition: what True means, and its reasons. A test compares them with operator/decide/findings.ts and
 * obstacle.ts.
 */
export const CONDITIONS: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  Ready: [
    'all pods are ready, run what the spec says, and none of an old revision is left',
    ['AllPodsReady', 'Elsewhere', 'PodSilent', 'FailedCreate', '*class*', '*obstacle*'],
  ],
  Progressing: ['something is under way', ['*class*', 'Complete', 'Paused', '*obstacle*']],
  Reconciling: [
    'the same in the words of kstatus: whoever waits has to go on waiting',
    ['*class*', 'Complete', 'Paused', 'PodSilent', '*obstacle*'],
  ],
  Stalled: ['waiting will not help', ['NoObstacle', '*obstacle*']],
  Draining: ['pods are losing their connections', ['PodsLeave', 'NoPodLeaves']],
  TuningApplied: [
    'every pod has the kernel settings that were asked for',
    ['Applied', 'Skipped', 'NotEffective', 'Off', 'NoPods', 'NoAnswer'],
  ],
  Saturated: [
    'pods have as many connections as `limits.maxConnections` lets in',
    ['MaxConnections', 'RoomLeft', 'NoPods', 'NoAnswer'],
  ],
  PeersKnown: [
    'it is known where the servers of `channelRef` and `gatewayRef` are; not there without these',
    ['Known', 'NoMembers', 'Missing', 'Gone'],
  ],
};

/** What keeps a server from getting on. */
export const OBSTACLES: Readonly<Record<string, string>> = {
  Refused: 'the API server refuses an object of the server, or one of that name is not ours',
  Missing: 'the ConfigMap of `code` does not exist',
  PeersMissing:
    'what `channelRef` or `gatewayRef` names was never there; the pods run, and their clients wait. Once it was there, its absence is said by `PeersKnown` alone',
  PodRejected: 'a node does not start the pod because of a kernel setting',
  ReloadFailed: 'a pod did not take the new code or number of processes and goes on with the old',
  PodCannotStart:
    'the program has ended twice with exit code 78: it can never start as it is, so the deadline is not waited for',
  FailedCreate:
    'Kubernetes makes no pod of the ReplicaSet, as with a quota; `Ready` says so at once, an obstacle it is after the deadline',
  PodSilent:
    'new pods are ready and their admin ports have not answered for `rollout.progressDeadlineSeconds`; no old pod was drained for them',
  ProgressDeadlineExceeded: 'nothing has got on for `rollout.progressDeadlineSeconds`',
};

const conditions = Object.entries(CONDITIONS).map(
  ([type, [meaning, reasons]]) =>
    `| \`${type}\` | ${meaning} | ${reasons.map((each) => (each.startsWith('*') ? each : `\`${each}\``)).join(', ')} |`,
);
const obstacles = Object.entries(OBSTACLES).map(
  ([reason, meaning]) => `| \`${reason}\` | ${meaning} |`,
);

/** On which objects, and what for. The types say when one is missing. */
const LABELS: Readonly<Record<keyof typeof LABEL, string>> = {
  server: 'everything of a server | its name',
  revision: 'ReplicaSets, pods | name of the revision',
  kind: 'everything of a ChannelServer | `ChannelServer`',
  open: 'pods | `true`: the Service sends new connections to it; `false`: it keeps those that it has',
};
const WISHES: Readonly<Partial<Record<keyof typeof ANNOTATION, string>>> = {
  reload: 'SocketServer | any text; another one replaces all processes, pod after pod',
  undo: 'SocketServer | `previous`, or the number of a revision; goes away when the spec is put back',
  allowedSysctls:
    'Node | what its kubelet allows in `allowedUnsafeSysctls`, as in `net.core.somaxconn,net.ipv4.*`',
};
const NOTES: Readonly<Record<Exclude<keyof typeof ANNOTATION, keyof typeof WISHES>, string>> = {
  number: 'ReplicaSet | number of the revision: 1, 2, 3 …',
  inputs: 'ReplicaSet | the part of the spec that the revision stands for, as JSON',
  skipped: 'ReplicaSet | kernel settings that were left out, with the reason, as JSON',
  drain: 'pods | since when it is being drained',
  reloaded: 'pods | what its last reload was for',
  code: 'pods | digest of the files that it should have mounted',
  cost: 'pods | -1000: its ReplicaSet removes this one first',
};

const lines = <K extends string>(
  names: Readonly<Record<K, string>>,
  about: Partial<Record<K, string>>,
) => (Object.keys(about) as K[]).map((key) => `| \`${names[key]}\` | ${about[key]} |`).join('\n');

export const AFTER: string = `## Conditions

| type | True means | reasons |
|---|---|---|
${conditions.join('\n')}

*class* is \`Hot\`, \`WorkerReload\`, \`PodReplacement\` or \`Scale\`; *obstacle* is one of these, with a sentence that says which
object, what was seen and what to do:

| reason | meaning |
|---|---|
${obstacles.join('\n')}

## Labels and annotations

Yours to set:

| annotation | on | meaning |
|---|---|---|
${lines(ANNOTATION, WISHES)}

Written by the operator:

| label | on | meaning |
|---|---|---|
${lines(LABEL, LABELS)}
| \`app.kubernetes.io/name\`, \`/instance\`, \`/managed-by\` | everything of a server | \`longshore-server\`, its name, \`longshore\` |

| annotation | on | meaning |
|---|---|---|
${lines(ANNOTATION, NOTES)}
| \`longshore.dev/made-from\` | Service, ConfigMaps, PodDisruptionBudget | what it was made from; while that is the same nothing is written |

## Objects

For a server \`chat\`, each owned by it and removed with it:

| object | name | |
|---|---|---|
| ReplicaSet | \`chat-REVISION\` | one for each revision; the old ones, with 0 pods, are the history |
| Service | \`chat\` | a port for each of \`workers\` with \`listen\`; none with \`service.type: None\` |
| PodDisruptionBudget | \`chat\` | \`maxUnavailable: 1\`; only with 2 replicas and more |
| ConfigMap | \`chat-config\` | \`config\`, for processes that start |
| ConfigMap | \`chat-workers\` | \`workers\`, for pods that start |
| ConfigMap | \`chat-peers\` | where the servers of \`channelRef\` and \`gatewayRef\` are, for pods that start; only with one of these |
| Secret | \`chat-admin\` | token of the pods' admin ports |

All servers of a namespace share the Secret \`longshore-inner\`, with which their inner ports know each other; it belongs to
none of them and stays. The objects of a [ChannelServer](channelserver.md) \`events\` are called \`events-channel…\`.

## Events

| reason | type | when |
|---|---|---|
| \`HotStarted\`, \`WorkerReloadStarted\`, \`PodReplacementStarted\`, \`ScaleStarted\` | Normal | a change begins: which fields, how many pods |
| \`HotDone\`, \`WorkerReloadDone\`, \`PodReplacementDone\`, \`ScaleDone\` | Normal | it is through |
| ${Object.keys(OBSTACLES)
  .map((reason) => `\`${reason}\``)
  .join(', ')} | Warning | it is stalled: the sentence of the condition |
| \`TuningSkipped\` | Warning | kernel settings were left out, and why |
| \`Undo\` | Normal, Warning | the spec was put back; or there is no such revision |

\`kubectl describe lss NAME\` shows them for an hour.
`;
