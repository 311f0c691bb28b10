import { createHistogram } from 'node:perf_hooks';

/** How long things took, in microseconds. */
export type Latency = { readonly p50: number; readonly p99: number };

/** Gathers how long things took, at next to no cost for each. */
export class Stopwatch {
  readonly #histogram = createHistogram();
  #begin = 0;

  /** Forgets all. */
  reset(): void {
    this.#histogram.reset();
  }

  start(): void {
    this.#begin = performance.now();
  }

  /** So many things that began at the last `start` are through. */
  stop(count: number): void {
    const ns = Math.max(1, Math.round((performance.now() - this.#begin) * 1e6));
    for (let i = 0; i < count; i += 1) this.#histogram.record(ns);
  }

  /** One thing that began then, on the clock of `performance.now()`, is through. */
  took(begin: number): void {
    this.#histogram.record(Math.max(1, Math.round((performance.now() - begin) * 1e6)));
  }

  get latency(): Latency {
    const at = (percent: number) => this.#histogram.percentile(percent) / 1000;
    return { p50: at(50), p99: at(99) };
  }
}
