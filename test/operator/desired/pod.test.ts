import { describe, expect, it } from '@jest/globals';
import { type PodSettings, podTemplate } from '../../../operator/desired/pod.ts';
import type { SpecPart } from '../../support/server-world.ts';
import { serverOf } from '../../support/servers.ts';

const UNTUNED: PodSettings['tuning'] = {
  pod: {},
  init: {},
  privileged: false,
  hostUsers: true,
  wanted: {},
};

type Json = Record<string, unknown>;
type Container = Json & {
  name: string;
  env: { name: string; value?: string }[];
  volumeMounts: object[];
};
type Template = {
  metadata: { labels: Json; annotations?: Json };
  spec: Json & { containers: Container[]; initContainers?: Json[]; volumes: object[] };
};

function templateOf(part: SpecPart = {}, tuning: Partial<PodSettings['tuning']> = {}): Template {
  const settings = { revision: 'r1', graceSeconds: 50, tuning: { ...UNTUNED, ...tuning } };
  return podTemplate(serverOf(part), settings) as Template;
}

function serverIn({ spec }: Template): Container {
  const found = spec.containers.find(({ name }) => name === 'server');
  if (!found) throw new Error('no container "server"');
  return found;
}

const LABELS = {
  'app.kubernetes.io/name': 'longshore-server',
  'app.kubernetes.io/instance': 'chat',
  'app.kubernetes.io/managed-by': 'longshore',
  'longshore.dev/server': 'chat',
  'longshore.dev/revision': 'r1',
  'longshore.dev/open': 'true',
};
const SPREAD = {
  maxSkew: 1,
  topologyKey: 'kubernetes.io/hostname',
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: {
    matchLabels: { 'longshore.dev/server': 'chat', 'longshore.dev/revision': 'r1' },
  },
};
const SECURITY = {
  runAsNonRoot: true,
  runAsUser: 1000,
  runAsGroup: 1000,
  fsGroup: 1000,
  seccompProfile: { type: 'RuntimeDefault' },
};
const LOCKED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};
const ENV = {
  LONGSHORE_ADMIN: '0.0.0.0:9464',
  LONGSHORE_ADMIN_TOKEN_FILE: '/etc/longshore/admin/token',
  LONGSHORE_CONFIG: '/etc/longshore/config',
  LONGSHORE_WORKERS: '/etc/longshore/workers/workers.json',
  LONGSHORE_DRAIN_PROPAGATION_SECONDS: '5',
  LONGSHORE_DRAIN_WINDOW_SECONDS: '30',
  LONGSHORE_GRACE_SECONDS: '50',
  LONGSHORE_GATEWAY_LISTEN: '0.0.0.0:2900',
  LONGSHORE_PEERS: '/etc/longshore/peers/peers.json',
  LONGSHORE_SECRET_FILE: '/etc/longshore/inner/secret',
  LONGSHORE_RUNTIME_DIR: '/tmp/longshore',
};
const listed = (env: Readonly<Record<string, string>>) =>
  Object.entries(env).map(([name, value]) => ({ name, value }));
