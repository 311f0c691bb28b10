import { ADMIN_PORT, ENV, GATEWAY_PORT } from '../../src/contract.ts';
import { INNER_SECRET, LABEL, labelsOf, namesOf, PEERS_KEY } from '../api/names.ts';
import type { SocketServer, WorkerSpec } from '../api/types.ts';
import { portOf, transportOf } from './listen.ts';
import { merged } from './merge.ts';
import { portNames } from './service.ts';

/** The pod of a server. Pure. */

export type PodSettings = {
  readonly revision: string;
  readonly graceSeconds: number;
  readonly tuning: {
    readonly pod: Readonly<Record<string, string>>;
    readonly init: Readonly<Record<string, string>>;
    readonly privileged: boolean;
    readonly hostUsers: boolean;
    readonly wanted: Readonly<Record<string, string>>;
  };
};

/** Where things are in the container. */
const PATH = {
  app: '/app',
  config: '/etc/longshore/config',
  workers: '/etc/longshore/workers',
  token: '/etc/longshore/admin',
  peers: '/etc/longshore/peers',
  inner: '/etc/longshore/inner',
  tmp: '/tmp',
} as const;

/** Names of volumes that came later than `podTemplate`: nobody has called one of theirs so. */
const VOLUME = { peers: 'longshore-peers', inner: 'longshore-inner' } as const;

const USER = 1000;

export function podTemplate(server: SocketServer, settings: PodSettings): object {
  const own = {
    metadata: {
      labels: {
        ...labelsOf(server),
        [LABEL.revision]: settings.revision,
        // Open unless we close it: a pod that comes while we are away serves.
        [LABEL.open]: 'true',
      },
    },
    spec: podSpec(server, settings),
  };
  return merged(own, server.spec.podTemplate);
}

function podSpec(server: SocketServer, settings: PodSettings): object {
  const { spec } = server;
  const { graceSeconds, tuning } = settings;
  const sysctls = Object.entries(tuning.pod).map(([name, value]) => ({ name, value }));
  const init = tuneContainer(server, settings);
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: graceSeconds,
    ...(tuning.hostUsers ? {} : { hostUsers: false }),
    ...(spec.imagePullSecrets ? { imagePullSecrets: spec.imagePullSecrets } : {}),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
      ...(sysctls.length > 0 ? { sysctls } : {}),
    },
    ...(init ? { initContainers: [init] } : {}),
    containers: [serverContainer(server, settings)],
    volumes: volumes(server),
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: {
          matchLabels: {
            [LABEL.server]: namesOf(server).server,
            [LABEL.revision]: settings.revision,
          },
        },
      },
    ],
  };
}

function image({ spec }: SocketServer): object {
  return {
    image: spec.image,
    ...(spec.imagePullPolicy === undefined ? {} : { imagePullPolicy: spec.imagePullPolicy }),
  };
}

const LOCKED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;

function serverContainer(server: SocketServer, settings: PodSettings): object {
  const { spec } = server;
  return {
    name: 'server',
    ...image(server),
    args: ['start', spec.app],
    workingDir: PATH.app,
    env: [...environment(server, settings), ...spec.env],
    ...(spec.envFrom.length > 0 ? { envFrom: spec.envFrom } : {}),
    ports: [...containerPorts(spec.workers), { name: 'admin', containerPort: ADMIN_PORT }],
    // New connections come with a queue in the kernel, so a process that starts slowly is not yet one that is gone.
    readinessProbe: probe('/readyz', { periodSeconds: 2, failureThreshold: 3 }),
    livenessProbe: probe('/livez', {
      periodSeconds: 10,
      failureThreshold: 6,
      initialDelaySeconds: 5,
    }),
    resources: spec.resources,
    // Its last words are in the pod's status then, and so in the server's.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: LOCKED,
    volumeMounts: [
      { name: 'config', mountPath: PATH.config, readOnly: true },
      { name: 'workers', mountPath: PATH.workers, readOnly: true },
      { name: 'admin-token', mountPath: PATH.token, readOnly: true },
      { name: VOLUME.peers, mountPath: PATH.peers, readOnly: true },
      { name: VOLUME.inner, mountPath: PATH.inner, readOnly: true },
      { name: 'tmp', mountPath: PATH.tmp },
      ...(spec.code ? [{ name: 'code', mountPath: PATH.app, readOnly: true }] : []),
    ],
  };
}

