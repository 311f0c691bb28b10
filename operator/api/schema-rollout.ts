import { flag, record, rule, type Schema, telling, whole } from './json-schema.ts';

/** `drain`, `rollout` and `limits` of the spec. Pure. */

/** Most pods of one server. */
export const REPLICAS_MAX = 1000;

export const drain: Schema = record(
  'What happens to the connections of a pod that goes: announce, keep accepting for propagationSeconds, then close evenly ' +
    'over windowSeconds. The grace period of the pods is the sum of the two and 15 s.',
  {
    propagationSeconds: whole(
      'Seconds until every load balancer knows that the pod goes.',
      [0, 300],
      { default: 5 },
    ),
    windowSeconds: whole('Seconds over which the connections are closed, evenly.', [0, 3600], {
      default: 30,
    }),
  },
  { default: {} },
);

const amount = (description: string, otherwise: number): Schema => ({
  description,
  'x-kubernetes-int-or-string': true,
  default: otherwise,
  'x-kubernetes-validations': [
    telling(
      `type(self) == int ? (self >= 0 && self <= ${REPLICAS_MAX}) : self.matches('^([0-9]|[1-9][0-9]|100)%$')`,
      `'it is ' + string(self) + ', expected a number from 0 to ${REPLICAS_MAX}, or a share from 0% to 100%'`,
      `expected a number from 0 to ${REPLICAS_MAX}, or a share from 0% to 100%`,
    ),
  ],
});

export const rollout: Schema = record(
  'How pods are replaced when an edit needs it.',
  {
    maxSurge: amount(
      'Pods beyond replicas while pods are replaced: a number, or a share of replicas as 25%.',
      1,
    ),
    maxUnavailable: amount(
      'Pods below replicas while pods are replaced: a number, or a share of replicas.',
      0,
    ),
    minReadySeconds: whole(
      'Seconds that a new pod must have been ready before an old one is drained.',
      [0, 3600],
      {
        default: 5,
      },
    ),
    paused: flag(
      'Stops replacing and reloading; what has been begun with one pod is finished.',
      false,
    ),
    progressDeadlineSeconds: whole(
      'Seconds without progress after which the rollout counts as stalled. 0: from drain, minReadySeconds and a margin of 300 s.',
      [0, 86_400],
      { default: 0 },
    ),
    revisionHistoryLimit: whole(
      'Old revisions to keep, so that they can be gone back to.',
      [0, 50],
      { default: 5 },
    ),
  },
  {
    default: {},
    'x-kubernetes-validations': [
      rule(
        "!(string(self.maxSurge) in ['0', '0%'] && string(self.maxUnavailable) in ['0', '0%'])",
        'rollout.maxSurge and rollout.maxUnavailable are both 0: no pod could ever be replaced; let one be 1',
      ),
    ],
  },
);

export const limits: Schema = record(
  'Bounds for the clients of every Worker, instead of what the program says. 0 is no bound.',
  {
    maxConnections: whole('Open connections of one process.', [0, 10_000_000]),
    messagesPerSecond: whole(
      'Messages a second from one connection; faster ones wait.',
      [0, 1_000_000],
    ),
    maxConnectionAge: whole(
      'Seconds after which a connection is closed, with some jitter, so that load can move.',
      [0, 31_536_000],
    ),
  },
  { default: {} },
);
