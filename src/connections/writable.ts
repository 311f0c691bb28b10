import type { Protocol } from '../protocols/protocol.ts';
import type { Endpoint, Transport, WriteResult } from '../transport/transport.ts';
import type { Worker } from '../worker.ts';
import { BaseConnection } from './base.ts';
import type { Callbacks } from './callbacks.ts';
import { call, type SendResult, tally } from './connection.ts';
import { outbox } from './outbox.ts';
import type { TcpConnection } from './tcp.ts';

/** What a connection gets from its Worker, or from the program for outgoing ones. Shared by many connections. */
export type Owner = {
  readonly worker: Worker | undefined;
  readonly callbacks: Callbacks<TcpConnection, unknown>;
  readonly maxSendBufferSize: number;
  readonly maxPackageSize: number;
  /** Messages a second from one peer; 0 for no limit. */
  readonly messagesPerSecond: number;
  /** Told once, when a connection is over and `onClose` has run. */
  closed(connection: TcpConnection): void;
};

/** How long a closing connection may take to hand its queue to the peer, and then to wait for the peer's FIN. */
const FLUSH_MS = 30_000;
const LINGER_MS = 1000;

/** The connection whose chunk is being handled and whose answers are gathered; and whether its last message is. */
let corked: unknown;
let lastOfChunk = false;
let lastMessage: unknown;

/**
 * The sending half of a TCP connection: encoded bytes go to the transport, into the outbox, or wait, and the queue is
 * bounded by whole messages.
 */
export abstract class WritableConnection<In, Out> extends BaseConnection<TcpConnection, In> {
  /** Bytes in the send queue from which on messages are dropped; tested before a message is added, never splits one. */
  maxSendBufferSize: number;
  /** @internal */
  protected readonly owner: Owner;
  /** @internal */
  protected codec: Protocol<In, Out>;
  /** @internal */
  protected carrier: Transport | undefined = undefined;
  /** Encoded messages that wait for the connection to open; `undefined` once it is. */
  #parked: Uint8Array[] | undefined = undefined;
  #parkedBytes = 0;
  #sent = 0;

  constructor(owner: Owner, protocol: Protocol<In, Out>) {
    super(owner.worker, owner.callbacks as Callbacks<TcpConnection, In>);
    this.owner = owner;
    this.codec = protocol;
    this.maxSendBufferSize = owner.maxSendBufferSize;
  }

  get transport(): 'tcp' | 'unix' | 'ssl' {
    return this.carrier?.kind ?? 'tcp';
  }

  get bytesWritten(): number {
    return this.#sent - (this.carrier?.pendingBytes ?? 0);
  }

  get fd(): number {
    return this.carrier?.fd ?? -1;
  }

  protected get remote(): Endpoint {
    return this.carrier?.remote ?? NOWHERE;
  }

  protected get local(): Endpoint {
    return this.carrier?.local ?? NOWHERE;
  }

  getSendBufferQueueSize(): number {
    return (
      this.#parkedBytes + (corked === this ? outbox.size : 0) + (this.carrier?.pendingBytes ?? 0)
    );
  }

  /** Whether nothing waits to be written. */
  bufferIsEmpty(): boolean {
    return this.getSendBufferQueueSize() === 0;
  }

  /** Sends one message, without a buffer of its own where the protocol can do that. */
  protected sendMessage(message: Out): SendResult {
    const { encodeInto } = this.codec;
    const carrier = this.carrier;
    const free = corked === undefined || corked === this;
    // The same text again is a broadcast: its bytes are remembered by `encode`.
    const again = corked !== this && message === lastMessage;
    lastMessage = message;
    if (!encodeInto || !free || again || !carrier || this.#parked || this.state !== 'established') {
      return this.sendBytes(this.codec.encode(message));
    }
    if (carrier.pendingBytes >= this.maxSendBufferSize) return this.dropped();
    if (!outbox.encode(encodeInto, message)) {
      this.#flush(carrier);
      if (!outbox.encode(encodeInto, message)) return this.sendBytes(this.codec.encode(message));
    }
    tally.counts.messages_sent += 1;
    return this.#flushWhenDue(carrier);
  }