function probe(path: string, times: object): object {
  return { httpGet: { path, port: 'admin' }, timeoutSeconds: 3, ...times };
}

function containerPorts(workers: readonly WorkerSpec[]): object[] {
  const names = portNames(workers);
  return workers.flatMap(({ listen }, i) =>
    listen === undefined
      ? []
      : [{ name: names[i], containerPort: portOf(listen), protocol: transportOf(listen) }],
  );
}

function environment({ spec }: SocketServer, { graceSeconds, tuning }: PodSettings): object[] {
  const { drain, limits } = spec;
  const values: Record<string, string> = {
    [ENV.admin]: `0.0.0.0:${ADMIN_PORT}`,
    [ENV.adminTokenFile]: `${PATH.token}/token`,
    [ENV.config]: PATH.config,
    [ENV.workers]: `${PATH.workers}/workers.json`,
    [ENV.drainPropagation]: String(drain.propagationSeconds),
    [ENV.drainWindow]: String(drain.windowSeconds),
    [ENV.grace]: String(graceSeconds),
    [ENV.gatewayListen]: `0.0.0.0:${GATEWAY_PORT}`,
    [ENV.peers]: `${PATH.peers}/${PEERS_KEY}`,
    [ENV.secretFile]: `${PATH.inner}/${INNER_SECRET.key}`,
    [ENV.runtimeDir]: `${PATH.tmp}/longshore`,
    ...(Object.keys(limits).length > 0 ? { [ENV.limits]: JSON.stringify(limits) } : {}),
    ...(Object.keys(tuning.wanted).length > 0
      ? { [ENV.sysctlWanted]: JSON.stringify(tuning.wanted) }
      : {}),
  };
  const own = Object.entries(values).map(([name, value]) => ({ name, value }));
  const chosen = spec.env.some((each) => (each as { name?: string }).name === ENV.logFormat);
  return chosen ? own : [...own, { name: ENV.logFormat, value: 'json' }];
}

function volumes(server: SocketServer): object[] {
  const names = namesOf(server);
  return [
    { name: 'config', configMap: { name: names.config } },
    { name: 'workers', configMap: { name: names.workers } },
    { name: 'admin-token', secret: { secretName: names.token, defaultMode: 0o440 } },
    // Not there as long as there are no peers.
    { name: VOLUME.peers, configMap: { name: names.peers, optional: true } },
    { name: VOLUME.inner, secret: { secretName: INNER_SECRET.name, defaultMode: 0o440 } },
    { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
    ...(server.spec.code
      ? [{ name: 'code', configMap: { name: server.spec.code.configMap } }]
      : []),
  ];
}

/**
 * Writes kernel settings of the pod's own network before the server starts. In a user namespace its root and its
 * NET_ADMIN are void outside the pod.
 */
function tuneContainer(server: SocketServer, { tuning }: PodSettings): object | undefined {
  const settings = Object.entries(tuning.init);
  if (settings.length === 0) return undefined;
  return {
    name: 'tune',
    ...image(server),
    args: ['tune', ...settings.map(([name, value]) => `${name}=${value}`)],
    securityContext: tuning.privileged
      ? { privileged: true, runAsUser: 0, runAsNonRoot: false }
      : {
          ...LOCKED,
          capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
          runAsUser: 0,
          runAsNonRoot: false,
          procMount: 'Unmasked',
        },
    resources: { requests: { cpu: '10m', memory: '64Mi' } },
  };
}
