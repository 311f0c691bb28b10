import { describe, expect, it } from '@jest/globals';
import type { Schema } from '../../../operator/api/json-schema.ts';
import type { Condition } from '../../../operator/api/meta.ts';
import { specSchema } from '../../../operator/api/schema.ts';
import { channelSpecSchema } from '../../../operator/api/schema-channel.ts';
import { statusSchema } from '../../../operator/api/schema-status.ts';
import type {
  ChangeStatus,
  ChannelServerSpec,
  DrainSpec,
  LimitsSpec,
  Phase,
  PodPatch,
  PodStatus,
  RolloutSpec,
  ServiceSpec,
  SocketServerSpec,
  SocketServerStatus,
  TuningMode,
  TuningSpec,
  WorkerSpec,
} from '../../../operator/api/types.ts';

/** Every field of a type, and whether it is always there: the type checker holds it to `types.ts`. */
type Fields<T> = { [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? 'maybe' : 'always' };

const spec: Fields<SocketServerSpec> = {
  replicas: 'always',
  image: 'always',
  imagePullPolicy: 'maybe',
  imagePullSecrets: 'maybe',
  app: 'always',
  code: 'maybe',
  workers: 'always',
  config: 'always',
  env: 'always',
  envFrom: 'always',
  resources: 'always',
  service: 'always',
  drain: 'always',
  rollout: 'always',
  limits: 'always',
  tuning: 'always',
  channelRef: 'maybe',
  gatewayRef: 'maybe',
  podTemplate: 'always',
};
const channel: Fields<ChannelServerSpec> = {
  replicas: 'always',
  engine: 'always',
  nats: 'maybe',
  image: 'maybe',
  imagePullPolicy: 'maybe',
  imagePullSecrets: 'maybe',
  history: 'always',
  resources: 'always',
  drain: 'always',
  rollout: 'always',
  tuning: 'always',
  podTemplate: 'always',
};
const worker: Fields<WorkerSpec> = {
  name: 'always',
  count: 'maybe',
  listen: 'maybe',
  servicePort: 'maybe',
};
const service: Fields<ServiceSpec> = {
  type: 'always',
  annotations: 'always',
  externalTrafficPolicy: 'maybe',
  loadBalancerClass: 'maybe',
};
const drain: Fields<DrainSpec> = { propagationSeconds: 'always', windowSeconds: 'always' };
const rollout: Fields<RolloutSpec> = {
  maxSurge: 'always',
  maxUnavailable: 'always',
  minReadySeconds: 'always',
  paused: 'always',
  progressDeadlineSeconds: 'always',
  revisionHistoryLimit: 'always',
};
const limits: Fields<LimitsSpec> = {
  maxConnections: 'maybe',
  messagesPerSecond: 'maybe',
  maxConnectionAge: 'maybe',
};
const tuning: Fields<TuningSpec> = { mode: 'always', sysctls: 'always' };
const podTemplate: Fields<PodPatch> = { metadata: 'maybe', spec: 'maybe' };

const status: Fields<SocketServerStatus> = {
  observedGeneration: 'maybe',
  replicas: 'always',
  readyReplicas: 'always',
  updatedReplicas: 'always',
  drainingReplicas: 'always',
  connections: 'always',
  selector: 'always',
  revision: 'always',
  revisionNumber: 'always',
  phase: 'always',
  change: 'maybe',
  conditions: 'always',
  pods: 'always',
};
const change: Fields<ChangeStatus> = {
  class: 'always',
  reason: 'always',
  startedAt: 'always',
  finishedAt: 'maybe',
  progress: 'always',
  progressedAt: 'always',
  expectedAt: 'maybe',
};
const pod: Fields<PodStatus> = {
  name: 'always',
  revision: 'always',
  ready: 'always',
  open: 'always',
  connections: 'maybe',
  state: 'always',
};
const condition: Fields<Condition> = {
  type: 'always',
  status: 'always',
  reason: 'always',
  message: 'always',
  lastTransitionTime: 'always',
  observedGeneration: 'maybe',
};

/** The part of the schema behind a path, as in `workers[]`. */
function at(path: string, from: Schema = specSchema): Schema {
  let schema: Schema | undefined = from;
  for (const part of path.split('.').filter((each) => each !== '')) {
    schema = schema?.properties?.[part.replace('[]', '')];
    if (part.endsWith('[]')) schema = schema?.items;
  }
  if (!schema) throw new Error(`no schema for ${path}`);
  return schema;
}

const SPEC_TYPES: readonly (readonly [string, object, Schema?])[] = [
  ['', spec],
  ['', channel, channelSpecSchema],
  ['workers[]', worker],
  ['service', service],
  ['drain', drain],
  ['rollout', rollout],
  ['limits', limits],
  ['tuning', tuning],
  ['podTemplate', podTemplate],
];

describe('types and schema', () => {
  it.each(SPEC_TYPES)(
    'have the same fields in spec.%s, and the same of them always',
    (path, fields, schema = specSchema) => {
      const { properties = {}, required = [] } = at(path, schema);
      const said = Object.entries(properties).map(([name, each]) => [
        name,
        required.includes(name) || each.default !== undefined ? 'always' : 'maybe',
      ]);
      expect(Object.fromEntries(said)).toEqual(fields);
    },
  );

  it.each([
    ['', status],
    ['change', change],
    ['conditions[]', condition],
    ['pods[]', pod],
  ] as const)('have the same fields in status.%s', (path, fields) => {
    expect(Object.keys(at(path, statusSchema).properties ?? {}).sort()).toEqual(
      Object.keys(fields).sort(),
    );
  });

  it('have the same words to choose from', () => {
    const words = <T extends string>(all: Readonly<Record<T, true>>): string[] => Object.keys(all);
    const modes = words<TuningMode>({
      Safe: true,
      UserNamespace: true,
      KubeletAllowed: true,
      Privileged: true,
      Off: true,
    });
    expect(at('tuning.mode').enum).toEqual(modes);
    const types = words<ServiceSpec['type']>({
      ClusterIP: true,
      NodePort: true,
      LoadBalancer: true,
      None: true,
    });
    expect(at('service.type').enum).toEqual(types);
    const phases = words<Phase>({
      Pending: true,
      Running: true,
      Updating: true,
      Reloading: true,
      Scaling: true,
      Paused: true,
      Degraded: true,
      Stalled: true,
      Invalid: true,
      Deleting: true,
    });
    expect(at('phase', statusSchema).description).toBe(`One word: ${phases.join(', ')}.`);
  });
});
