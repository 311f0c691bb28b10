import { randomUUID } from 'node:crypto';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { SendResult } from '../connections/connection.ts';
import { messageOf } from '../errors.ts';
import type { Bounds, ChannelEngine, EngineEvents, EngineOptions, Position } from './engine.ts';
import { type NatsPlace, natsPlace } from './nats/address.ts';
import { History } from './nats/history.ts';
import { type Carrier, Lanes, type Outcome, type Parcel } from './nats/lanes.ts';
import { NatsLink } from './nats/link.ts';
import { Outflow } from './nats/outflow.ts';
import { Queue } from './nats/queue.ts';
import { Slots } from './nats/slots.ts';
import { Streams } from './nats/streams.ts';
import { channelSubject, everySubject, queueSubject } from './nats/subjects.ts';
import type { MemberList } from './owners.ts';

/** Bytes that wait, are on their way, or are not acknowledged yet; beyond it publishing fails. */
const QUEUE_MAX = 8_388_608;
/** Room for the head of a message, within the largest one that the servers take. */
const HEAD_MAX = 1_024;
const LOOK_MS = 1_000;
const ACK_MS = 2_000;
/** Failures that pass by themselves, such as an election, are not told before so many of them. */
const PATIENT = 4;
/** Subscriptions to history that are begun at the same time. */
const BEGUN_AT_ONCE = 32;

/** After `close`. */
const SILENT: EngineEvents = {
  event() {},
  recovery() {},
  lost() {},
  job() {},
  refused() {},
  connect() {},
  close() {},
  error() {},
  positionOf: () => undefined,
};

type Entry = { plain: Subscription | undefined; history: History | undefined };
type Destination = { readonly name: string; readonly bounds: Bounds | undefined };

/** The engine on NATS: core NATS for channels, JetStream for channels with history and for queues. */
export class NatsEngine implements ChannelEngine, Carrier {
  events: EngineEvents;
  readonly link: NatsLink;
  readonly prefix: string;
  readonly slots: Slots = new Slots(BEGUN_AT_ONCE);
  streams: Streams | undefined = undefined;
  readonly #place: NatsPlace;
  readonly #channels = new Map<string, Entry>();
  readonly #queues = new Map<string, Queue>();
  readonly #lanes: Lanes = new Lanes(this);
  readonly #outflow: Outflow;
  /** What each parcel is for: a queue if there are no bounds. */
  readonly #destinations = new WeakMap<Parcel, Destination>();
  /** Ends the attempts that wait for an answer which will not come. */
  readonly #cuts = new Set<(reason: Error) => void>();
  readonly #id = randomUUID();
  #parcels = 0;
  #failures = 0;
  #looking: NodeJS.Timeout | undefined = undefined;

