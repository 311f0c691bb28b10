import type { TcpConnection } from '../connections/tcp.ts';
import { CHANNEL_PORT, CHANNEL_SERVER } from '../contract.ts';
import { Worker } from '../worker.ts';
import { type ChannelMessage, channelProtocol, encode, KIND } from './format.ts';
import { Routes } from './routes.ts';
import { channelStats, zeroChannelStats } from './stats.ts';

/** Channels that one client may subscribe to. */
const CHANNELS_MAX = 100_000;
/** Bytes waiting for one subscriber; beyond it whole events are dropped and counted. */
const QUEUE_MAX = 8_388_608;

/**
 * Publish and subscribe between processes: a Worker with one process. What is published reaches every client that is
 * subscribed at that moment, the publisher itself included, in order for each publisher; nothing is kept.
 *
 * A program need not make one: the master runs one for a `ChannelClient` that was given no address. Make one to reach it
 * from other machines.
 *
 * @example
 * new ChannelServer('0.0.0.0:2206');
 */
export class ChannelServer extends Worker<string, typeof channelProtocol> {
  readonly #routes = new Routes<TcpConnection>();

  /** @param address `HOST:PORT` or `unix:///path`. Default: port 2206 of 127.0.0.1. */
  constructor(address: string = `127.0.0.1:${CHANNEL_PORT}`) {
    const full = address.includes('://') ? address : `tcp://${address}`;
    super(full, {
      name: CHANNEL_SERVER,
      protocol: channelProtocol,
      // A reload would only lose the subscriptions.
      reloadable: false,
      maxSendBufferSize: QUEUE_MAX,
      heartbeat: { idle: 120 },
    });
    this.onWorkerStart = () => {
      channelStats.current = zeroChannelStats();
    };
    this.onMessage = (connection, message) => this.#handle(connection, message);
    this.onClose = (connection) => {
      this.#routes.drop(connection);
      this.#count();
    };
  }

  #handle(connection: TcpConnection, { kind, channel, value }: ChannelMessage): void {
    if (kind === KIND.publish) this.#publish(channel, value);
    else if (kind === KIND.unsubscribe) this.#routes.remove(channel, connection);
    else if (kind === KIND.subscribe) this.#subscribe(connection, channel);
    if (kind === KIND.subscribe || kind === KIND.unsubscribe) this.#count();
  }

  #subscribe(connection: TcpConnection, channel: string): void {
    if (this.#routes.countOf(connection) < CHANNELS_MAX) this.#routes.add(channel, connection);
    else connection.close();
  }

  #publish(channel: string, value: Buffer): void {
    const event = encode(KIND.event, channel, value);
    const stats = channelStats.current ?? zeroChannelStats();
    stats.published += 1;
    for (const subscriber of this.#routes.of(channel)) {
      if (subscriber.send(event, true) === false) stats.dropped += 1;
      else stats.delivered += 1;
    }
  }

  #count(): void {
    if (!channelStats.current) return;
    channelStats.current.channels = this.#routes.size;
    channelStats.current.subscriptions = this.#routes.subscriptions;
  }
}
