/**
 * Who wants which channel. Pure; `C` is whatever stands for a subscriber.
 *
 * Invariants: no channel without a subscriber, no subscriber without a channel; `subscriptions` is the number of pairs.
 * A subscriber's end costs only its own channels.
 */
export class Routes<C> {
  readonly #subscribers = new Map<string, Set<C>>();
  readonly #channels = new Map<C, Set<string>>();
  subscriptions = 0;

  /** Channels that have a subscriber. */
  get size(): number {
    return this.#subscribers.size;
  }

  /** Channels that have a subscriber. */
  names(): Iterable<string> {
    return this.#subscribers.keys();
  }

  /** Whether a channel has a subscriber. */
  has(channel: string): boolean {
    return this.#subscribers.has(channel);
  }

  /** How many channels a subscriber has. */
  countOf(subscriber: C): number {
    return this.#channels.get(subscriber)?.size ?? 0;
  }

  /** Idempotent. */
  add(channel: string, subscriber: C): void {
    const subscribers = this.#subscribers.get(channel) ?? new Set();
    if (subscribers.has(subscriber)) return;
    this.#subscribers.set(channel, subscribers.add(subscriber));
    this.#channels.set(subscriber, (this.#channels.get(subscriber) ?? new Set()).add(channel));
    this.subscriptions += 1;
  }

  /** Idempotent. */
  remove(channel: string, subscriber: C): void {
    const subscribers = this.#subscribers.get(channel);
    if (!subscribers?.delete(subscriber)) return;
    this.subscriptions -= 1;
    if (subscribers.size === 0) this.#subscribers.delete(channel);
    const channels = this.#channels.get(subscriber);
    channels?.delete(channel);
    if (channels?.size === 0) this.#channels.delete(subscriber);
  }

  /** A subscriber is gone. */
  drop(subscriber: C): void {
    for (const channel of this.#channels.get(subscriber) ?? []) this.remove(channel, subscriber);
  }

  /** Those who get what is published on a channel now. */
  of(channel: string): Iterable<C> {
    return this.#subscribers.get(channel) ?? [];
  }
}
