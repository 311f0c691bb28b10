/**
 * A coarse clock for hot paths: tenths of a second since the process began to keep time.
 *
 * Reading it is reading a small integer; asking the system for each chunk of bytes would cost more than counting them.
 * `keepTime` must have been called for it to move; worker processes do at start.
 */
export const clock = { tenths: 0 };

const TICK_MS = 100;

let timer: NodeJS.Timeout | undefined;
let onLate: ((seconds: number) => void) | undefined;

/** Starts the clock, once; it does not keep the process alive. */
export function keepTime(): void {
  if (timer) return;
  const start = performance.now();
  let expected = start + TICK_MS;
  timer = setInterval(() => {
    const now = performance.now();
    clock.tenths = Math.floor((now - start) / 100);
    onLate?.((now - expected) / 1000);
    expected = now + TICK_MS;
  }, TICK_MS);
  timer.unref();
}

/** Tells of each tick how late it came: how long the event loop was busy with something else. */
export function watchLateness(told: (seconds: number) => void): void {
  onLate = told;
  keepTime();
}
