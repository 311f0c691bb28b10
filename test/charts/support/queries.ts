import { join } from 'node:path';
import { Counter, Histogram } from 'prom-client';
import { OperatorMetrics } from '../../../operator/metrics.ts';
import { ROOT } from '../../../tools/helm.ts';
import { quoted, rows } from '../../support/pages.ts';

/** What is known of metrics and their labels, and what PromQL queries ask for. */

/** Labels that the chart's PodMonitors and Prometheus put on everything. */
const TARGET = ['namespace', 'pod', 'server', 'job', 'instance', 'container', 'endpoint'];

/** Each metric, without suffix, and its own labels. */
export function metricLabels(): Map<string, string[]> {
  const operator = ofOperator().map(({ name, labels }) => [name, labels] as const);
  return new Map([...ofPods(), ...operator]);
}

/** From the manual, which another test holds to the code. */
function ofPods(): [string, string[]][] {
  return rows(join(ROOT, 'docs/status-and-metrics.md'), 'Metrics')
    .filter(([name]) => quoted(name)?.startsWith('longshore_'))
    .map(([name, , labels = '']) => [
      quoted(name) ?? '',
      labels
        .split(',')
        .flatMap((each) => quoted(each.trim()) ?? (each.trim() === 'slot' ? SLOT : [])),
    ]);
}

const SLOT = ['worker_name', 'worker_id'];

/** From the code itself, which sees an empty cluster. A histogram's buckets have `le`. */
export function ofOperator(): { name: string; type: string; labels: string[] }[] {
  const nothing = { all: [], servers: { store: new Map() }, sets: { store: new Map() } };
  const sources = { clients: [], queue: {}, recorder: {}, watches: nothing, leads: () => false };
  const { registry } = new OperatorMetrics(
    sources as unknown as ConstructorParameters<typeof OperatorMetrics>[0],
  );
  return registry.getMetricsAsArray().map((metric) => {
    const { name, labelNames = [] } = metric as unknown as { name: string; labelNames?: string[] };
    const type = typeOf(metric);
    return { name, type, labels: type === 'histogram' ? ['le'] : [...labelNames] };
  });
}

function typeOf(metric: object): string {
  if (metric instanceof Counter) return 'counter';
  return metric instanceof Histogram ? 'histogram' : 'gauge';
}

/** Every metric with the labels that it is asked for by. */
export function asked(expr: string): { metric: string; labels: string[] }[] {
  return [...expr.matchAll(/\b(longshore_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, metric = '', inner = '']) => ({
      metric,
      labels: [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }),
  );
}

/** Labels that results are grouped or joined by. */
export function grouped(expr: string): string[] {
  const lists = [...expr.matchAll(/\b(?:by|on|group_left|group_right) \(([^)]*)\)/g)];
  return lists
    .flatMap(([, list = '']) => list.split(',').map((each) => each.trim()))
    .filter(Boolean);
}

/** What of a query does not exist. */
export function unknown(expr: string, known: ReadonlyMap<string, readonly string[]>): string[] {
  const found = asked(expr).map(({ metric, labels }) => {
    const base = metric.replace(/_(bucket|sum|count)$/, '');
    return { metric, labels, has: known.get(metric) ?? known.get(base) };
  });
  const own = found.flatMap(({ has = [] }) => has);
  return [
    ...found.filter(({ has }) => !has).map(({ metric }) => metric),
    ...found.flatMap(({ metric, labels, has = [] }) =>
      labels
        .filter((label) => !has.includes(label) && !TARGET.includes(label))
        .map((label) => `${metric}{${label}}`),
    ),
    ...grouped(expr).filter(
      (label) => !own.includes(label) && !TARGET.includes(label) && label !== 'le',
    ),
  ];
}
