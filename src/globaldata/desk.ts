import { messageOf } from '../errors.ts';
import { log } from '../log.ts';
import { monotonicMs } from '../monotonic.ts';
import type { Journal } from './journal.ts';
import { type Answer, isReading, type Operation } from './operations.ts';
import { type DataRecord, encodeRecord } from './records.ts';
import type { Change, Entry, Outcome, Store } from './store.ts';

type Job = {
  readonly operation: Operation;
  readonly outcome: Outcome;
  readonly reply: (answer: Answer) => void;
};

/**
 * Carries operations out, one after the other, and answers when what they changed is kept. What the disk did not take is
 * taken back, and nobody has seen it: also a reading waits for the changes before it.
 */
export class Desk {
  readonly #store: Store;
  readonly #journal: Journal | undefined;
  /** Done in memory, not in the file. */
  #waiting: Job[] = [];
  #writing: readonly Job[] = [];
  #flushed: Promise<void> = Promise.resolve();
  #failing = false;

  constructor(store: Store, journal: Journal | undefined) {
    this.#store = store;
    this.#journal = journal;
  }

  /**
   * Does it now, and answers; answers come in the order of the calls.
   *
   * @returns the answer, if it has to wait; it may still become another one
   */
  run(operation: Operation, reply: (answer: Answer) => void): Answer | undefined {
    const outcome = this.#store.apply(operation, monotonicMs());
    const mustWait = this.#waiting.length > 0 || this.#writing.length > 0;
    if (!this.#journal || !(mustWait || outcome.change)) {
      reply(outcome.answer);
      return undefined;
    }
    this.#waiting.push({ operation, outcome, reply });
    // All that comes in one turn of the loop goes into one write.
    if (!mustWait) setImmediate(() => this.#begin());
    return outcome.answer;
  }

  #begin(): void {
    this.#flushed = this.#flush();
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#writing = this.#waiting;
      this.#waiting = [];
      const [now, date] = [monotonicMs(), Date.now()];
      const records = this.#writing.flatMap(({ outcome }) =>
        outcome.change ? [encodeRecord(recordOf(outcome.change, now, date))] : [],
      );
      try {
        if (records.length > 0) await this.#journal?.append(records);
        this.#failing = false;
        const done = this.#writing;
        this.#writing = [];
        for (const { outcome, reply } of done) reply(outcome.answer);
        this.tidy();
      } catch (error) {
        this.#takeBack(messageOf(error));
      }
    }
  }

  /** Nothing since the last good write has happened. */
  #takeBack(why: string): void {
    if (!this.#failing)
      log.error(`global data: ${this.#journal?.path}: ${why}; changes are refused`);
    this.#failing = true;
    const jobs = [...this.#writing, ...this.#waiting];
    this.#writing = [];
    this.#waiting = [];
    for (const { outcome } of jobs.toReversed())
      if (outcome.change) this.#store.undo(outcome.change);
    const refusal: Answer = { kind: 'refusal', reason: `not stored: ${why}` };
    for (const { operation, reply } of jobs) {
      const reads = isReading(operation);
      reply(reads ? this.#store.apply(operation, monotonicMs()).answer : refusal);
    }
  }

  /** Settles when all that was run is answered. */
  async idle(): Promise<void> {
    while (this.#waiting.length > 0 || this.#writing.length > 0) {
      await new Promise((next) => setImmediate(next));
      await this.#flushed;
    }
  }

  /** Writes the file anew if it has grown; for the timer. */
  tidy(): void {
    const journal = this.#journal;
    if (!journal?.isLarge || this.#writing.length > 0) return;
    const [now, date] = [monotonicMs(), Date.now()];
    // What still waits is among them too: it comes again behind them.
    const records = [...this.#store.entries(now)].map(([key, entry]) =>
      recordOf({ key, now: entry }, now, date),
    );
    journal.compact(records).catch((error) => {
      log.warn(`global data: ${journal.path} is not written anew: ${messageOf(error)}`);
    });
  }
}

/**
 * A change as the file has it.
 *
 * @param now on the clock of the store
 * @param date Unix time of the same moment
 */
export function recordOf(
  change: Pick<Change, 'key' | 'now'>,
  now: number,
  date: number,
): DataRecord {
  const { key, now: entry } = change;
  if (!entry) return { key, until: 0 };
  const until = entry.until === Number.POSITIVE_INFINITY ? 0 : date + (entry.until - now);
  return { key, value: entry.value, until };
}

/** What the file has as an entry of the store; `undefined`: it has ended, or was deleted. */
export function entryOf(record: DataRecord, now: number, date: number): Entry | undefined {
  const { value, until } = record;
  if (!value || (until !== 0 && until <= date)) return undefined;
  return { value, until: until === 0 ? Number.POSITIVE_INFINITY : now + (until - date) };
}
