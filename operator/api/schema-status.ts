import { list, record, type Schema, text, whole } from './json-schema.ts';

/** The status of a `SocketServer`. Pure. */

const MOST = 2_147_483_647;
const count = (description: string): Schema => whole(description, [0, MOST]);
const time = (description: string): Schema => text(description, { format: 'date-time' });

export const conditionsSchema: Schema = list(
  'Ready, Progressing, Reconciling, Stalled, Draining, TuningApplied, Saturated; a missing one is False.',
  record(
    '',
    {
      type: text('', { maxLength: 316 }),
      status: text('', { enum: ['True', 'False', 'Unknown'] }),
      reason: text('One word for programs.', { maxLength: 1024 }),
      message: text('A sentence for people.', { maxLength: 32_768 }),
      lastTransitionTime: time('When the status last changed.'),
      observedGeneration: { type: 'integer', format: 'int64' },
    },
    { required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'] },
  ),
  { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
);

const change: Schema = record('The change under way, or the last one.', {
  class: text('Hot, WorkerReload, PodReplacement or Scale: what the edit needed.'),
  reason: text('Which fields changed.'),
  startedAt: time('When it began.'),
  finishedAt: time('When it was done.'),
  progress: text('As in: 2 of 4 pods.'),
  progressedAt: time('When that last changed.'),
  expectedAt: time('When it will be done if all goes on as it does.'),
});

const pod: Schema = record('', {
  name: text(''),
  revision: text(''),
  ready: { type: 'boolean' },
  open: { type: 'boolean', description: 'Whether the Service sends it new connections.' },
  connections: count(''),
  state: text('Starting, Serving, Closed, Draining, Terminating, or why nothing is known of it.'),
});

export const statusSchema: Schema = record('What the server is.', {
  observedGeneration: {
    type: 'integer',
    format: 'int64',
    description: 'The edit that all of this is about.',
  },
  replicas: count('Pods that are not terminating.'),
  readyReplicas: count('Those that are ready.'),
  updatedReplicas: count('Ready pods that run what the spec says.'),
  drainingReplicas: count('Pods that lose their connections.'),
  connections: count('Open connections of all pods.'),
  selector: text('Labels of the pods, for autoscalers.'),
  revision: text('Name of the wanted revision.'),
  revisionNumber: count('1, 2, 3 …'),
  phase: text(
    'One word: Pending, Running, Updating, Reloading, Scaling, Paused, Degraded, Stalled, Invalid, Deleting.',
  ),
  change,
  conditions: conditionsSchema,
  pods: list('At most 50, those that need a look first.', pod, { maxItems: 50 }),
});
