import type { Bounds, Position } from '../engine.ts';

/** What can be decided about streams and positions without a server. Pure. */

/** Events that a stream keeps of each channel beyond its size: a live subscriber may be that far behind. */
export const SLACK = 256;
/** Within it a message that is published again is known as the same one, so a stream keeps at least that long. */
export const DUPLICATES_SECONDS = 120;
const SECONDS_MORE = 10;

/** Most jobs that wait in one queue. */
export const QUEUE_MAX = 100_000;

/** What a stream for these bounds keeps of each channel: a little more than is asked for. */
export function keptBy({ size, seconds }: Bounds): Bounds {
  return {
    size: size + SLACK,
    seconds: Math.max(seconds, DUPLICATES_SECONDS) + SECONDS_MORE,
  };
}

/** Copies of a stream: what is said, else 3 if there are as many servers, else 1. */
export function replicasFor(said: number | undefined, servers: number): number {
  return said ?? (servers >= 3 ? 3 : 1);
}

/** What a stream says of itself. */
export type StreamFacts = {
  /** When it was made: another one of the same name has another one. */
  readonly epoch: string;
  /** Of the oldest message in it; one more than `last` if it is empty. */
  readonly first: number;
  /** Of the newest message that was ever in it. */
  readonly last: number;
  /** Milliseconds that a message is kept; 0: for ever. */
  readonly ageMs: number;
  /** Messages of each channel. 0: all. */
  readonly perChannel: number;
  /** Whether it also removes messages for other reasons, because somebody has set a bound of his own. */
  readonly otherBounds: boolean;
};

/** Where a subscriber stood, and what he missed. */
export type Absence = {
  readonly position: Position;
  /** Messages of the channel behind that position that are in the stream. */
  readonly missed: number;
  /** Milliseconds since it was certain that there was none. */
  readonly sinceMs: number;
};

/** Clocks and timers may be off by as much. */
const MARGIN_MS = 2_000;

/** Whether a position means anything in a stream. */
export function isOf({ epoch, last }: StreamFacts, position: Position): boolean {
  return position.epoch === epoch && position.offset <= last;
}

/**
 * Whether everything behind a position is still there.
 *
 * - By size: a stream removes the oldest of a channel when it holds as many as it may. So as long as fewer than that are
 *   behind the position, none of them was removed.
 * - By age: a stream removes from its front. If the front has not passed the position, nothing behind it was removed. If
 *   it has, then only what was there when it was last certain that nothing was, or later; and that is not old enough.
 */
export function isComplete(facts: StreamFacts, bounds: Bounds, absence: Absence): boolean {
  const { position, missed, sinceMs } = absence;
  if (!isOf(facts, position) || missed > bounds.size) return false;
  if (facts.perChannel > 0 && missed >= facts.perChannel) return false;
  if (facts.first <= position.offset + 1) return true;
  if (facts.otherBounds) return false;
  return facts.ageMs === 0 || sinceMs < facts.ageMs - MARGIN_MS;
}

/** Whether a live subscriber is so far behind that what comes next to be sent to him may have been removed. */
export function isEndangered({ perChannel }: StreamFacts, pending: number): boolean {
  return perChannel > 0 && pending + 1 >= perChannel;
}
