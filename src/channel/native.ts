import { AsyncTcpConnection } from '../connections/client.ts';
import type { SendResult } from '../connections/connection.ts';
import { reconnectMs } from '../reconnect.ts';
import type { Bounds, ChannelEngine, EngineEvents, EngineOptions } from './engine.ts';
import { type ChannelMessage, channelProtocol, encode, KIND } from './format.ts';
import type { MemberList } from './owners.ts';

/** Bytes that wait to be sent; beyond it publishing fails. */
const QUEUE_MAX = 8_388_608;
/** A sign of life, well below the 120 s after which a server gives a client up. */
const ALIVE_MS = 30_000;

/** The engine on our own channel servers. */
export class NativeEngine implements ChannelEngine {
  readonly #events: EngineEvents;
  readonly #channels = new Set<string>();
  readonly #connection: AsyncTcpConnection<ChannelMessage, ChannelMessage>;
  #attempt = 0;
  #alive: NodeJS.Timeout | undefined = undefined;
  #ended = false;

  constructor(list: MemberList, events: EngineEvents, _options: EngineOptions) {
    this.#events = events;
    const address = list.members[0]?.address ?? '';
    const full = address.includes('://') ? address : `tcp://${address}`;
    this.#connection = new AsyncTcpConnection<ChannelMessage, ChannelMessage>(full, {
      protocol: channelProtocol,
      maxSendBufferSize: QUEUE_MAX,
    });
    this.#connection.onConnect = () => this.#opened();
    this.#connection.onMessage = (_, { kind, channel, value }) => {
      if (kind === KIND.event) events.event(channel, value);
    };
    this.#connection.onError = (_, code, message) => events.error(code, message);
    this.#connection.onClose = () => this.#lost();
  }

  connect(): void {
    this.#connection.connect();
  }

  get connected(): boolean {
    return this.#connection.status === 'established';
  }

  #opened(): void {
    this.#attempt = 0;
    clearInterval(this.#alive);
    this.#alive = setInterval(() => this.#connection.send(message(KIND.alive, '')), ALIVE_MS);
    this.#events.connect();
  }

  #lost(): void {
    clearInterval(this.#alive);
    if (this.#ended) return;
    const waitMs = reconnectMs(this.#attempt, Math.random());
    this.#attempt += 1;
    this.#events.close();
    this.#connection.reconnect(waitMs / 1000);
    for (const channel of this.#channels) this.#connection.send(message(KIND.subscribe, channel));
  }

  subscribe(channel: string): void {
    if (this.#channels.has(channel)) return;
    this.#channels.add(channel);
    this.#connection.send(message(KIND.subscribe, channel));
  }

  unsubscribe(channel: string): void {
    if (this.#channels.delete(channel)) this.#connection.send(message(KIND.unsubscribe, channel));
  }

  publish(channel: string, value: Buffer, _history?: Bounds): SendResult {
    return this.#connection.send(encode(KIND.publish, channel, value) as never, true);
  }

  watch(_queue: string): void {}
  unwatch(_queue: string): void {}
  reserve(_queue: string): void {}
  enqueue(_queue: string, _value: Buffer): SendResult {
    return false;
  }

  close(): void {
    this.#ended = true;
    clearInterval(this.#alive);
    this.#connection.cancelReconnect();
    this.#connection.close();
  }
}

function message(kind: number, channel: string): ChannelMessage {
  return { kind, channel, value: Buffer.alloc(0) };
}
