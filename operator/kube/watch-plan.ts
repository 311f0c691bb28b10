import { backOffMs } from './back-off.ts';

/** How a watch ended, or the list that was to come before it. */
export type End = {
  /** `over`: as agreed, or by the server's restart; `gone`: its resource version is too old; `failed`: anything else. */
  readonly how: 'over' | 'gone' | 'failed';
  /** From its first answer on; 0 if there was none. */
  readonly livedMs: number;
};

export type Next = {
  readonly waitMs: number;
  readonly list: boolean;
  /** In a row. */
  readonly failures: number;
};

/** A watch that lived this long was in order, however it ended. */
const SOUND_MS = 5000;
/** So often in a row, and the version may be one that a server restored from a copy has never had. */
const LIST_AFTER = 5;
/** A restarted API server is noticed within `mostMs`. */
const BACK_OFF = { firstMs: 200, mostMs: 10_000 };

/**
 * What to do after the end of a watch. Pure.
 *
 * @param failures in a row before this one
 * @param random 0 to 1
 */
export function nextOf(end: End, failures: number, random: number): Next {
  if (end.livedMs >= SOUND_MS)
    return { waitMs: 0, list: end.how === 'gone', failures: end.how === 'failed' ? 1 : 0 };
  const more = failures + 1;
  // Once is nothing to wait for: the version has expired, or the server is told to end its connections.
  const waitMs = end.how !== 'failed' && more === 1 ? 0 : backOffMs(more, random, BACK_OFF);
  return { waitMs, list: end.how === 'gone' || more % LIST_AFTER === 0, failures: more };
}
