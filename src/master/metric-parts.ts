import type { Counts } from '../counters.ts';
import type { Gauges } from './messages.ts';
import type { Labels, MetricDefinition, MetricSource, Sample } from './metrics.ts';

/** Kinds of metrics, from which `metric-catalogue.ts` is made. */

/** The two labels that most metrics have. */
export const slotLabels: (of: { worker: string; slot: number }) => Labels = ({ worker, slot }) => ({
  worker_name: worker,
  worker_id: slot,
});

/** A number that each slot's processes count, and that outlives them. */
export function count(name: string, key: keyof Counts, help: string): MetricDefinition {
  const samples = ({ ledger }: MetricSource) =>
    [...ledger.slots.values()].map((slot) => ({
      labels: slotLabels(slot),
      value: slot.counts[key],
    }));
  return { name, type: 'counter', help, samples };
}

/** A number of the process that is in the slot now. */
export function perProcess(
  name: string,
  help: string,
  read: (source: MetricSource, proc: number) => number | undefined,
): MetricDefinition {
  const samples = (source: MetricSource) =>
    source.plan.slots.flatMap((slot): Sample[] => {
      const value = slot.current === undefined ? undefined : read(source, slot.current);
      return value === undefined ? [] : [{ labels: slotLabels(slot), value }];
    });
  return { name, type: 'gauge', help, samples };
}

/** A number that a process reports of itself. */
export const reported = (
  name: string,
  key: 'connections' | 'timers' | 'sendBuffer' | 'memory',
  help: string,
): MetricDefinition =>
  perProcess(name, help, ({ ledger }, proc) => ledger.procs.get(proc)?.gauges[key]);

/** One number for the whole server; no sample while there is none. */
export function single(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  read: (source: MetricSource) => number | undefined,
): MetricDefinition {
  const samples = (source: MetricSource): Sample[] => {
    const value = read(source);
    return value === undefined ? [] : [{ labels: {}, value }];
  };
  return { name, type, help, samples };
}

/** Over all processes that there are, also those that leave. */
export function sum(source: MetricSource, read: (gauges: Gauges) => number): number {
  return [...source.ledger.procs.values()].reduce((total, { gauges }) => total + read(gauges), 0);
}

/** Samples of a histogram; buckets as Prometheus wants them: each counts what the ones before count too. */
export function bucketSamples(
  name: string,
  bounds: readonly number[],
  labels: Labels,
  { buckets, sum: total }: { readonly buckets: readonly number[]; readonly sum: number },
): Sample[] {
  const full = `longshore_${name}`;
  let cumulated = 0;
  const samples: Sample[] = [...bounds, '+Inf'].map((le, i) => {
    cumulated += buckets[i] ?? 0;
    return { labels: { le, ...labels }, value: cumulated, metricName: `${full}_bucket` };
  });
  samples.push({ labels, value: total, metricName: `${full}_sum` });
  samples.push({ labels, value: cumulated, metricName: `${full}_count` });
  return samples;
}
