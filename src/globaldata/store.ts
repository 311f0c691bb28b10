import { matcher } from '../inner/pattern.ts';
import {
  type Answer,
  NAMES_MAX,
  type Operation,
  tooManyNames,
  type Writing,
} from './operations.ts';
import { wholeOf } from './value.ts';

/** A stored value and until when it lives, on the clock of `now`; `Infinity`: for ever. */
export type Entry = { readonly value: Buffer; readonly until: number };

/** What an operation has changed. */
export type Change = {
  readonly key: string;
  readonly before: Entry | undefined;
  readonly now: Entry | undefined;
};

export type Outcome = { readonly answer: Answer; readonly change?: Change };

/** What an entry costs beside its key and value, in bytes: about what Node needs for it. */
const ENTRY_BYTES = 150;

const yes = (flag: boolean): Answer => ({ kind: 'yes', flag });
const refusal = (reason: string): Outcome => ({ answer: { kind: 'refusal', reason } });

/**
 * The data of one server, in memory: keys, values, and when they end. Pure: the time comes with each call, in
 * milliseconds of a clock that never jumps.
 */
export class Store {
  readonly #entries = new Map<string, Entry>();
  readonly #maxBytes: number;
  /** Keys by the second in which they end. */
  readonly #ends = new Map<number, Set<string>>();
  #swept = 0;
  /** Of all entries, see `ENTRY_BYTES`. */
  bytes = 0;

  /** @param maxBytes of all entries together; what would go beyond is refused */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Entries, those included that have ended and were not swept yet. */
  get size(): number {
    return this.#entries.size;
  }

  /** Does it. A change can be taken back with `undo`, the last one first. */
  apply(operation: Operation, now: number): Outcome {
    switch (operation.kind) {
      case 'get':
        return { answer: { kind: 'value', value: this.#at(operation.key, now)?.value } };
      case 'has':
        return { answer: yes(this.#at(operation.key, now) !== undefined) };
      case 'keys':
        return this.#keys(operation.pattern, now);
      default:
        return this.#write(operation, now);
    }
  }

  #write(operation: Writing, now: number): Outcome {
    const { key } = operation;
    const before = this.#at(key, now);
    switch (operation.kind) {
      case 'set':
        return this.#put(key, before, { value: operation.value, until: end(operation.ms, now) });
      case 'add':
        if (before) return { answer: yes(false) };
        return this.#put(key, before, { value: operation.value, until: end(operation.ms, now) });
      case 'cas':
        if (!same(before?.value, operation.expected)) return { answer: yes(false) };
        return this.#put(key, before, {
          value: operation.value,
          until: before?.until ?? end(undefined, now),
        });
      case 'increment':
        return this.#increment(key, before, operation.step);
      case 'expire':
        if (!before) return { answer: yes(false) };
        return this.#put(key, before, { value: before.value, until: end(operation.ms, now) });
      case 'delete':
        if (!before) return { answer: yes(false) };
        return this.#changed({ key, before, now: undefined }, yes(true));
    }
  }

  #increment(key: string, before: Entry | undefined, step: number): Outcome {
    const old = before ? wholeOf(before.value) : 0;
    if (old === undefined) return refusal(`"${key}" is no whole number that can be counted up`);
    const number = old + step;
    if (!Number.isInteger(step)) return refusal(`the step is ${step}, expected a whole number`);
    if (!Number.isSafeInteger(number))
      return refusal(`"${key}" would become ${number}, beyond 2^53`);
    const entry = {
      value: Buffer.from(String(number)),
      until: before?.until ?? Number.POSITIVE_INFINITY,
    };
    const outcome = this.#put(key, before, entry);
    return outcome.change ? { ...outcome, answer: { kind: 'number', number } } : outcome;
  }

  #put(key: string, before: Entry | undefined, now: Entry): Outcome {
    const more = cost(key, now) - cost(key, before);
    if (more > 0 && this.bytes + more > this.#maxBytes)
      return refusal(
        `full: ${this.bytes + more} bytes of ${this.#maxBytes}; delete, or give the server more`,
      );
    return this.#changed({ key, before, now }, yes(true));
  }

  #changed(change: Change, answer: Answer): Outcome {
    this.#place(change.key, change.now);
    return { answer, change };
  }

  /** Takes a change back. */
  undo({ key, before }: Change): void {
    this.#place(key, before);
  }

  /** Puts an entry where it was or comes from a file, whatever the bound. */
  #place(key: string, entry: Entry | undefined): void {
    const old = this.#entries.get(key);
    if (old) this.#take(key, old);
    // What was to be swept already would stay for ever.
    if (!entry || second(entry.until) <= this.#swept) return;
    this.bytes += cost(key, entry);
    this.#entries.set(key, entry);
    if (entry.until === Number.POSITIVE_INFINITY) return;
    const slot = second(entry.until);
    const ending = this.#ends.get(slot) ?? new Set();
    this.#ends.set(slot, ending.add(key));
  }

  #take(key: string, entry: Entry): void {
    this.bytes -= cost(key, entry);
    this.#entries.delete(key);
    const slot = second(entry.until);
    const ending = this.#ends.get(slot);
    ending?.delete(key);
    if (ending?.size === 0) this.#ends.delete(slot);
  }

  /** An entry that was kept over a restart. */
  load(key: string, entry: Entry | undefined): void {
    this.#place(key, entry);
  }

  #at(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.until > now ? entry : undefined;
  }

  #keys(pattern: string, now: number): Outcome {
    const fits = matcher(pattern);
    const names: string[] = [];
    let bytes = 0;
    for (const [key, { until }] of this.#entries) {
      if (until <= now || !fits(key)) continue;
      names.push(key);
      bytes += Buffer.byteLength(key) + 1;
      if (bytes > NAMES_MAX) return { answer: tooManyNames(pattern) };
    }
    return { answer: { kind: 'names', names: names.sort() } };
  }

  /** Forgets what has ended. Call it about once a second. */
  sweep(now: number): void {
    const last = second(now) - 1;
    // After a long sleep most seconds have nothing.
    const slots =
      last - this.#swept > this.#ends.size ? [...this.#ends.keys()] : range(this.#swept, last);
    for (const slot of slots) {
      if (slot > last) continue;
      for (const key of this.#ends.get(slot) ?? []) this.#place(key, undefined);
      this.#ends.delete(slot);
    }
    this.#swept = last;
  }

  /** All entries that live. */
  *entries(now: number): Generator<[string, Entry]> {
    for (const [key, entry] of this.#entries) if (entry.until > now) yield [key, entry];
  }
}

const end = (ms: number | undefined, now: number): number =>
  ms === undefined ? Number.POSITIVE_INFINITY : now + ms;

const second = (ms: number): number => Math.floor(ms / 1000);

const cost = (key: string, entry: Entry | undefined): number =>
  entry ? ENTRY_BYTES + key.length + entry.value.length : 0;

function same(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}
