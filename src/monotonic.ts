/**
 * Milliseconds on the machine's monotonic clock: the same for all processes of the machine, whatever happens to the
 * date. Only differences mean anything.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
