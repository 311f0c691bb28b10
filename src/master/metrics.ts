import { type Metric, Registry } from 'prom-client';
import type { KernelFacts } from './kernel.ts';
import type { Ledger } from './ledger.ts';
import { METRICS } from './metric-catalogue.ts';
import type { Plan } from './plan.ts';

/** All that a scrape looks at. It is in memory, so a scrape waits for nobody. */
export type MetricSource = {
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly kernel: KernelFacts;
  readonly sysctlWanted: Readonly<Record<string, string>>;
  /** Milliseconds since 1970, like all times here. */
  readonly startedAt: number;
  forkedAt(proc: number): number;
  busy(proc: number): boolean;
  /** Whether each process of a Worker has a listening socket of its own. */
  ownSockets(worker: string): boolean;
  /** What a Worker listens on. */
  listening(worker: string): string;
  readonly reloads: Readonly<Record<'done' | 'failed', number>>;
  /** When a drain under way will be over. */
  drainUntil(): number | undefined;
};

export type Labels = Record<string, string | number>;
export type Sample = {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
};

/** One metric, without the prefix `longshore_`: what it is, and how its samples come from the source. */
export type MetricDefinition = {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: (source: MetricSource) => Sample[];
};

/** A registry that answers from the source, in the text format of Prometheus. */
export function metricsRegistry(source: MetricSource): Registry {
  const registry = new Registry();
  for (const { name, type, help, samples } of METRICS) {
    const full = `longshore_${name}`;
    const get = async () => ({
      name: full,
      help,
      type,
      aggregator: 'sum',
      values: samples(source),
    });
    registry.registerMetric({ name: full, get } as unknown as Metric);
  }
  return registry;
}
