/** When an event is new, when it is one more of the same, and when there are too many. Pure: it is told the time. */

/** What to do about an event. */
export type Folded =
  | { readonly is: 'create'; readonly id: number }
  /** One more of the same: `count` altogether, under the id of the first. */
  | { readonly is: 'count'; readonly id: number; readonly count: number }
  | { readonly is: 'drop' };

/** The same again within this time is counted, not written anew. */
const SAME_MS = 300_000;
/** Events of one object at once, and how long it takes until it may have one more. */
const BURST = 25;
const REFILL_MS = 10_000;
/** Series and objects remembered; the oldest are forgotten first. */
const REMEMBERED = 4096;

type Series = { readonly id: number; count: number; lastAt: number };
type Bucket = { tokens: number; at: number };

export class Folding {
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, Bucket>();
  #id = 0;

  /**
   * @param object whose events are limited together
   * @param what what makes two events the same, the object included
   */
  fold(object: string, what: string, now: number): Folded {
    const known = this.#series.get(what);
    const series =
      known && now - known.lastAt < SAME_MS ? known : { id: ++this.#id, count: 0, lastAt: now };
    series.count += 1;
    series.lastAt = now;
    const isWritten = this.#take(object, now);
    // What was dropped as the first of its series has nothing that the next could be counted on.
    if (!isWritten && series.count === 1) return { is: 'drop' };
    remember(this.#series, what, series);
    if (!isWritten) return { is: 'drop' };
    const { id, count } = series;
    return count === 1 ? { is: 'create', id } : { is: 'count', id, count };
  }

  /** The event of this series is not there any more: the next one is new. */
  forget(what: string): void {
    this.#series.delete(what);
  }

  #take(object: string, now: number): boolean {
    const { tokens, at } = this.#buckets.get(object) ?? { tokens: BURST, at: now };
    const full = Math.min(BURST, tokens + (now - at) / REFILL_MS);
    const isThere = full >= 1;
    remember(this.#buckets, object, { tokens: isThere ? full - 1 : full, at: now });
    return isThere;
  }
}

/** As the youngest. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED && oldest !== undefined) map.delete(oldest);
}
