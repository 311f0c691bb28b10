import { call, callAsync, failed, type SendResult } from '../connections/connection.ts';
import { log } from '../log.ts';
import type { ChannelEngine, EngineEvents, Position, Recovery } from './engine.ts';
import { decodeValue } from './format.ts';

/** What a callback gets of an event: its value, the channel, and for channels with history where it stands in it. */
export type ChannelCallback = (data: unknown, channel: string, position?: Position) => unknown;
/** What a consumer gets of a job. The job is over when what this returns has settled, however it did. */
export type JobCallback = (data: unknown, queue: string) => unknown;

/** What the program can set on a client. */
export type ChannelHandlers = {
  onMessage?: ((channel: string, data: unknown, position?: Position) => unknown) | undefined;
  onConnect?: (() => unknown) | undefined;
  onClose?: (() => unknown) | undefined;
  onRecovery?: ((recovery: Recovery) => unknown) | undefined;
  onLost?: ((lost: { channel: string; count: number }) => unknown) | undefined;
  onError?: ((code: string, message: string) => unknown) | undefined;
  onRefused?: ((refused: { queue: string; count: number }) => unknown) | undefined;
};

type Watch = { readonly callback: JobCallback; readonly autoReserve: boolean };

/** The receiving half of a `ChannelClient`: what it is subscribed to, where it stands, and who is to be called. */
export class Reception implements EngineEvents {
  readonly channels: Map<string, ChannelCallback | undefined> = new Map();
  readonly watches: Map<string, Watch> = new Map();
  engine: ChannelEngine | undefined = undefined;
  readonly #positions = new Map<string, Position>();
  readonly #handlers: ChannelHandlers;

  constructor(handlers: ChannelHandlers) {
    this.#handlers = handlers;
  }

  event(channel: string, value: Buffer, position?: Position): void {
    if (!this.channels.has(channel)) return;
    if (position) {
      const last = this.#positions.get(channel);
      if (last?.epoch === position.epoch && position.offset <= last.offset) return;
      this.#positions.set(channel, position);
    }
    const data = decoded(channel, value);
    if (data === BROKEN) return;
    const callback = this.channels.get(channel);
    if (callback) call(`channel ${channel}`, callback, data, channel, position);
    else call('ChannelClient.onMessage', this.#handlers.onMessage, channel, data, position);
  }

  recovery(answer: Recovery, position: Position): void {
    if (!this.channels.has(answer.channel)) return;
    const renewed = this.#positions.has(answer.channel);
    if (!(renewed && answer.recovered)) this.#positions.set(answer.channel, position);
    if (renewed) call('ChannelClient.onRecovery', this.#handlers.onRecovery, answer);
  }

  lost(channel: string, count: number): void {
    call('ChannelClient.onLost', this.#handlers.onLost, { channel, count });
  }

  job(queue: string, value: Buffer, done: () => void): void {
    const watch = this.watches.get(queue);
    const data = decoded(queue, value);
    if (!watch || data === BROKEN) {
      done();
      // It was no job, so the one that was asked for is still to come.
      if (watch) this.engine?.reserve(queue);
      return;
    }
    void callAsync(`queue ${queue}`, async () => watch.callback(data, queue)).then(() => {
      done();
      if (watch.autoReserve && this.watches.get(queue) === watch) this.engine?.reserve(queue);
    });
  }

  refused(queue: string, count: number): void {
    call('ChannelClient.onRefused', this.#handlers.onRefused, { queue, count });
  }

  connect(): void {
    call('ChannelClient.onConnect', this.#handlers.onConnect);
  }

  close(): void {
    call('ChannelClient.onClose', this.#handlers.onClose);
  }

  error(code: string, message: string): void {
    log.warn(`channel: ${code} ${message}`);
    call('ChannelClient.onError', this.#handlers.onError, code, message);
  }

  positionOf(channel: string): Position | undefined {
    return this.#positions.get(channel);
  }

  /** A channel is no longer wanted: a later subscription begins anew. */
  forget(channel: string): boolean {
    this.#positions.delete(channel);
    return this.channels.delete(channel);
  }
}

/** What can be published: everything else is for an engine that is not there yet. */
export type Sending = (engine: ChannelEngine) => SendResult;

const BROKEN = Symbol('not JSON');

function decoded(name: string, value: Buffer): unknown {
  try {
    return decodeValue(value);
  } catch (error) {
    failed(`channel ${name}`, error);
    return BROKEN;
  }
}
