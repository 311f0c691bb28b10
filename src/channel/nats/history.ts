import type { ConsumerConfig, JetStreamManager } from '@nats-io/jetstream';
import {
  createInbox,
  type Msg,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import { messageOf } from '../../errors.ts';
import { reconnectMs } from '../../reconnect.ts';
import type { Bounds, EngineEvents, Position } from '../engine.ts';
import { isComplete, isEndangered, isOf, type StreamFacts } from './decisions.ts';
import type { NatsLink } from './link.ts';
import type { Slots } from './slots.ts';
import { factsOf, type Streams } from './streams.ts';
import { type Delivery, deliveryOf } from './subjects.ts';

const NANOS_PER_MS = 1_000_000;
/** A consumer without news says so as often. */
const HEARTBEAT_MS = 2_000;
/** One that is silent as long is given up. */
const SILENCE_MS = 5_000;
/** A consumer whose client is gone is removed after that. */
const FORGOTTEN_MS = 30_000;
/** Longest pause before it is tried again to begin; elections are over in a few seconds. */
const MOST_PAUSE_MS = 1_000;
/** Status of a heartbeat or a flow control request, instead of a message. */
const CONTROL = 100;

/** What a channel's history needs of the engine. */
export type HistoryHost = {
  readonly link: NatsLink;
  readonly streams: Streams | undefined;
  readonly events: EngineEvents;
  /** Subscriptions that are begun at the same time. */
  readonly slots: Slots;
};

/** The consumer that is there now. */
type Live = {
  readonly stream: string;
  readonly name: string;
  readonly facts: StreamFacts;
  readonly inbox: Subscription | undefined;
};

/** Where a new consumer begins, and what is to be told before. */
type Beginning = {
  readonly position: Position;
  readonly recovered: boolean;
  readonly missed: number;
};

/**
 * A subscription to one channel with history: a consumer of the channel's stream that lives in one server's memory. It is
 * made anew whenever there is a doubt whether it has sent everything: a number left out, silence, another connection, a
 * subscriber too far behind. Each time it is found out whether something is missing, and told.
 */
export class History {
  readonly #host: HistoryHost;
  readonly #channel: string;
  readonly #subject: string;
  readonly bounds: Bounds;
  #position: Position | undefined;
  /** When it was last certain that nothing was behind the position. */
  #caughtUp = Number.NEGATIVE_INFINITY;
  #lastSign = Number.POSITIVE_INFINITY;
  #delivered = 0;
  #live: Live | undefined = undefined;
  /** Counts the attempts: what belongs to another one is ignored. */
  #run = 0;
  #started = Promise.withResolvers<void>();

  constructor(
    host: HistoryHost,
    channel: string,
    subject: string,
    bounds: Bounds,
    position?: Position,
  ) {
    this.#host = host;
    this.#channel = channel;
    this.#subject = subject;
    this.bounds = bounds;
    this.#position = position;
  }

  /** Settles when it has begun: what is published from then on arrives. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Begins, or begins again at the position of the last event that was passed on. */
  renew(): void {
    this.#drop();
    this.#lastSign = Number.POSITIVE_INFINITY;
    const run = this.#run;
    void this.#begin(run);
  }

  /** Ends it for good. */
  stop(): void {
    this.#drop();
    this.#started.resolve();
  }

  /** Called now and then: a consumer may have gone with its server. */
  look(now: number): void {
    if (now - this.#lastSign > SILENCE_MS) this.renew();
  }

  #drop(): void {
    this.#run += 1;
    const live = this.#live;
    this.#live = undefined;
    if (!live) return;
    live.inbox?.unsubscribe();
    void this.#remove(live.stream, live.name);
  }

  async #remove(stream: string, name: string): Promise<void> {
    const manager = await this.#host.streams?.manager();
    // It goes by itself if this fails.
    await manager?.consumers.delete(stream, name).catch(() => {});
  }

  async #begin(run: number): Promise<void> {
    for (let attempt = 0; run === this.#run; attempt += 1) {
      try {
        const connection = await this.#host.link.up();
        if (run !== this.#run) return;
        if (await this.#host.slots.run(() => this.#open(connection, run))) return;
      } catch (error) {
        if (run !== this.#run) return;
        this.#host.streams?.forget();
        if (attempt > 1 && this.#host.link.connection)
          this.#host.events.error('NATS_FAILED', `${this.#channel}: ${messageOf(error)}`);
      }
      const ms = Math.min(MOST_PAUSE_MS, reconnectMs(attempt, Math.random()));
      await this.#host.link.pause(ms).catch(() => {});
    }
  }

  /** One attempt. @returns whether it was the right one */
  async #open(connection: NatsConnection, run: number): Promise<boolean> {
    const { streams } = this.#host;
    if (!streams || run !== this.#run) return false;
    const [manager, stream] = [await streams.manager(), await streams.history(this.bounds)];
    const facts = factsOf(await manager.streams.info(stream));
    const asked = this.#host.events.positionOf(this.#channel) ?? this.#position;
    const inbox = createInbox();
    const known = asked !== undefined && isOf(facts, asked);
    const first = await this.#consumer(manager, stream, inbox, known ? asked.offset : facts.last);
    const later = factsOf(await manager.streams.info(stream));
    if (later.epoch !== facts.epoch) return false;
    let beginning: Beginning = { position: first.position(facts), recovered: !asked, missed: 0 };
    let { name } = first;
    if (known) {
      const sinceMs = performance.now() - this.#caughtUp;
      const absence = { position: asked, missed: first.missed, sinceMs };
      if (isComplete(later, this.bounds, absence)) {
        beginning = { position: asked, recovered: true, missed: first.missed };
      } else {
        // All or nothing: from here on.
        const next = await this.#consumer(manager, stream, inbox, later.last);
        void this.#remove(stream, first.name);
        name = next.name;
        beginning = { position: next.position(later), recovered: false, missed: 0 };
      }
    }
    if (run !== this.#run) {
      void this.#remove(stream, name);
      return true;
    }
    this.#follow(connection, { stream, name, facts: later }, inbox, beginning);
    return true;
  }

  async #consumer(manager: JetStreamManager, stream: string, inbox: string, after: number) {
    const config: Partial<ConsumerConfig> = {
      name: `longshore-${inbox.replaceAll('.', '-')}-${after}`,
      deliver_subject: inbox,
      filter_subject: this.#subject,
      deliver_policy: 'by_start_sequence',
      opt_start_seq: after + 1,
      ack_policy: 'none',
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      flow_control: true,
      idle_heartbeat: HEARTBEAT_MS * NANOS_PER_MS,
      inactive_threshold: FORGOTTEN_MS * NANOS_PER_MS,
    };
    const { name, num_pending, delivered } = await manager.consumers.add(stream, config);
    return {
      name,
      missed: num_pending + delivered.consumer_seq,
      position: ({ epoch }: StreamFacts): Position => ({ offset: after, epoch }),
    };
  }

  /** Tells how it stands, then listens: a consumer sends nothing before somebody listens. */
  #follow(
    connection: NatsConnection,
    consumer: Omit<Live, 'inbox'>,
    inbox: string,
    { position, recovered, missed }: Beginning,
  ): void {
    const now = performance.now();
    this.#position = position;
    this.#delivered = 0;
    this.#lastSign = now;
    if (missed === 0) this.#caughtUp = now;
    this.#host.events.recovery({ channel: this.#channel, recovered, missed }, position);
    const callback = (error: Error | null, message: Msg) => {
      if (this.#live !== live) return;
      if (error) this.renew();
      else this.#received(live, message);
    };
    const live = { ...consumer, inbox: connection.subscribe(inbox, { callback }) };
    this.#live = live;
    this.#started.resolve();
  }

  #received(live: Live, message: Msg): void {
    this.#lastSign = performance.now();
    if (message.headers?.code === CONTROL) {
      this.#controlled(message);
      return;
    }
    const delivery = deliveryOf(message.reply);
    // Anything else says that the consumer is no more.
    if (!delivery || this.#isDoubtful(live, delivery)) {
      this.renew();
      return;
    }
    this.#delivered = delivery.delivered;
    if (delivery.pending === 0) this.#caughtUp = this.#lastSign;
    this.#position = { offset: delivery.sequence, epoch: live.facts.epoch };
    const { data } = message;
    const value = Buffer.from(data.buffer, data.byteOffset, data.length);
    this.#host.events.event(this.#channel, value, this.#position);
  }

  #isDoubtful({ facts }: Live, { delivered, pending }: Delivery): boolean {
    return delivered !== this.#delivered + 1 || isEndangered(facts, pending);
  }

  #controlled(message: Msg): void {
    const { headers } = message;
    if (message.reply) {
      message.respond();
      return;
    }
    const stalled = headers?.get('Nats-Consumer-Stalled');
    if (stalled) {
      this.#host.link.connection?.publish(stalled);
      return;
    }
    if (Number(headers?.get('Nats-Last-Consumer')) > this.#delivered) this.renew();
    else this.#caughtUp = this.#lastSign;
  }
}
