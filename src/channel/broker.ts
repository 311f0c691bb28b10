import { randomBytes } from 'node:crypto';
import { monotonicMs } from '../monotonic.ts';
import type { Position } from './engine.ts';
import { encode, type MessageOf } from './format.ts';
import { History, type Transfer } from './history.ts';
import type { What } from './moves.ts';
import { type Delivery, Queues } from './queue.ts';
import { Routes } from './routes.ts';
import type { Session } from './session.ts';
import { channelStats, zeroChannelStats } from './stats.ts';

/** Channels and queues that one client may subscribe to and watch. */
const NAMES_MAX = 100_000;
/** How often old events are looked for. */
const SWEEP_MS = 5000;
/** A channel without history keeps its events this long after it has changed servers, for those who follow it. */
const PASSING_MS = 10_000;

export type BrokerBounds = {
  readonly historyBytes: number;
  readonly queueJobs: number;
  readonly queueBytes: number;
};

/** All that a server has of a name when it gives it away. */
export type Goods = {
  /** Of a channel that is kept, or has subscribers. */
  readonly log: Transfer | undefined;
  /** Of a queue. */
  readonly jobs: readonly Buffer[];
  readonly clients: readonly Session[];
};

/** Subscriptions, histories and queues of one server: what it does about channels that are its own. */
export class Broker {
  readonly #routes = new Routes<Session>();
  readonly #history: History;
  readonly #queues: Queues<Session>;
  readonly #sweeper: NodeJS.Timeout;

  constructor({ historyBytes, queueJobs, queueBytes }: BrokerBounds) {
    this.#history = new History(historyBytes, () => randomBytes(8).toString('hex'));
    this.#queues = new Queues({ maxJobs: queueJobs, maxBytes: queueBytes });
    this.#sweeper = setInterval(() => this.#history.sweep(monotonicMs()), SWEEP_MS).unref();
  }

  close(): void {
    clearInterval(this.#sweeper);
  }

  /** How things stand, into the statistics. */
  count(): void {
    Object.assign(stats(), {
      channels: this.#routes.size,
      subscriptions: this.#routes.subscriptions,
      historyChannels: this.#history.size,
      historyEntries: this.#history.entries,
      historyBytes: this.#history.bytes,
      jobs: this.#queues.jobs,
    });
  }

  /** Whether there is anything of this name here. */
  has({ isQueue, name }: What): boolean {
    if (isQueue) return this.#queues.has(name);
    return this.#routes.has(name) || this.#history.has(name, monotonicMs());
  }

  publish({ name, bounds, value }: MessageOf<'publish'>): void {
    const counts = stats();
    counts.published += 1;
    const eventAt = (position?: Position) => encode({ kind: 'event', name, position, value });
    const event = this.#history.append(name, bounds, monotonicMs(), eventAt);
    this.#fanOut(name, event ?? eventAt(), event !== undefined);
  }

  #fanOut(name: string, bytes: Buffer, kept: boolean): void {
    const counts = stats();
    for (const subscriber of this.#routes.of(name)) {
      if (subscriber.deliver(name, bytes)) {
        counts.delivered += 1;
        continue;
      }
      counts.dropped += 1;
      // With a gap it gets nothing more until it comes back with its position and has the gap filled.
      if (!kept) continue;
      this.#routes.remove(name, subscriber);
      this.count();
    }
  }

  /** A long answer may follow: not for a session that is full. */
  subscribe(session: Session, message: MessageOf<'subscribe'>): void {
    if (this.#routes.countOf(session) >= NAMES_MAX) session.connection.close();
    if (session.connection.status !== 'established') return;
    if (message.bounds || message.position) this.#recover(session, message);
    this.#routes.add(message.name, session);
  }

  #recover(session: Session, { name, bounds, position }: MessageOf<'subscribe'>): void {
    const since = this.#history.since(name, position, bounds, monotonicMs());
    const { recovered, missed } = since ?? { recovered: false, missed: [] };
    if (position) stats()[recovered ? 'recovered' : 'unrecovered'] += 1;
    // Without a history there is nothing that a position could mean.
    const where = since?.position ?? { offset: 0, epoch: '' };
    const count = missed.length;
    session.tell({ kind: 'recovery', name, flag: recovered, count, position: where });
    if (count > 0) session.tellBytes(Buffer.concat(missed.map(({ event }) => event)));
  }

