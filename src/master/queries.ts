import type { Forker } from './forker.ts';
import type { Question } from './messages.ts';

/** A process that does not answer within this time is busy. */
const DEADLINE_MS = 500;

/** Questions to processes, each with a deadline, so that nobody who asks ever hangs. */
export class Queries {
  readonly #forker: Forker;
  readonly #open = new Map<number, (answer: unknown) => void>();
  #lastId = 0;

  constructor(forker: Forker) {
    this.#forker = forker;
  }

  /** @returns the answer; `undefined` if there was none in time */
  ask(proc: number, what: Question, limit = 0): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => this.answered(id, undefined), DEADLINE_MS);
    this.#open.set(id, (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    this.#forker.send(proc, { t: 'ask', id, what, limit });
    return promise;
  }

  /** An answer came, or its time is over. */
  answered(id: number, answer: unknown): void {
    this.#open.get(id)?.(answer);
    this.#open.delete(id);
  }
}