  /** @throws {TypeError} `CHANNEL_INVALID` for an address that cannot be read */
  constructor({ members }: MemberList, events: EngineEvents, options: EngineOptions) {
    this.events = events;
    this.#place = natsPlace(members.map(({ address }) => address));
    this.prefix = this.#place.prefix;
    this.#outflow = new Outflow((error) => this.#tell('NATS_FAILED', messageOf(error)));
    this.link = new NatsLink(this.#place, options, {
      up: (connection, fresh) => this.#up(connection, fresh),
      down: () => this.#down(),
      error: (message) => this.events.error('CONNECT_FAILED', `nats: ${message}`),
    });
  }

  connect(): void {
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
    this.link.start();
  }

  get connected(): boolean {
    return this.link.connection !== undefined;
  }

  close(): void {
    this.events = SILENT;
    clearInterval(this.#looking);
    for (const { history } of this.#channels.values()) history?.stop();
    for (const queue of this.#queues.values()) {
      queue.stop();
      queue.giveBack();
    }
    void this.link.stop(this.#lanes.idle);
  }

  #up(connection: NatsConnection, fresh: boolean): void {
    this.#failures = 0;
    if (fresh) {
      const { prefix, replicas } = this.#place;
      this.streams = new Streams(connection, prefix, replicas, this.link.servers);
    }
    this.streams?.forget();
    for (const [channel, entry] of this.#channels) {
      if (fresh) entry.plain = this.#listen(connection, channel, entry);
      entry.history?.renew();
    }
    this.#outflow.up(connection);
    this.events.connect();
  }

  #down(): void {
    this.#outflow.down();
    for (const cut of this.#cuts) cut(new Error('the connection is lost'));
    for (const queue of this.#queues.values()) queue.interrupt();
    this.events.close();
  }

  #look(): void {
    if (!this.link.connection) return;
    const now = performance.now();
    for (const { history } of this.#channels.values()) history?.look(now);
  }

  subscribe(channel: string, bounds?: Bounds, position?: Position): void {
    const entry = this.#channels.get(channel) ?? { plain: undefined, history: undefined };
    const { connection } = this.link;
    if (bounds) {
      entry.history?.stop();
      const subject = channelSubject(this.prefix, channel, bounds);
      entry.history = new History(this, channel, subject, bounds, position);
      if (connection) entry.history.renew();
    }
    if (this.#channels.has(channel)) return;
    this.#channels.set(channel, entry);
    if (connection) entry.plain = this.#listen(connection, channel, entry);
  }

  /** To everything of a channel, whatever history others have declared; what its stream sends is left to that. */
  #listen(connection: NatsConnection, channel: string, entry: Entry): Subscription {
    const callback = (error: Error | null, { subject, data }: Msg) => {
      if (error) return this.events.error('NATS_FAILED', `${channel}: ${messageOf(error)}`);
      const bounds = entry.history?.bounds;
      if (bounds && subject === channelSubject(this.prefix, channel, bounds)) return;
      this.events.event(channel, Buffer.from(data.buffer, data.byteOffset, data.length));
    };
    return connection.subscribe(everySubject(this.prefix, channel), { callback });
  }

  unsubscribe(channel: string): void {
    const entry = this.#channels.get(channel);
    this.#channels.delete(channel);
    entry?.plain?.unsubscribe();
    entry?.history?.stop();
  }

  publish(channel: string, value: Buffer, bounds?: Bounds): SendResult {
    if (!this.#fits(channel, value)) return false;
    const subject = channelSubject(this.prefix, channel, bounds);
    if (bounds) return this.#entrust(subject, value, { name: channel, bounds });
    return this.#outflow.send(subject, value) ? true : null;
  }

  enqueue(queue: string, value: Buffer): SendResult {
    if (!this.#fits(queue, value)) return false;
    return this.#entrust(queueSubject(this.prefix, queue), value, {
      name: queue,
      bounds: undefined,
    });
  }

  #fits(name: string, value: Buffer): boolean {
    const most = (this.link.connection?.info?.max_payload ?? Number.POSITIVE_INFINITY) - HEAD_MAX;
    if (value.length <= most)
      return this.#outflow.bytes + this.#lanes.bytes + value.length <= QUEUE_MAX;
    const message = `${name}: a message of ${value.length} bytes, the NATS servers take ${most}`;
    this.#tell('PACKAGE_TOO_LARGE', message);
    return false;
  }

  #entrust(subject: string, value: Buffer, destination: Destination): SendResult {
    this.#parcels += 1;
    const parcel = { id: `${this.#id}.${this.#parcels}`, subject, value };
    this.#destinations.set(parcel, destination);
    const first = this.#lanes.add(parcel);
    return first && this.connected ? true : null;
  }

  /** From inside a method nothing may be told. */
  #tell(code: string, message: string): void {
    queueMicrotask(() => this.events.error(code, message));
  }

  ready(): Promise<unknown> {
    return this.link.up();
  }

  pause(ms: number): Promise<void> {
    return this.link.pause(ms);
  }

  async carry(parcel: Parcel): Promise<Outcome> {
    const destination = this.#destinations.get(parcel) as Destination;
    // What is published right behind a subscription is to arrive there.
    if (destination.bounds) await this.#channels.get(destination.name)?.history?.started;
    try {
      await this.#attempt(parcel, destination);
      this.#failures = 0;
      return 'stored';
    } catch (error) {
      if (/maximum messages per subject/.test(messageOf(error))) return 'refused';
      this.streams?.forget();
      this.#failures += 1;
      if (this.#failures === PATIENT && this.connected) this.#complain(destination, error);
      throw error;
    }
  }

  async #attempt({ subject, value, id }: Parcel, { bounds }: Destination): Promise<void> {
    const { streams } = this;
    if (!streams) throw new Error('not connected');
    const cut = Promise.withResolvers<never>();
    this.#cuts.add(cut.reject);
    const stored = async () => {
      await (bounds ? streams.history(bounds) : streams.queues());
      await streams.client.publish(subject, value, { msgID: id, timeout: ACK_MS });
    };
    try {
      await Promise.race([stored(), cut.promise]);
    } finally {
      this.#cuts.delete(cut.reject);
    }
  }

  #complain({ name }: Destination, error: unknown): void {
    this.events.error('NATS_FAILED', `${name}: ${messageOf(error)}; it is tried again`);
  }

  dropped(parcel: Parcel, reason: string | undefined): void {
    const { name } = this.#destinations.get(parcel) as Destination;
    if (reason === undefined) this.events.refused(name, 1);
    else this.events.error('NATS_FAILED', `${name}: a message is dropped: ${reason}`);
  }

  watch(queue: string): void {
    if (!this.#queues.has(queue)) this.#queues.set(queue, new Queue(this, queue));
  }

  unwatch(queue: string): void {
    this.#queues.get(queue)?.stop();
    this.#queues.delete(queue);
  }

  reserve(queue: string): void {
    this.#queues.get(queue)?.reserve();
  }
}
