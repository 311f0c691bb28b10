/**
 * How many messages a peer may send: `rate` a second on average, and as many at once after a quiet second.
 * Pure: the time is an argument.
 */
export class TokenBucket {
  readonly #rate: number;
  #tokens: number;
  #filledAt: number;

  /** @param rate messages a second, 1 or more @param now in tenths of a second */
  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#tokens = rate;
    this.#filledAt = now;
  }

  /** Whether one more message may pass now; if so it is counted. */
  take(now: number): boolean {
    if (now > this.#filledAt) {
      this.#tokens = Math.min(
        this.#rate,
        this.#tokens + ((now - this.#filledAt) * this.#rate) / 10,
      );
      this.#filledAt = now;
    }
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
