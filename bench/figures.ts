/** From counts to figures: medians, ratios, bounds. Pure. */

/** Several measurements of one thing. */
export type Spread = { readonly median: number; readonly low: number; readonly high: number };

/** What a figure must be. */
export type Bound = { readonly atLeast: number } | { readonly atMost: number };

/** What a figure is: a ratio, memory per connection, microseconds, or a number of things. */
export type Unit = 'x' | 'KB' | 'us' | 'count';

/** One line of the table of results. */
export type Line = {
  /** Names it in the README and in `--json`. */
  readonly key: string;
  /** What was done, and beside whom. */
  readonly load: string;
  readonly unit: Unit;
  /** `undefined`: it was not measured, and `detail` says why. */
  readonly value: Spread | undefined;
  /** Without a bound it is only reported. */
  readonly bound?: Bound;
  /** The absolute figures behind it. */
  readonly detail: string;
  /** Each round of both sides, for `--json`. */
  readonly scores?: readonly unknown[];
  /** Beside whom; named if the other does better. */
  readonly versus?: string;
  /** Longshore's own figure, where `value` is not a ratio but the other's. */
  readonly ours?: number;
};

export type Verdict = 'pass' | 'MISSED' | 'skipped' | '';

/** The middle one of some numbers; of an even count, halfway between the two. */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) return Number.NaN;
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

export function spreadOf(numbers: readonly number[]): Spread {
  return { median: median(numbers), low: Math.min(...numbers), high: Math.max(...numbers) };
}

/**
 * The ratios of two rows of measurements, round by round: what disturbs the machine for a while disturbs neighbours
 * alike, and so not their ratio.
 */
export function ratios(ours: readonly number[], theirs: readonly number[]): Spread {
  if (ours.length !== theirs.length || ours.length === 0)
    throw new RangeError(`${ours.length} and ${theirs.length} rounds have no ratio`);
  return spreadOf(ours.map((each, i) => each / (theirs[i] as number)));
}

/** Whether a line holds its bound. */
export function verdict({ value, bound }: Pick<Line, 'value' | 'bound'>): Verdict {
  if (value === undefined) return 'skipped';
  if (bound === undefined) return '';
  const good = 'atLeast' in bound ? value.median >= bound.atLeast : value.median <= bound.atMost;
  return good ? 'pass' : 'MISSED';
}
