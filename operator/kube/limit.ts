/** Lets so many things go on at the same time; the others wait, in their order. */
export class Limit {
  readonly #most: number;
  #going = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  async run<T>(does: () => Promise<T>): Promise<T> {
    if (this.#going >= this.#most) await new Promise<void>((turn) => this.#waiting.push(turn));
    else this.#going += 1;
    try {
      return await does();
    } finally {
      // The place is handed on, so that nobody who comes later takes it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#going -= 1;
    }
  }
}