  /** Sends bytes as they are. The three answers are those of `send`. */
  protected sendBytes(bytes: Uint8Array): SendResult {
    if (bytes.length === 0) return null;
    const carrier = this.carrier;
    if (this.#parked || !carrier || this.state === 'connecting') return this.#park(bytes);
    if (corked === this) return this.#gather(carrier, bytes);
    if (carrier.pendingBytes >= this.maxSendBufferSize) return this.dropped();
    tally.counts.messages_sent += 1;
    return this.#account(carrier.write(bytes), bytes.length);
  }

  /** @internal protocol bytes outside the limit and the counting of messages: handshakes, pongs, close frames */
  sendControl(bytes: Uint8Array): void {
    const carrier = this.carrier;
    if (!carrier || bytes.length === 0) return;
    if (corked === this) this.#flush(carrier);
    this.#account(carrier.write(bytes), bytes.length);
  }

  #park(bytes: Uint8Array): SendResult {
    this.#parked ??= [];
    if (this.#parkedBytes >= this.maxSendBufferSize) return this.dropped();
    tally.counts.messages_sent += 1;
    this.#parked.push(bytes);
    this.#parkedBytes += bytes.length;
    if (this.#parkedBytes >= this.maxSendBufferSize) this.#full();
    return null;
  }

  /** What was sent before the connection opened goes out now. */
  protected unpark(): void {
    const parked = this.#parked;
    this.#parked = undefined;
    const wasFull = this.#parkedBytes >= this.maxSendBufferSize;
    this.#parkedBytes = 0;
    if (!parked || !this.carrier) return;
    for (const bytes of parked) this.#account(this.carrier.write(bytes), bytes.length);
    if (wasFull && this.carrier.pendingBytes === 0) this.drained();
  }

  /** A client that connects anew begins anew. */
  protected forgetSent(): void {
    this.#parked = [];
    this.#parkedBytes = 0;
    this.#sent = 0;
  }

  #gather(carrier: Transport, bytes: Uint8Array): SendResult {
    if (carrier.pendingBytes >= this.maxSendBufferSize) return this.dropped();
    tally.counts.messages_sent += 1;
    if (!outbox.fits(bytes.length)) {
      this.#flush(carrier);
      if (!outbox.fits(bytes.length)) return this.#account(carrier.write(bytes), bytes.length);
    }
    outbox.add(bytes);
    return this.#flushWhenDue(carrier);
  }

  /**
   * Gathered bytes wait for the last message of the chunk, unless they reach the limit: then they go to the kernel now,
   * so that `onBufferFull` is told before the next message would be dropped.
   */
  #flushWhenDue(carrier: Transport): SendResult {
    const due = corked !== this || lastOfChunk;
    return due || carrier.pendingBytes + outbox.size >= this.maxSendBufferSize
      ? this.#flush(carrier)
      : null;
  }

  #flush(carrier: Transport): SendResult {
    if (outbox.size === 0) return null;
    const bytes = outbox.take();
    const result = carrier.write(bytes);
    if (result === 'queued') outbox.keep();
    return this.#account(result, bytes.length);
  }

  /**
   * From here on answers are gathered, until `uncork`.
   *
   * @returns false if another connection's are: a handler of that one made this one deliver
   */
  protected cork(): boolean {
    if (corked !== undefined) return false;
    corked = this;
    lastOfChunk = false;
    return true;
  }

  /** The message now handled is the chunk's last: its answer goes out with all that was gathered. */
  protected corkLast(): void {
    lastOfChunk = true;
  }

  protected uncork(): void {
    if (this.carrier && this.state !== 'closed') this.#flush(this.carrier);
    outbox.take();
    corked = undefined;
  }

  #account(result: WriteResult, length: number): SendResult {
    if (result === 'failed') {
      tally.counts.send_fail += 1;
      this.report(this.self, 'SEND_TO_CLOSED', 'client closed');
      this.destroy();
      return false;
    }
    this.#sent += length;
    tally.counts.bytes_sent += length;
    if (result === 'written') return true;
    if ((this.carrier?.pendingBytes ?? 0) >= this.maxSendBufferSize) this.#full();
    return null;
  }

  /** @internal a whole message does not fit: it is dropped, counted and told */
  dropped(): false {
    tally.counts.send_fail += 1;
    const why = `${this.getSendBufferQueueSize()} bytes wait, limit ${this.maxSendBufferSize}: message dropped`;
    this.report(this.self, 'SEND_BUFFER_FULL', why);
    return false;
  }

  #full(): void {
    tally.counts.buffer_full += 1;
    call('onBufferFull', this.onBufferFull, this.self);
  }

  /** @internal called by the transport */
  drained(): void {
    call('onBufferDrain', this.onBufferDrain, this.self);
  }

  /** Flushes, sends FIN, and lets the peer go in peace. */
  protected finish(): void {
    const carrier = this.carrier;
    if (!carrier) return;
    if (corked === this) this.#flush(carrier);
    carrier.finish(FLUSH_MS, LINGER_MS);
  }

  protected get self(): TcpConnection {
    return this as unknown as TcpConnection;
  }
}

const NOWHERE: Endpoint = { address: '', port: 0 };
