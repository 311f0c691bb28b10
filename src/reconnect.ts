/** First wait, and longest wait, in milliseconds. */
const FIRST_MS = 500;
const MOST_MS = 15_000;
/** No server makes us wait longer than this. */
const LONGEST_MS = 3_600_000;

/**
 * How long to wait before connecting again. Pure.
 *
 * Exponential with full jitter: anywhere between 0 and twice the last bound, so that clients which lost their server in
 * the same instant come back spread over the whole interval.
 *
 * @param attempt 0 for the first try after a connection that worked, then 1, 2 …
 * @param random 0 to 1
 */
export function reconnectMs(attempt: number, random: number): number {
  return random * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 20));
}

/**
 * How long to wait when the server has said so itself, in the reason of a close frame: `{"reconnect":[from,to]}`.
 *
 * @returns `undefined` if the reason is no hint
 */
export function hintedMs(reason: string, random: number): number | undefined {
  try {
    const [from, to] = (JSON.parse(reason) as { reconnect: [unknown, unknown] }).reconnect;
    if (typeof from !== 'number' || typeof to !== 'number' || !(from >= 0 && to >= from))
      return undefined;
    const first = Math.min(from, LONGEST_MS);
    return first + random * (Math.min(to, LONGEST_MS) - first);
  } catch {
    return undefined;
  }
}
