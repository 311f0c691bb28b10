import type { SendResult } from '../connections/connection.ts';
import type { Bounds, ChannelEngine, EngineEvents, EngineOptions, Position } from './engine.ts';
import { type ChannelMessage, encode, type MessageOf } from './format.ts';
import { Itinerary } from './itinerary.ts';
import type { MemberList } from './owners.ts';
import type { Post } from './post.ts';

/** A subscription, and the server that has it. */
type Subscription = {
  readonly bounds: Bounds | undefined;
  home: string;
  /** Where we stand in a channel without history that has just changed servers. */
  passing: Position | undefined;
};

/** A watched queue, the server that has it, and whether a job is asked for. */
type Watch = { home: string; reserved: boolean };

/**
 * The engine on our own channel servers. Every channel belongs to one of them; which one is for the `Itinerary` to know.
 * Here is what we want of them, and what they tell.
 */
export class NativeEngine implements ChannelEngine {
  readonly #events: EngineEvents;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #watches = new Map<string, Watch>();
  readonly #itinerary: Itinerary;

  constructor(list: MemberList, events: EngineEvents, options: EngineOptions) {
    this.#events = events;
    this.#itinerary = new Itinerary(list, options, {
      open: (post) => this.#renew(post),
      message: (post, message) => this.#heard(post, message),
      connected: () => events.connect(),
      disconnected: () => events.close(),
      error: (code, message) => events.error(code, message),
      follow: (all) => this.#follow(all),
      needs: (post) => this.#needs(post),
    });
  }

  connect(): void {
    this.#itinerary.connect();
  }

  close(): void {
    this.#itinerary.close();
  }

  get connected(): boolean {
    return this.#itinerary.connected;
  }

  setMembers(list: MemberList): void {
    this.#itinerary.setMembers(list);
  }

  subscribe(channel: string, bounds?: Bounds): void {
    const known = this.#subscriptions.get(channel);
    const home = known?.home ?? this.#itinerary.ownerOf(channel);
    const subscription = { bounds, home, passing: known?.passing };
    this.#subscriptions.set(channel, subscription);
    if (!known || bounds)
      this.#itinerary.postAt(home)?.line.send(this.#asking(channel, subscription));
  }

  #asking(name: string, { bounds, passing }: Subscription): MessageOf<'subscribe'> {
    const position = bounds ? this.#events.positionOf(name) : passing;
    return { kind: 'subscribe', name, bounds, position };
  }

  unsubscribe(channel: string): void {
    const known = this.#subscriptions.get(channel);
    if (!known) return;
    this.#subscriptions.delete(channel);
    this.#itinerary.postAt(known.home)?.line.send({ kind: 'unsubscribe', name: channel });
  }

  publish(channel: string, value: Buffer, bounds?: Bounds): SendResult {
    const bytes = encode({ kind: 'publish', name: channel, bounds, value });
    return this.#itinerary.dispatch({ name: channel, bytes });
  }

  enqueue(queue: string, value: Buffer): SendResult {
    return this.#itinerary.dispatch({
      name: queue,
      bytes: encode({ kind: 'enqueue', name: queue, value }),
    });
  }

  watch(queue: string): void {
    if (this.#watches.has(queue)) return;
    const home = this.#itinerary.ownerOf(queue);
    this.#watches.set(queue, { home, reserved: false });
    this.#itinerary.postAt(home)?.line.send({ kind: 'watch', name: queue });
  }

  unwatch(queue: string): void {
    const known = this.#watches.get(queue);
    if (!known) return;
    this.#watches.delete(queue);
    this.#itinerary.postAt(known.home)?.line.send({ kind: 'unwatch', name: queue });
  }

  reserve(queue: string): void {
    const watch = this.#watches.get(queue);
    if (!watch || watch.reserved) return;
    watch.reserved = true;
    this.#itinerary.postAt(watch.home)?.line.send({ kind: 'reserve', name: queue });
  }

  /** A server is there (again): it is told all we want of it. */
  #renew(post: Post): void {
    const wanted: ChannelMessage[] = [];
    for (const [channel, subscription] of this.#subscriptions)
      if (subscription.home === post.id) wanted.push(this.#asking(channel, subscription));
    for (const [name, { home, reserved }] of this.#watches) {
      if (home !== post.id) continue;
      wanted.push({ kind: 'watch', name });
      if (reserved) wanted.push({ kind: 'reserve', name });
    }
    post.tellAll(wanted);
  }

  #heard(post: Post, message: ChannelMessage): void {
    switch (message.kind) {
      case 'event':
        this.#event(post, message);
        break;
      case 'recovery':
        this.#recovery(post, message);
        break;
      case 'lost':
        this.#lost(message);
        break;
      case 'job':
        this.#job(post, message);
        break;
      case 'full':
        this.#events.refused(message.name, message.count);
        break;
      case 'moved':
        this.#moved(post, message);
        break;
      default:
        this.#events.error('PACKAGE_INVALID', `a ${message.kind} from ${post.line.address}`);
    }
  }

  #event(post: Post, { name, value, position }: MessageOf<'event'>): void {
    const subscription = this.#subscriptions.get(name);
    if (!subscription) return;
    if (subscription.bounds) {
      // The new server tells again what the old one still had under way.
      if (subscription.home === post.id) this.#events.event(name, value, position);
      return;
    }
    const { passing } = subscription;
    if (position && passing?.epoch === position.epoch && position.offset <= passing.offset) return;
    subscription.passing = position;
    this.#events.event(name, value);
  }

  #recovery(post: Post, { name, flag, count, position }: MessageOf<'recovery'>): void {
    const subscription = this.#subscriptions.get(name);
    if (subscription?.bounds && subscription.home === post.id && position)
      this.#events.recovery({ channel: name, recovered: flag, missed: count }, position);
  }

  #lost({ name, count }: MessageOf<'lost'>): void {
    const subscription = this.#subscriptions.get(name);
    if (!subscription) return;
    if (!subscription.bounds) this.#events.lost(name, count);
    else this.#itinerary.postAt(subscription.home)?.line.send(this.#asking(name, subscription));
  }

  #job(post: Post, { name, id, value }: MessageOf<'job'>): void {
    const watch = this.#watches.get(name);
    if (watch) watch.reserved = false;
    const { time } = post;
    post.jobs += 1;
    this.#events.job(name, value, () => {
      // A server that was away has given it to somebody else.
      if (post.time !== time) return;
      post.jobs -= 1;
      post.line.send({ kind: 'done', name, id });
      this.#itinerary.tidy();
    });
  }

  /** Another server has a channel or queue of ours. */
  #moved(post: Post, { flag, name, to, address, position }: MessageOf<'moved'>): void {
    const known = flag ? this.#watches.get(name) : this.#subscriptions.get(name);
    if (!known || known.home !== post.id) return;
    if (!flag && position) (known as Subscription).passing = position;
    this.#itinerary.know({ id: to, address });
    this.#settle(flag, name, to);
  }

  /** Asks a server for what we had elsewhere. */
  #settle(isQueue: boolean, name: string, to: string): void {
    const known = isQueue ? this.#watches.get(name) : this.#subscriptions.get(name);
    if (!known) return;
    known.home = to;
    const line = this.#itinerary.postAt(to)?.line;
    if (isQueue) {
      line?.send({ kind: 'watch', name });
      if ((known as Watch).reserved) line?.send({ kind: 'reserve', name });
    } else {
      line?.send(this.#asking(name, known as Subscription));
    }
    this.#itinerary.tidy();
  }

  /**
   * The list has changed. A server that gives a channel away tells us where to; we follow on our own if it cannot.
   *
   * @param all also away from servers that we are connected to: they had their time
   */
  #follow(all: boolean): boolean {
    let waits = false;
    for (const [isQueue, names] of [
      [false, this.#subscriptions],
      [true, this.#watches],
    ] as const) {
      for (const [name, { home }] of names) {
        const owner = this.#itinerary.ownerOf(name);
        if (owner === home) continue;
        const old = this.#itinerary.known(home)?.line;
        if (old?.isOpen && !all) {
          waits = true;
          continue;
        }
        old?.send({ kind: isQueue ? 'unwatch' : 'unsubscribe', name });
        this.#settle(isQueue, name, owner);
      }
    }
    return waits;
  }

  #needs({ id }: Post): boolean {
    for (const { home } of this.#subscriptions.values()) if (home === id) return true;
    for (const { home } of this.#watches.values()) if (home === id) return true;
    return false;
  }
}