  unsubscribe(session: Session, name: string): void {
    this.#routes.remove(name, session);
  }

  /** @param session who is told when the queue is full; with several forwards in between nobody is */
  enqueue(session: Session | undefined, { name, value }: { name: string; value: Buffer }): void {
    const deliveries = this.#queues.enqueue(name, value);
    if (deliveries) {
      stats().enqueued += 1;
      this.#deliver(deliveries);
      return;
    }
    stats().refused += 1;
    session?.tell({ kind: 'full', name, count: 1 });
  }

  giveBack({ name, value }: { name: string; value: Buffer }): void {
    this.#deliver(this.#queues.giveBack(name, value));
  }

  watch(session: Session, name: string): void {
    if (this.#queues.countOf(session) < NAMES_MAX) this.#queues.watch(name, session);
    else session.connection.close();
  }

  unwatch(session: Session, name: string): void {
    this.#queues.unwatch(name, session);
  }

  reserve(session: Session, name: string): void {
    this.#deliver(this.#queues.reserve(name, session));
  }

  done(session: Session, { name, id }: MessageOf<'done'>): void {
    this.#queues.done(name, id, session);
  }

  #deliver(deliveries: readonly Delivery<Session>[]): void {
    for (const { consumer, queue, id, value } of deliveries)
      consumer.tell({ kind: 'job', name: queue, id, value });
  }

  /**
   * A client has gone.
   *
   * @returns jobs that it had under way, of queues that another server has by now
   */
  drop(session: Session): MessageOf<'giveBack'>[] {
    this.#routes.drop(session);
    const { deliveries, homeless } = this.#queues.drop(session);
    this.#deliver(deliveries);
    return homeless.map(({ queue, value }) => ({ kind: 'giveBack', name: queue, value }));
  }

  /** Every channel and queue that is here. */
  *all(): Iterable<What> {
    for (const name of this.#history.names()) yield { isQueue: false, name };
    const now = monotonicMs();
    for (const name of this.#routes.names())
      if (!this.#history.has(name, now)) yield { isQueue: false, name };
    for (const name of this.#queues.names()) yield { isQueue: true, name };
  }

  /** Takes something out of here; clients have got all events up to now. */
  take({ isQueue, name }: What): Goods {
    stats().moved += 1;
    if (isQueue) {
      const clients = [...this.#queues.watchers(name)];
      return { log: undefined, jobs: this.#queues.take(name), clients };
    }
    const clients = [...this.#routes.of(name)];
    for (const each of clients) this.#routes.remove(name, each);
    const log = this.#history.take(name, monotonicMs(), clients.length > 0 ? PASSING_MS : 0);
    return { log, jobs: [], clients };
  }

  /** Puts in what another server had. */
  put({ isQueue, name }: What, { log, jobs }: Pick<Goods, 'log' | 'jobs'>): void {
    if (isQueue) this.#deliver(this.#queues.put(name, jobs));
    else if (log && this.#isNews(name, log)) this.#history.put(name, log, monotonicMs());
  }

  /** A log that is here already stays, unless the other one is the same and longer. */
  #isNews(channel: string, { position }: Transfer): boolean {
    const here = this.#history.positionOf(channel);
    return !here || (here.epoch === position.epoch && here.offset < position.offset);
  }

  /** Puts back what nobody has taken. */
  putBack(what: What, goods: Goods): void {
    stats().moved -= 1;
    this.put(what, goods);
    const { isQueue, name } = what;
    for (const client of goods.clients) {
      if (client.connection.status !== 'established') continue;
      if (isQueue) this.#queues.watch(name, client);
      else this.#routes.add(name, client);
    }
  }
}

function stats(): NonNullable<typeof channelStats.current> {
  channelStats.current ??= zeroChannelStats();
  return channelStats.current;
}