const MOUNTS = [
  { name: 'config', mountPath: '/etc/longshore/config', readOnly: true },
  { name: 'workers', mountPath: '/etc/longshore/workers', readOnly: true },
  { name: 'admin-token', mountPath: '/etc/longshore/admin', readOnly: true },
  { name: 'longshore-peers', mountPath: '/etc/longshore/peers', readOnly: true },
  { name: 'longshore-inner', mountPath: '/etc/longshore/inner', readOnly: true },
  { name: 'tmp', mountPath: '/tmp' },
];
const VOLUMES = [
  { name: 'config', configMap: { name: 'chat-config' } },
  { name: 'workers', configMap: { name: 'chat-workers' } },
  { name: 'admin-token', secret: { secretName: 'chat-admin', defaultMode: 0o440 } },
  { name: 'longshore-peers', configMap: { name: 'chat-peers', optional: true } },
  { name: 'longshore-inner', secret: { secretName: 'longshore-inner', defaultMode: 0o440 } },
  { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
];

describe('a pod', () => {
  it('of the smallest server', () => {
    const { readinessProbe, livenessProbe, ...container } = serverIn(templateOf());
    const { containers, ...spec } = templateOf().spec;
    expect(templateOf().metadata).toEqual({ labels: LABELS });
    expect(containers).toHaveLength(1);
    expect(spec).toEqual({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 50,
      securityContext: SECURITY,
      volumes: VOLUMES,
      topologySpreadConstraints: [SPREAD],
    });
    expect(container).toEqual({
      name: 'server',
      image: 'app:1',
      args: ['start', 'app.ts'],
      workingDir: '/app',
      env: listed({ ...ENV, LONGSHORE_LOG: 'json' }),
      ports: [{ name: 'admin', containerPort: 9464 }],
      resources: {},
      securityContext: LOCKED,
      terminationMessagePolicy: 'FallbackToLogsOnError',
      volumeMounts: MOUNTS,
    });
    expect(readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: 'admin' } });
    expect(livenessProbe).toMatchObject({ httpGet: { path: '/livez', port: 'admin' } });
  });

  it('of a server with everything', () => {
    const template = templateOf(
      {
        imagePullPolicy: 'Never',
        imagePullSecrets: [{ name: 'registry' }],
        app: 'server.ts',
        code: { configMap: 'chat-code' },
        workers: [
          { name: 'chat', count: 2, listen: 'websocket://0.0.0.0:7272', servicePort: 80 },
          { name: 'dns', listen: 'udp://[::]:53' },
          { name: 'jobs', count: 1 },
        ],
        env: [
          { name: 'MOTD', value: 'hi' },
          { name: 'LONGSHORE_LOG', value: 'text' },
        ],
        envFrom: [{ secretRef: { name: 's' } }],
        resources: { limits: { memory: '1Gi' } },
        drain: { propagationSeconds: 1, windowSeconds: 2 },
        limits: { maxConnections: 10 },
      },
      { wanted: { 'net.core.somaxconn': '9' } },
    );
    expect(template.spec['imagePullSecrets']).toEqual([{ name: 'registry' }]);
    expect(template.spec.volumes).toEqual([
      ...VOLUMES,
      { name: 'code', configMap: { name: 'chat-code' } },
    ]);
    expect(serverIn(template)).toMatchObject({
      imagePullPolicy: 'Never',
      args: ['start', 'server.ts'],
      env: [
        ...listed({
          ...ENV,
          LONGSHORE_DRAIN_PROPAGATION_SECONDS: '1',
          LONGSHORE_DRAIN_WINDOW_SECONDS: '2',
          LONGSHORE_LIMITS: '{"maxConnections":10}',
          LONGSHORE_SYSCTL_WANTED: '{"net.core.somaxconn":"9"}',
        }),
        { name: 'MOTD', value: 'hi' },
        { name: 'LONGSHORE_LOG', value: 'text' },
      ],
      envFrom: [{ secretRef: { name: 's' } }],
      ports: [
        { name: 'chat', containerPort: 7272, protocol: 'TCP' },
        { name: 'dns', containerPort: 53, protocol: 'UDP' },
        { name: 'admin', containerPort: 9464 },
      ],
      resources: { limits: { memory: '1Gi' } },
      volumeMounts: [...MOUNTS, { name: 'code', mountPath: '/app', readOnly: true }],
    });
  });

  it('is the same for other replicas, counts, configuration, Service and rollout', () => {
    const part = {
      replicas: 9,
      config: { a: 'b' },
      service: { type: 'None' },
      rollout: { maxSurge: 3 },
      workers: [{ name: 'jobs', count: 7 }],
    };
    expect(templateOf(part)).toEqual(templateOf());
  });
});

