import { randomBytes } from 'node:crypto';
import { monotonicMs } from '../monotonic.ts';
import type { Position } from './engine.ts';
import { encode, type MessageOf } from './format.ts';
import { History, type Transfer } from './history.ts';
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

/** All that a server knows of a name when it gives it away. */
export type ChannelGoods = { readonly log: Transfer | undefined; readonly clients: Session[] };
export type QueueGoods = { readonly jobs: Buffer[]; readonly clients: Session[] };

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
  hasChannel(channel: string): boolean {
    return this.#history.has(channel, monotonicMs()) || this.#routes.has(channel);
  }

  hasQueue(queue: string): boolean {
    return this.#queues.has(queue);
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

  /** Takes a channel out of here, with its log and its subscribers, who have got all events up to now. */
  takeChannel(channel: string): ChannelGoods {
    const subscribers = [...this.#routes.of(channel)];
    for (const each of subscribers) this.#routes.remove(channel, each);
    const passing = subscribers.length > 0 ? PASSING_MS : 0;
    return { log: this.#history.take(channel, monotonicMs(), passing), clients: subscribers };
  }

  takeQueue(queue: string): QueueGoods {
    const clients = [...this.#queues.watchers(queue)];
    return { jobs: this.#queues.take(queue), clients };
  }

  /** Puts in what another server had. */
  putChannel(channel: string, log: Transfer): void {
    this.#history.put(channel, log, monotonicMs());
  }

  putQueue(queue: string, jobs: readonly Buffer[]): void {
    this.#deliver(this.#queues.put(queue, jobs));
  }

  positionOf(channel: string): Position | undefined {
    return this.#history.positionOf(channel);
  }
}

function stats(): NonNullable<typeof channelStats.current> {
  channelStats.current ??= zeroChannelStats();
  return channelStats.current;
}
