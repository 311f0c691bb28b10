/** Upper bounds of the event loop lag histogram, in seconds; the last bucket is everything above. */
export const LAG_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Observations: one number for each bound and one for above, not cumulated; their number and sum. */
export type LagCounts = { readonly buckets: readonly number[]; readonly sum: number };

/** Collects how late timers ran. */
export class Lag {
  #buckets: number[] = zeroes();
  #sum = 0;

  /** One timer ran `seconds` later than it should have. */
  observe(seconds: number): void {
    const late = Math.max(0, seconds);
    const at = LAG_BOUNDS.findIndex((bound) => late <= bound);
    const bucket = at === -1 ? LAG_BOUNDS.length : at;
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#sum += late;
  }

  /** What was observed since the last call. */
  take(): LagCounts {
    const taken = { buckets: this.#buckets, sum: this.#sum };
    this.#buckets = zeroes();
    this.#sum = 0;
    return taken;
  }
}

/** Adds observations to a sum; anything malformed counts as nothing. */
export function addLag(
  sum: { buckets: number[]; sum: number },
  { buckets, sum: more }: LagCounts,
): void {
  for (let i = 0; i <= LAG_BOUNDS.length; i += 1) {
    sum.buckets[i] = (sum.buckets[i] ?? 0) + countOf(buckets?.[i]);
  }
  sum.sum += countOf(more);
}

const countOf = (value: unknown): number =>
  typeof value === 'number' && value > 0 && Number.isFinite(value) ? value : 0;

/** A histogram without observations. */
export function zeroLag(): { buckets: number[]; sum: number } {
  return { buckets: zeroes(), sum: 0 };
}

const zeroes = (): number[] => new Array<number>(LAG_BOUNDS.length + 1).fill(0);