const sysctls = { 'net.ipv4.tcp_rmem': '1 2 3', 'net.core.somaxconn': '9' };
const TUNE = ['tune', 'net.ipv4.tcp_rmem=1 2 3', 'net.core.somaxconn=9'];

describe('kernel settings', () => {
  it('of the pod are sysctls of its security context', () => {
    const { spec } = templateOf({}, { pod: sysctls });
    expect(spec['securityContext']).toEqual({
      ...SECURITY,
      sysctls: [
        { name: 'net.ipv4.tcp_rmem', value: '1 2 3' },
        { name: 'net.core.somaxconn', value: '9' },
      ],
    });
    expect(spec).not.toHaveProperty('initContainers');
    expect(spec).not.toHaveProperty('hostUsers');
  });

  it('in a user namespace are written by an init container with NET_ADMIN and no more', () => {
    const { spec } = templateOf({ imagePullPolicy: 'Always' }, { init: sysctls, hostUsers: false });
    expect(spec['hostUsers']).toBe(false);
    expect(spec.initContainers).toEqual([
      {
        name: 'tune',
        image: 'app:1',
        imagePullPolicy: 'Always',
        args: TUNE,
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
          runAsUser: 0,
          runAsNonRoot: false,
          procMount: 'Unmasked',
        },
        resources: { requests: { cpu: '10m', memory: '64Mi' } },
      },
    ]);
  });

  it('with privilege are written by a privileged one, in the node’s user namespace', () => {
    const { spec } = templateOf({}, { init: sysctls, privileged: true });
    expect(spec).not.toHaveProperty('hostUsers');
    expect(spec.initContainers).toMatchObject([
      { args: TUNE, securityContext: { privileged: true, runAsUser: 0, runAsNonRoot: false } },
    ]);
  });

  it('never give the server itself a right', () => {
    for (const tuning of [
      { init: sysctls, privileged: true },
      { init: sysctls, hostUsers: false },
      { pod: sysctls },
    ])
      expect(serverIn(templateOf({}, tuning))['securityContext']).toEqual(LOCKED);
  });
});

describe('podTemplate', () => {
  it('adds to the pod, and leaves what is ours', () => {
    const template = templateOf({
      podTemplate: {
        metadata: { labels: { team: 'a' }, annotations: { b: 'c' } },
        spec: {
          nodeSelector: { disk: 'ssd' },
          serviceAccountName: 'chat',
          securityContext: { fsGroup: 2000, supplementalGroups: [5] },
          containers: [
            {
              name: 'server',
              securityContext: { readOnlyRootFilesystem: false },
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
            { name: 'log', image: 'log:1' },
          ],
          volumes: [{ name: 'data', emptyDir: {} }],
        },
      },
    });
    expect(template.metadata).toEqual({
      labels: { ...LABELS, team: 'a' },
      annotations: { b: 'c' },
    });
    expect(template.spec).toMatchObject({
      automountServiceAccountToken: false,
      nodeSelector: { disk: 'ssd' },
      serviceAccountName: 'chat',
      securityContext: { ...SECURITY, fsGroup: 2000, supplementalGroups: [5] },
      volumes: [...VOLUMES, { name: 'data', emptyDir: {} }],
      topologySpreadConstraints: [SPREAD],
    });
    expect(template.spec.containers.map(({ name }) => name)).toEqual(['server', 'log']);
    expect(serverIn(template)).toMatchObject({
      image: 'app:1',
      securityContext: { ...LOCKED, readOnlyRootFilesystem: false },
      volumeMounts: [...MOUNTS, { name: 'data', mountPath: '/data' }],
    });
  });

  it('replaces how pods are spread', () => {
    const own = { maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' };
    const { spec } = templateOf({ podTemplate: { spec: { topologySpreadConstraints: [own] } } });
    expect(spec['topologySpreadConstraints']).toEqual([own]);
  });
});
