import { failed, type SendResult } from '../connections/connection.ts';
import { misuse } from '../errors.ts';
import { CLIENT_KINDS, checkSeconds } from '../inner/port.ts';
import { checkKinds } from '../option-checks.ts';
import { Declarations, type HistoryDeclaration } from './declared.ts';
import type { ChannelEngine, EngineOptions, Position, Recovery } from './engine.ts';
import { engineFor, isNats } from './engines.ts';
import { checkedCallback, checkedName, checkedValue } from './names.ts';
import { listOf, type MemberList, sameMembers } from './owners.ts';
import { type ChannelCallback, type JobCallback, Reception, type Sending } from './reception.ts';
import { whereServersAre } from './whereabouts.ts';

/** Bytes published before it is known where the server is; beyond it publishing fails. */
const EARLY_MAX = 8_388_608;

/** What a `ChannelClient` can be told. */
export type ChannelClientOptions = EngineOptions & {
  /** Channels that have a history; the same in all programs that publish or subscribe to them. */
  readonly history?: readonly HistoryDeclaration[];
};

/**
 * A process's way to the channel servers. Make one in `onWorkerStart`, `connect`, and keep it.
 *
 * Subscriptions and watches are remembered and renewed whenever the connection comes back, after a pause with jitter.
 * What others publish in between is lost, except on channels with history.
 *
 * @example
 * const channel = new ChannelClient({ history: [{ channels: 'room:*', size: 100, seconds: 300 }] });
 * channel.connect();
 * channel.on('room:1', (data) => console.log(data));
 * channel.publish('room:1', { text: 'hello' });
 */
export class ChannelClient {
  /** Called for events of channels that were subscribed to without a callback. */
  onMessage: ((channel: string, data: unknown, position?: Position) => unknown) | undefined =
    undefined;
  /** The connection is open; subscriptions are under way. With several servers: the first of them. */
  onConnect: (() => unknown) | undefined = undefined;
  /** The connection is lost; it will be tried again. With several servers: the last of them. */
  onClose: (() => unknown) | undefined = undefined;
  /**
   * A subscription to a channel with history was renewed. `recovered` true: the `missed` events follow now. False: there
   * is a gap; load what you need from where it is kept.
   */
  onRecovery: ((recovery: Recovery) => unknown) | undefined = undefined;
  /** The server dropped so many events of a channel without history, because we read too slowly. */
  onLost: ((lost: { channel: string; count: number }) => unknown) | undefined = undefined;
  /** So many jobs that we enqueued were not taken: the queue is full. */
  onRefused: ((refused: { queue: string; count: number }) => unknown) | undefined = undefined;

  /** Connecting has failed, or the server refused us, as with a wrong secret. It is logged too, and tried again. */
  onError: ((code: string, message: string) => unknown) | undefined = undefined;

  readonly #explicit: MemberList | undefined;
  readonly #options: ChannelClientOptions;
  readonly #declared: Declarations;
  readonly #reception: Reception;
  #list: MemberList | undefined = undefined;
  /** Published and enqueued before there was an engine. */
  #early: Sending[] = [];
  #earlyBytes = 0;
  #unwatch: (() => void) | undefined = undefined;
  #begun = false;
  #ended = false;

