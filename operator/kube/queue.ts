import { Agenda } from './agenda.ts';

/** Longest time that a timer of Node takes. */
const TIMER_MAX_MS = 2_147_483_647;

export type QueueOptions = {
  /** Keys in work at the same time. */
  readonly workers: number;
  /** Brings a key in order. If it rejects, the key is tried again after a pause: 0.2 s, doubling, up to 60 s. */
  readonly work: (key: string) => Promise<void>;
  /** After each piece of work; for logs and metrics. */
  readonly onDone?: ((key: string, seconds: number, error: unknown) => void) | undefined;
};

/** Keys that want to be worked on, each at most once at a time and never forgotten. See `Agenda` for the order. */
export class Queue {
  /** Pieces of work that are over, the failed ones included. */
  processed = 0;
  failed = 0;
  readonly #options: QueueOptions;
  readonly #agenda = new Agenda();
  #timer: NodeJS.Timeout | undefined = undefined;
  #stopped: PromiseWithResolvers<void> | undefined = undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Keys that could be worked on now, if there were workers. */
  get depth(): number {
    return this.#agenda.due(performance.now());
  }

  /** Keys that wait, those for a later time included. */
  get waiting(): number {
    return this.#agenda.waiting;
  }

  /** Keys in work. */
  get working(): number {
    return this.#agenda.working;
  }

  /** As soon as there is a worker; for a key in work: once more after that. */
  add(key: string): void {
    this.addAfter(key, 0);
  }

  /** In `ms` milliseconds; of several times the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    this.#agenda.add(key, performance.now() + ms);
    this.#look();
  }

  /** Begins nothing any more; resolves when what is in work is over. */
  stop(): Promise<void> {
    this.#stopped ??= Promise.withResolvers<void>();
    clearTimeout(this.#timer);
    if (this.working === 0) this.#stopped.resolve();
    return this.#stopped.promise;
  }

  /** Begins what can be begun, and sets the timer for what cannot yet. */
  #look(): void {
    clearTimeout(this.#timer);
    while (this.working < this.#options.workers) {
      const key = this.#agenda.next(performance.now());
      if (key === undefined) break;
      void this.#do(key);
    }
    const at = this.#agenda.nextAt();
    if (at === undefined || this.working >= this.#options.workers) return;
    // A timer may fire a little early, hence the rounding; too early a look would only set it again.
    const ms = Math.min(TIMER_MAX_MS, Math.ceil(at - performance.now()));
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  async #do(key: string): Promise<void> {
    const startedAt = performance.now();
    let failure: unknown;
    try {
      // Never at once: whoever adds a key goes on first.
      await undefined;
      await this.#options.work(key);
      this.#agenda.done(key);
    } catch (error) {
      failure = error ?? new Error('failed');
      this.failed += 1;
      this.#agenda.failed(key, performance.now(), Math.random());
    }
    this.processed += 1;
    this.#options.onDone?.(key, (performance.now() - startedAt) / 1000, failure);
    if (!this.#stopped) this.#look();
    else if (this.working === 0) this.#stopped.resolve();
  }
}
