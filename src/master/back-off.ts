/** A process that lived this long in good health has not died young. */
export const YOUNG_MS = 10_000;

const FIRST_MS = 100;
const MOST_MS = 30_000;

/**
 * How long to wait before the next process of a slot: nothing for one that lived well, else 0.1 s, 0.2 s, 0.4 s … up
 * to 30 s as early deaths follow each other, so that a crash loop costs little and still heals by itself.
 *
 * @param deaths early deaths in a row, the last one included
 */
export function backOffMs(deaths: number): number {
  return deaths === 0 ? 0 : Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(deaths - 1, 20));
}

/**
 * Whether a process died young, which counts towards the back-off. One that ended by itself with status 0 wanted to be
 * replaced (`Worker.stopAll()`); only doing that all the time is treated as a crash loop.
 */
export function diedYoung(readyForMs: number | undefined, status: number): boolean {
  if (readyForMs === undefined) return true;
  return readyForMs < (status === 0 ? 1000 : YOUNG_MS);
}