  /**
   * @param address `HOST:PORT` or `unix:///path` of a server, or a list of them; or `nats://HOST:PORT,nats://…`.
   *                Without it: those that the environment or the operator names, else one that the master starts and
   *                shares between all processes of this program.
   * @throws {RangeError} `OPTION_INVALID`
   */
  constructor(address?: string | readonly string[], options?: ChannelClientOptions);
  constructor(options?: ChannelClientOptions);
  constructor(
    first?: string | readonly string[] | ChannelClientOptions,
    second: ChannelClientOptions = {},
  ) {
    const isAddress = typeof first === 'string' || Array.isArray(first);
    this.#explicit = isAddress ? listOf(first as string | readonly string[]) : undefined;
    if (this.#explicit?.members.length === 0)
      throw misuse('CHANNEL_INVALID', 'the list of addresses is empty');
    this.#options = isAddress ? second : ((first as ChannelClientOptions | undefined) ?? second);
    checkKinds(this.#options, { ...CLIENT_KINDS, history: 'list' });
    checkSeconds(this.#options, ['heartbeat']);
    this.#declared = new Declarations(this.#options.history);
    this.#reception = new Reception(this);
  }

  /** Whether messages go out at once. */
  get connected(): boolean {
    return !this.#ended && this.#reception.engine?.connected === true;
  }

  /**
   * Begins to connect, and stays connected from then on.
   *
   * @throws {TypeError} `CHANNEL_INVALID` without an address outside of a process of `Worker.runAll()`
   */
  connect(): void {
    if (this.#begun || this.#ended) return;
    this.#begun = true;
    if (this.#explicit) this.#open(this.#explicit);
    else this.#unwatch = whereServersAre((list) => this.#listed(list));
  }

  /** There is a list of servers, or another one. */
  #listed(list: MemberList): void {
    const { engine } = this.#reception;
    if (this.#ended || sameMembers(list, this.#list)) return;
    this.#list = list;
    if (engine?.setMembers && !isNats(list)) {
      engine.setMembers(list);
      return;
    }
    engine?.close();
    this.#reception.engine = undefined;
    this.#open(list);
  }

  #open(list: MemberList): void {
    this.#list = list;
    const made = engineFor(list, this.#reception, this.#options);
    if (made instanceof Promise) {
      const adopt = (engine: ChannelEngine) => this.#adopt(engine, list);
      made.then(adopt).catch((error) => failed('ChannelClient', error));
    } else {
      this.#adopt(made, list);
    }
  }

  #adopt(engine: ChannelEngine, list: MemberList): void {
    // Another list may have come while the engine was loaded.
    if (this.#ended || this.#list !== list) {
      engine.close();
      return;
    }
    const reception = this.#reception;
    reception.engine = engine;
    for (const channel of reception.channels.keys()) this.#tellSubscription(channel);
    for (const [queue, { autoReserve }] of reception.watches) {
      engine.watch(queue);
      if (autoReserve) engine.reserve(queue);
    }
    for (const send of this.#early.splice(0)) send(engine);
    this.#earlyBytes = 0;
    engine.connect();
  }

  #tellSubscription(channel: string): void {
    const position = this.#reception.positionOf(channel);
    this.#reception.engine?.subscribe(channel, this.#declared.of(channel), position);
  }

  /** Subscribes, with a callback of its own; of several for one channel the last counts. */
  on(channel: string, callback: ChannelCallback): void {
    this.#subscribe(checkedName(channel), checkedCallback(callback));
  }

  /** Subscribes; what comes goes to `onMessage`. */
  subscribe(...channels: string[]): void {
    for (const channel of channels) this.#subscribe(checkedName(channel), undefined);
  }

  #subscribe(channel: string, callback: ChannelCallback | undefined): void {
    const known = this.#reception.channels.has(channel);
    this.#reception.channels.set(channel, callback);
    if (!known) this.#tellSubscription(channel);
  }

  unsubscribe(...channels: string[]): void {
    for (const channel of channels) {
      if (this.#reception.forget(checkedName(channel)))
        this.#reception.engine?.unsubscribe(channel);
    }
  }

  /**
   * Publishes to all who are subscribed, in every process.
   *
   * @param data bytes travel as they are, everything else as JSON
   * @returns as `connection.send`: `false` means that the queue is full and the message is dropped
   * @throws {TypeError} `CHANNEL_INVALID` for what cannot travel: functions, symbols, bigints, cycles
   * @throws {RangeError} `CHANNEL_INVALID` for more than `VALUE_MAX` bytes
   */
  publish(channel: string, data: unknown): SendResult {
    const value = checkedValue(data);
    const bounds = this.#declared.of(checkedName(channel));
    return this.#send(value.length, (engine) => engine.publish(channel, value, bounds));
  }

  /**
   * Takes jobs of a queue, one at a time: each goes to exactly one consumer, the one that has waited longest.
   *
   * A job is over when `callback` has settled, also by an error. If this process ends before, another consumer gets it:
   * at least once.
   *
   * @param autoReserve false: ask for each job with `reserve()`
   */
  watch(queue: string, callback: JobCallback, autoReserve: boolean = true): void {
    this.#reception.watches.set(checkedName(queue), {
      callback: checkedCallback(callback),
      autoReserve,
    });
    this.#reception.engine?.watch(queue);
    if (autoReserve) this.#reception.engine?.reserve(queue);
  }

  /** Takes no further jobs of these queues. What is being worked on goes on. */
  unwatch(...queues: string[]): void {
    for (const queue of queues) {
      if (this.#reception.watches.delete(checkedName(queue)))
        this.#reception.engine?.unwatch(queue);
    }
  }

  /** Asks for one more job, of each queue that is watched. */
  reserve(): void {
    for (const queue of this.#reception.watches.keys()) this.#reception.engine?.reserve(queue);
  }

  /**
   * Adds a job at the end of a queue. It waits there, within bounds, for a consumer.
   *
   * @returns as `publish`; a queue that is full is told by `onRefused`
   */
  enqueue(queue: string, data: unknown): SendResult {
    const value = checkedValue(data);
    checkedName(queue);
    return this.#send(value.length, (engine) => engine.enqueue(queue, value));
  }

  #send(bytes: number, send: Sending): SendResult {
    if (this.#ended) return false;
    const { engine } = this.#reception;
    if (engine) return send(engine);
    if (this.#earlyBytes >= EARLY_MAX) return false;
    this.#earlyBytes += bytes;
    this.#early.push(send);
    return null;
  }

  /** Ends it for good. */
  close(): void {
    this.#ended = true;
    this.#unwatch?.();
    this.#reception.engine?.close();
  }
}
