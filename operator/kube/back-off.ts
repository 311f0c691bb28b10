/**
 * How long to wait before a failed thing is tried again: doubling, and anywhere between half of that and all of it, so
 * that what failed together does not come back together. Pure.
 *
 * @param failures in a row, the last one included: 1, 2 …
 * @param random 0 to 1
 * @returns milliseconds; 0 without a failure
 */
export function backOffMs(
  failures: number,
  random: number,
  { firstMs, mostMs }: { readonly firstMs: number; readonly mostMs: number },
): number {
  if (failures <= 0) return 0;
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return whole * (0.5 + random / 2);
}

/** A time spread over `share` of itself to both sides, so that what began together does not stay together. Pure. */
export function jittered(ms: number, share: number, random: number): number {
  return ms * (1 - share + 2 * share * random);
}
