/**
 * A coarse clock for hot paths: tenths of a second since the process began to keep time.
 *
 * Reading it is reading a small integer; asking the system for each chunk of bytes would cost more than counting them.
 * `keepTime` must have been called for it to move; worker processes do at start.
 */
export const clock = { tenths: 0 };

let timer: NodeJS.Timeout | undefined;

/** Starts the clock, once; it does not keep the process alive. */
export function keepTime(): void {
  if (timer) return;
  const start = performance.now();
  timer = setInterval(() => {
    clock.tenths = Math.floor((performance.now() - start) / 100);
  }, 100);
  timer.unref();
}
