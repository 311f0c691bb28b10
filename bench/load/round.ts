/** How long after the end of a round a server may still be silent; later it is broken. */
const PATIENCE_MS = 10_000;

/**
 * A round of work: it goes on until its time is over, and is through when nothing is outstanding any more. Whoever works
 * asks `isOn` whether to go on, and says when it is `through`, or that it has `failed`.
 */
export class Round {
  readonly #missing: string;
  #done = Promise.withResolvers<void>();
  /** Whether there is to be more work. */
  isOn = false;

  /** @param missing what is missing if it does not come to an end, for the error: `answers are missing` */
  constructor(missing: string) {
    this.#missing = missing;
    this.#done.promise.catch(() => {});
  }

  through(): void {
    this.#done.resolve();
  }

  failed(error: Error): void {
    this.#done.reject(error);
  }

  /** @returns milliseconds that it took */
  async run(ms: number, work: () => void): Promise<number> {
    const begin = performance.now();
    this.#done = Promise.withResolvers<void>();
    this.isOn = true;
    work();
    const end = setTimeout(() => {
      this.isOn = false;
    }, ms);
    const late = new Error(`${this.#missing} ${PATIENCE_MS / 1000} s after the end`);
    const watch = setTimeout(() => this.failed(late), ms + PATIENCE_MS);
    try {
      await this.#done.promise;
    } finally {
      clearTimeout(end);
      clearTimeout(watch);
    }
    return performance.now() - begin;
  }
}
