import { ADMIN_PORT } from '../../src/contract.ts';

/** What the demo runs beside the operator: the chat, and a Prometheus that looks at it and at the operator. Pure. */

const LABELS = { app: 'prometheus' };
const OPERATOR_PORT = 9465;

/** Pods of each of the two servers of the chat. */
const PODS = 2;

/** What Prometheus finds: all pods of the chat, and the operator. */
export const TARGETS: number = 2 * PODS + 1;

/**
 * Gateways that hold the clients, and the rooms behind them.
 *
 * @param image of Longshore, which has the chat in it
 */
export function chat(namespace: string, image: string): object[] {
  const listen = 'websocket://0.0.0.0:8080';
  return [
    server(namespace, 'chat', {
      image,
      app: 'chat/gateway.ts',
      workers: [{ name: 'chat', count: 2, listen, servicePort: 80 }],
      drain: { propagationSeconds: 2, windowSeconds: 10 },
    }),
    server(namespace, 'rooms', {
      image,
      app: 'chat/business.ts',
      gatewayRef: { name: 'chat' },
      service: { type: 'None' },
      workers: [{ name: 'rooms', count: 2 }],
      drain: { propagationSeconds: 0, windowSeconds: 10 },
    }),
  ];
}

function server(namespace: string, name: string, spec: object): object {
  return {
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'SocketServer',
    metadata: { name, namespace },
    spec: { replicas: PODS, resources: { requests: { cpu: '50m', memory: '256Mi' } }, ...spec },
  };
}

/** @param rules alerts of the chart, as YAML */
export function prometheus(namespace: string, image: string, rules: string): object[] {
  const metadata = { name: 'prometheus', namespace };
  return [
    pods(namespace, 'chat-pods', { 'longshore.dev/server': 'chat' }),
    pods(namespace, 'rooms-pods', { 'longshore.dev/server': 'rooms' }),
    pods(namespace, 'longshore-pods', { 'app.kubernetes.io/name': 'longshore' }),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      // JSON is YAML, too.
      data: { 'prometheus.yml': JSON.stringify(settings(namespace)), 'rules.yml': rules },
    },
    deployment(namespace, image),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: LABELS, ports: [{ name: 'http', port: 9090 }] },
    },
  ];
}

function deployment(namespace: string, image: string): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'prometheus', namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: LABELS },
      template: {
        // Another configuration is another pod.
        metadata: {
          labels: LABELS,
          annotations: { settings: JSON.stringify(settings(namespace)) },
        },
        spec: {
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            fsGroup: 1000,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'prometheus',
              image,
              args: ['--config.file=/config/prometheus.yml', '--storage.tsdb.path=/data'],
              ports: [{ name: 'http', containerPort: 9090 }],
              readinessProbe: { httpGet: { path: '/-/ready', port: 'http' }, periodSeconds: 2 },
              resources: { requests: { cpu: '20m', memory: '128Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: [
                { name: 'config', mountPath: '/config' },
                { name: 'data', mountPath: '/data' },
              ],
            },
          ],
          volumes: [
            { name: 'config', configMap: { name: 'prometheus' } },
            { name: 'data', emptyDir: {} },
          ],
        },
      },
    },
  };
}

/** A name in DNS for the addresses of pods, those that are not ready included. */
function pods(namespace: string, name: string, selector: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector,
    },
  };
}

/** Found by DNS, because Debian's Prometheus cannot ask Kubernetes. Labels as the chart's PodMonitors give them. */
function settings(namespace: string): object {
  const job = (name: string, service: string, port: number, labels: object, extra = {}) => ({
    job_name: name,
    ...extra,
    dns_sd_configs: [
      {
        names: [`${service}.${namespace}.svc.cluster.local`],
        type: 'A',
        port,
        refresh_interval: '5s',
      },
    ],
    relabel_configs: [
      { source_labels: ['__address__'], target_label: 'pod' },
      ...Object.entries({ namespace, ...labels }).map(([target_label, replacement]) => ({
        target_label,
        replacement,
      })),
    ],
  });
  return {
    global: { scrape_interval: '5s', evaluation_interval: '5s' },
    rule_files: ['rules.yml'],
    scrape_configs: [
      job('longshore-server', 'chat-pods', ADMIN_PORT, { server: 'chat' }),
      job('longshore-rooms', 'rooms-pods', ADMIN_PORT, { server: 'rooms' }),
      // Its series of servers have labels namespace and server, which are the server's and not the operator's.
      job('longshore', 'longshore-pods', OPERATOR_PORT, {}, { honor_labels: true }),
    ],
  };
}
