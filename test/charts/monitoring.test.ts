import { describe, expect, it } from '@jest/globals';
import { complete } from '../../operator/api/defaults.ts';
import type { SocketServer } from '../../operator/api/types.ts';
import { podTemplate } from '../../operator/desired/pod.ts';
import { OPERATOR_PORT } from '../../operator/health.ts';
import { ADMIN_PORT } from '../../src/contract.ts';
import { type KubeObject, template } from '../../tools/helm.ts';
import { describeUnless } from '../cluster/support/skip.ts';
import { NO_HELM, notRestricted, one, type PodSpec, using } from './support/charts.ts';

/** A pod as the operator makes it, which monitors and policies have to find. */
const pod = (() => {
  const server = complete({
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'SocketServer',
    metadata: { name: 'echo', namespace: 'apps', uid: '1' },
    spec: { image: 'x', workers: [{ name: 'echo', listen: 'websocket://0.0.0.0:2346' }] },
  } as unknown as SocketServer);
  const tuning = { pod: {}, init: {}, privileged: false, hostUsers: true, wanted: {} };
  return podTemplate(server, { revision: 'r', graceSeconds: 50, tuning }) as {
    metadata: { labels: Record<string, string> };
    spec: PodSpec;
  };
})();
const portOf = (name: string) =>
  pod.spec.containers.flatMap(({ ports = [] }) => ports).find((port) => port.name === name);

describe('pods of servers', () => {
  it('get no token, and PodSecurity restricted lets them in', () => {
    expect(pod.spec.automountServiceAccountToken).toBe(false);
    expect(notRestricted(pod.spec)).toEqual([]);
    expect(notRestricted({ containers: [{}] })).toHaveLength(5);
  });
});

type Selector = {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string }[];
};
const selects = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: object) =>
  Object.entries(matchLabels).every(([key, value]) =>
    Object.entries(labels).some(([k, v]) => k === key && v === value),
  ) && matchExpressions.every(({ key, operator }) => operator === 'Exists' && key in labels);

describeUnless(NO_HELM, 'PodMonitors', () => {
  const made = (...set: string[]): KubeObject[] =>
    template('longshore', '--set', 'podMonitor.enabled=true', ...set);
  const monitor = (all: KubeObject[], of: string) => one(all, 'PodMonitor', `demo-longshore-${of}`);

  it('find the pods of servers, and call them by the name of their server', () => {
    const { spec } = monitor(made(), 'servers');
    const [endpoint] = spec.podMetricsEndpoints;
    expect(selects(spec.selector, pod.metadata.labels)).toBe(true);
    expect(portOf(endpoint.port)?.containerPort).toBe(ADMIN_PORT);
    expect(endpoint.relabelings).toEqual([
      {
        sourceLabels: ['__meta_kubernetes_pod_label_longshore_dev_server'],
        targetLabel: 'server',
      },
    ]);
    expect(endpoint.honorLabels).toBeUndefined();
  });

  it('find the operator, and leave its labels alone', () => {
    const all = made();
    const { spec } = monitor(all, 'operator');
    const { template: operator } = one(all, 'Deployment')['spec'];
    const [endpoint] = spec.podMetricsEndpoints;
    expect(selects(spec.selector, operator.metadata.labels)).toBe(true);
    expect(operator.spec.containers[0].ports).toEqual([
      { name: endpoint.port, containerPort: OPERATOR_PORT },
    ]);
    expect(endpoint.honorLabels).toBe(true);
    expect(selects(spec.selector, one(all, 'Pod').metadata.labels ?? {})).toBe(false);
  });

  it('look where the servers are', () => {
    expect(monitor(made(), 'servers')['spec'].namespaceSelector).toEqual({ any: true });
    const some = made('--set', 'watchNamespaces={games,chat}');
    expect(monitor(some, 'servers')['spec'].namespaceSelector).toEqual({
      matchNames: ['games', 'chat'],
    });
  });

  it('have the labels that a Prometheus selects', () => {
    const all = template('longshore', ...using('longshore', 'everything-values.yaml'));
    for (const { metadata } of all.filter(({ kind }) => kind === 'PodMonitor'))
      expect(metadata.labels?.['release']).toBe('prom');
  });

  it('are not there unless asked for', () => {
    const kinds = template('longshore').map(({ kind }) => kind);
    for (const kind of ['PodMonitor', 'PrometheusRule', 'NetworkPolicy'])
      expect(kinds).not.toContain(kind);
  });
});

type Ingress = {
  from?: { namespaceSelector: Selector; podSelector?: Selector }[];
  ports: { protocol: string; port: number; endPort?: number }[];
};

describeUnless(NO_HELM, 'NetworkPolicies', () => {
  const all =
    NO_HELM === undefined ? template('longshore', '--set', 'networkPolicy.enabled=true') : [];
  const policy = (name: string) => one(all, 'NetworkPolicy', name)['spec'];
  const open = (ingress: Ingress[], protocol: string, port: number) =>
    ingress
      .filter(({ from }) => from === undefined)
      .some(({ ports }) =>
        ports.some(
          (each) =>
            each.protocol === protocol && port >= each.port && port <= (each.endPort ?? each.port),
        ),
      );

  it('leave every port of a server open but the admin port', () => {
    const { podSelector, ingress } = policy('apps-demo-longshore-servers');
    expect(selects(podSelector, pod.metadata.labels)).toBe(true);
    for (const port of [1, 80, ADMIN_PORT - 1, ADMIN_PORT + 1, 65_535]) {
      expect(open(ingress, 'TCP', port)).toBe(true);
      expect(open(ingress, 'UDP', port)).toBe(true);
    }
    expect(open(ingress, 'TCP', ADMIN_PORT)).toBe(false);
  });

  it('let the operator and Prometheus through to it', () => {
    const [, { from, ports }] = policy('apps-demo-longshore-servers').ingress as [Ingress, Ingress];
    expect(ports).toEqual([{ protocol: 'TCP', port: ADMIN_PORT }]);
    const [operator, prometheus] = from ?? [];
    const labels = one(all, 'Deployment')['spec'].template.metadata.labels;
    expect(selects(operator?.podSelector ?? {}, labels)).toBe(true);
    expect(operator?.namespaceSelector).toEqual({
      matchLabels: { 'kubernetes.io/metadata.name': 'apps' },
    });
    expect(prometheus?.namespaceSelector).toEqual({
      matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' },
    });
  });

  it('let only Prometheus through to the operator', () => {
    const { ingress } = policy('demo-longshore');
    expect(ingress).toHaveLength(1);
    expect(ingress[0].ports).toEqual([{ protocol: 'TCP', port: OPERATOR_PORT }]);
  });
});
