import { peers } from '../child/peers.ts';
import { AsyncTcpConnection } from '../connections/client.ts';
import { call, type SendResult } from '../connections/connection.ts';
import { misuse } from '../errors.ts';
import { log } from '../log.ts';
import { reconnectMs } from '../reconnect.ts';
import {
  type ChannelMessage,
  channelProtocol,
  decodeValue,
  encode,
  encodeValue,
  KIND,
  NAME_MAX,
} from './format.ts';

/** Bytes published while there is no connection, or that wait to be sent; beyond it publishing fails. */
const QUEUE_MAX = 8_388_608;
/** A sign of life, well below the 120 s after which a server gives a client up. */
const ALIVE_MS = 30_000;

type Callback = (data: unknown, channel: string) => unknown;

/**
 * A process's way to the channel server. Make one in `onWorkerStart`, `connect`, and keep it.
 *
 * Subscriptions are remembered and renewed whenever the connection comes back, after a pause with jitter. What others
 * publish in between is lost.
 *
 * @example
 * const channel = new ChannelClient();
 * channel.connect();
 * channel.on('news', (data) => console.log(data));
 * channel.publish('news', { text: 'hello' });
 */
export class ChannelClient {
  /** Called for events of channels that were subscribed to without a callback. */
  onMessage: ((channel: string, data: unknown) => unknown) | undefined = undefined;
  /** The connection is open; subscriptions are under way. */
  onConnect: (() => unknown) | undefined = undefined;
  /** The connection is lost; it will be tried again. */
  onClose: (() => unknown) | undefined = undefined;

  readonly #address: string | undefined;
  readonly #channels = new Map<string, Callback | undefined>();
  #connection: AsyncTcpConnection<ChannelMessage, ChannelMessage> | undefined = undefined;
  /** Published before it was known where the server is. */
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #attempt = 0;
  #alive: NodeJS.Timeout | undefined = undefined;
  #unwatch: (() => void) | undefined = undefined;
  #ended = false;

  /**
   * @param address `HOST:PORT` or `unix:///path` of a server. Without it: the one that the operator names, else one
   *                that the master starts and shares between all processes of this program.
   */
  constructor(address?: string) {
    this.#address = address;
  }

  /** Whether messages go out at once. */
  get connected(): boolean {
    return this.#connection?.status === 'established';
  }

  /** Begins to connect, and stays connected from then on. */
  connect(): void {
    if (this.#connection) return;
    const address = this.#address ?? peers.of('channel')?.members[0]?.address;
    if (address !== undefined) {
      this.#open(address);
      return;
    }
    peers.want('channel');
    this.#unwatch ??= peers.watch('channel', () => {
      this.#unwatch?.();
      this.#unwatch = undefined;
      if (!this.#ended) this.connect();
    });
  }

  #open(address: string): void {
    const full = address.includes('://') ? address : `tcp://${address}`;
    const connection = new AsyncTcpConnection<ChannelMessage, ChannelMessage>(full, {
      protocol: channelProtocol,
      maxSendBufferSize: QUEUE_MAX,
    });
    this.#connection = connection;
    connection.onConnect = () => this.#opened(connection);
    connection.onMessage = (_, message) => this.#event(message);
    connection.onError = (_, code, message) => log.warn(`channel: ${code} ${message}`);
    connection.onClose = () => this.#lost(connection);
    for (const channel of this.#channels.keys()) connection.send(message(KIND.subscribe, channel));
    for (const bytes of this.#early) connection.send(bytes as never, true);
    this.#early = [];
    connection.connect();
  }

  #opened(connection: AsyncTcpConnection): void {
    this.#attempt = 0;
    clearInterval(this.#alive);
    this.#alive = setInterval(() => connection.send(message(KIND.alive, '')), ALIVE_MS);
    call('ChannelClient.onConnect', this.onConnect);
  }

  #lost(connection: AsyncTcpConnection): void {
    clearInterval(this.#alive);
    if (this.#ended) return;
    const waitMs = reconnectMs(this.#attempt, Math.random());
    this.#attempt += 1;
    call('ChannelClient.onClose', this.onClose);
    connection.reconnect(waitMs / 1000);
    for (const channel of this.#channels.keys()) connection.send(message(KIND.subscribe, channel));
  }

  #event({ kind, channel, value }: ChannelMessage): void {
    if (kind !== KIND.event) return;
    const callback = this.#channels.get(channel);
    if (callback) call(`channel ${channel}`, callback, decodeValue(value), channel);
    else if (this.#channels.has(channel))
      call('ChannelClient.onMessage', this.onMessage, channel, decodeValue(value));
  }

  /** Subscribes, with a callback of its own; of several for one channel the last counts. */
  on(channel: string, callback: Callback): void {
    this.#subscribe(checked(channel), callback);
  }

  /** Subscribes; what comes goes to `onMessage`. */
  subscribe(...channels: string[]): void {
    for (const channel of channels) this.#subscribe(checked(channel), undefined);
  }

  #subscribe(channel: string, callback: Callback | undefined): void {
    const known = this.#channels.has(channel);
    this.#channels.set(channel, callback);
    if (!known) this.#connection?.send(message(KIND.subscribe, channel));
  }

  unsubscribe(...channels: string[]): void {
    for (const channel of channels) {
      if (this.#channels.delete(checked(channel)))
        this.#connection?.send(message(KIND.unsubscribe, channel));
    }
  }

  /**
   * Publishes to all who are subscribed, in every process.
   *
   * @param data bytes travel as they are, everything else as JSON
   * @returns as `connection.send`: `false` means that the queue is full and the message is dropped
   */
  publish(channel: string, data: unknown): SendResult {
    const bytes = encode(KIND.publish, checked(channel), encodeValue(data));
    if (this.#connection) return this.#connection.send(bytes as never, true);
    if (this.#earlyBytes >= QUEUE_MAX) return false;
    this.#earlyBytes += bytes.length;
    this.#early.push(bytes);
    return null;
  }

  /** Ends it for good. */
  close(): void {
    this.#ended = true;
    this.#unwatch?.();
    this.#connection?.cancelReconnect();
    this.#connection?.close();
  }
}

function message(kind: number, channel: string): ChannelMessage {
  return { kind, channel, value: Buffer.alloc(0) };
}

function checked(channel: string): string {
  const length = Buffer.byteLength(channel);
  if (length >= 1 && length <= NAME_MAX) return channel;
  throw misuse(
    'CHANNEL_INVALID',
    `a channel's name has 1 to ${NAME_MAX} bytes, this one has ${length}`,
    'range',
  );
}
