import { backOffMs } from './back-off.ts';

const BACK_OFF = { firstMs: 200, mostMs: 60_000 };

/** Since when something waits is what orders it; what came earlier goes first. */
type Waiting = { at: number; readonly order: number };

/**
 * Which key is worked on next, and when. Pure: it is told the time.
 *
 * A key is in work once at most, and waits once at most: the earliest time counts. After a failure it waits by itself,
 * longer each time. A change may cut that short, but not below the first wait, so that work that changes what it fails
 * on does not run in circles.
 */
export class Agenda {
  readonly #waiting = new Map<string, Waiting>();
  readonly #working = new Set<string>();
  readonly #failures = new Map<string, number>();
  /** Not earlier than this, after a failure. */
  readonly #notBefore = new Map<string, number>();
  #order = 0;

  /** Keys in work. */
  get working(): number {
    return this.#working.size;
  }

  /** Keys whose time has come and that are not in work. */
  due(now: number): number {
    return [...this.#waiting].filter(([key, { at }]) => at <= now && !this.#working.has(key))
      .length;
  }

  /** Keys that wait, those for a later time included. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** @param at milliseconds, on the same clock as all the others */
  add(key: string, at: number): void {
    const time = Math.max(at, this.#notBefore.get(key) ?? at);
    const known = this.#waiting.get(key);
    if (known) known.at = Math.min(known.at, time);
    else this.#waiting.set(key, { at: time, order: this.#order++ });
  }

  /** The key to work on now, which is in work from then on; `undefined` if there is none. */
  next(now: number): string | undefined {
    const key = this.#first();
    const waiting = key === undefined ? undefined : this.#waiting.get(key);
    if (key === undefined || !waiting || waiting.at > now) return undefined;
    this.#waiting.delete(key);
    this.#notBefore.delete(key);
    this.#working.add(key);
    return key;
  }

  /** When `next` has something at the earliest; `undefined` if nothing waits. */
  nextAt(): number | undefined {
    const key = this.#first();
    return key === undefined ? undefined : this.#waiting.get(key)?.at;
  }

  /** Done, and well. */
  done(key: string): void {
    this.#working.delete(key);
    this.#failures.delete(key);
  }

  /** @param random 0 to 1 */
  failed(key: string, now: number, random: number): void {
    this.#working.delete(key);
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const soonest = now + backOffMs(1, random, BACK_OFF);
    this.#notBefore.set(key, soonest);
    const added = this.#waiting.get(key);
    if (added) added.at = Math.max(added.at, soonest);
    this.add(key, now + backOffMs(failures, random, BACK_OFF));
  }

  #first(): string | undefined {
    let first: [string, Waiting] | undefined;
    for (const each of this.#waiting) {
      if (!this.#working.has(each[0]) && (!first || isSooner(each[1], first[1]))) first = each;
    }
    return first?.[0];
  }
}

function isSooner(a: Waiting, b: Waiting): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
