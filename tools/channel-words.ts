/** What docs/channelserver.md says beside the fields of the spec. */

export const CHANNEL_BEFORE = `<!-- Written by npm run manifests from operator/api/schema-channel.ts and tools/channel-words.ts. -->

# ChannelServer, field by field

The kind \`ChannelServer\`, \`longshore.dev/v1alpha1\`, short name \`lcs\`: servers through which the programs of any pods
publish and subscribe. A \`SocketServer\` of the same namespace names it in \`channelRef\`, and its programs write
\`new ChannelClient()\` without an address, as on one machine.

\`\`\`yaml
apiVersion: longshore.dev/v1alpha1
kind: ChannelServer
metadata: { name: events }
spec:
  replicas: 3
  image: longshore:0.1.0
\`\`\`

<!-- run: none reason="needs a cluster" -->
\`\`\`sh
kubectl get lcs
kubectl explain lcs.spec
kubectl scale lcs events --replicas 5
\`\`\`

The pods run the channel server of the image; no program is needed. Everything else is as with a
[SocketServer](socketserver.md): drain, rollout, tuning, podTemplate, revisions, undo, reload, conditions, phases and
events. What an edit is, is [described there](socketserver.md#socketserver-field-by-field).
`;

export const CHANNEL_AFTER = `## Which servers there are

Pods do not ask anybody where the channel servers are: the operator tells them. A list has the pods that are Ready, neither
draining nor on their way out, each with its name and \`IP:2206\`; with \`engine: nats\` it has the addresses in
\`nats.servers\`. It has a version that grows by 1 with each change, and goes two ways:

| way | when |
|---|---|
| \`POST /peers\` of each pod's admin port | at once, whenever a channel pod comes, drains, fails, moves or goes; a pod that missed it is told again |
| ConfigMap \`NAME-peers\`, mounted, in \`LONGSHORE_PEERS\` | for processes that start before they are told |

Channel pods get the list of themselves. A draining pod leaves the list when its drain begins, so that clients are gone
before it is. \`GET /status\` of a pod says which version it has, \`peers\`.

A SocketServer whose \`channelRef\` names an object that does not exist has an empty list: its clients wait. The condition
\`PeersKnown\` says so; \`Ready\` is False only as long as the object was never there.

## Engine nats

The operator makes no pods, only tells where your servers are; pods of an earlier \`builtin\` are drained. \`Ready\` is True
with the reason \`Elsewhere\`: whether your servers can be reached is not looked at. A change of engine
is Hot for the programs: clients connect to the new servers, and what was kept in the old ones is left behind.

## Objects

For a server \`events\`, each owned by it and removed with it. A SocketServer may be called \`events\` too; one called
\`events-channel\` may not: whichever of the two comes second is refused with a sentence.

| object | name | |
|---|---|---|
| ReplicaSet | \`events-channel-REVISION\` | one for each revision; none with \`engine: nats\` |
| Service | \`events-channel\` | port 2206, for clients that no operator tells; with more than one replica they reach any of them, so give those the addresses of all pods |
| PodDisruptionBudget | \`events-channel\` | \`maxUnavailable: 1\`; only with 2 replicas and more |
| ConfigMap | \`events-channel-config\`, \`-workers\`, \`-peers\` | what pods read when they start |
| Secret | \`events-channel-admin\` | token of the pods' admin ports |

Their pods have the labels \`longshore.dev/server=events-channel\` and \`longshore.dev/kind=ChannelServer\`. Metrics and
dashboards have them under the name \`events-channel\`.
`;
