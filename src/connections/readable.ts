import { clock } from '../clock.ts';
import { closeLabel } from '../counters.ts';
import { type ProtocolError, protocolErrorOf } from '../errors.ts';
import type { Decoder, Protocol, Reaction } from '../protocols/protocol.ts';
import type { Transport } from '../transport/transport.ts';
import { call, failed, tally, watch } from './connection.ts';
import type { DeflatePipe } from './deflate.ts';
import type { TcpConnection } from './tcp.ts';
import { TokenBucket } from './token-bucket.ts';
import { type Owner, WritableConnection } from './writable.ts';

/** Takes the bytes of a connection that is not open for messages yet: PROXY header, WebSocket handshake. */
export interface Opening {
  received(connection: TcpConnection, chunk: Buffer): void;
  /** The connection is to end before it is open: the last words to the peer, if any. */
  refusal?(connection: TcpConnection): Uint8Array | undefined;
}

/** Reasons for not reading, as bits: each is taken back by who set it. */
const BY_USER = 1;
const BY_RATE = 2;
/** @internal the deflate pipe has enough to do */
export const BY_DEFLATE = 4;
/** @internal the program thinks about a handshake */
export const BY_OPENING = 8;

/**
 * The receiving half of a TCP connection: chunks become messages, messages go to the program, one after the other,
 * unless reading is paused; then they wait here and the rest waits in the kernel.
 */
export abstract class ReadableConnection<In, Out> extends WritableConnection<In, Out> {
  /** @internal */
  protected deflate: DeflatePipe | undefined = undefined;
  /** @internal */
  protected opening: Opening | undefined = undefined;
  #decoder: Decoder<In> | undefined = undefined;
  #bucket: TokenBucket | undefined;
  /** Decoded messages that wait for reading to go on; `undefined` when there are none. */
  #inbox: In[] | undefined = undefined;
  /** The peer's last words. */
  #goodbye: Reaction['close'] = undefined;
  #paused = 0;

  constructor(owner: Owner, protocol: Protocol<In, Out>) {
    super(owner, protocol);
    const rate = owner.messagesPerSecond;
    this.#bucket = rate > 0 ? new TokenBucket(rate, clock.tenths) : undefined;
  }

  /**
   * The protocol spoken. A new one takes effect with the next chunk; what the old one holds of an unfinished message is
   * dropped.
   */
  get protocol(): Protocol<In, Out> {
    return this.codec;
  }

  set protocol(protocol: Protocol<In, Out>) {
    this.codec = protocol;
    if (this.#decoder) this.#decoder = protocol.decoder(this.owner);
  }

  get protocolName(): string {
    return this.codec.name;
  }

  /** Bytes received of a message that is not complete. */
  override getRecvBufferQueueSize(): number {
    return this.#decoder?.held ?? 0;
  }

  /** @internal */
  abstract override end(label: string, code: number, reason: string): void;
  /** @internal */
  abstract ended(): void;
  /** @internal */
  abstract closed(error: Error | undefined): void;

  /** @internal takes a transport; `opening` comes before the protocol */
  attach(carrier: Transport, opening?: Opening): void {
    this.carrier = carrier;
    this.opening = opening;
    this.state = opening ? 'connecting' : 'established';
    this.#inbox = undefined;
    this.#paused = 0;
    this.#decoder = opening ? undefined : this.codec.decoder(this.owner);
    this.register(this.self);
  }

  /** @internal lets the chunks flow, once the program has had its `onConnect` */
  start(): void {
    if (this.state === 'established') this.unpark();
    if (this.state !== 'closed') this.carrier?.start(this);
    if (this.#paused !== 0) this.carrier?.pause();
  }

  /** @internal another stage of the opening follows */
  proceed(next: Opening): void {
    this.opening = next;
  }

  /** @internal the opening is over: messages flow from here on, beginning with `rest` */
  opened(protocol: Protocol<In, Out>, rest: Buffer, deflate?: DeflatePipe): void {
    this.opening = undefined;
    this.codec = protocol;
    this.deflate = deflate;
    this.#decoder = protocol.decoder(this.owner);
    this.state = 'established';
    this.unpark();
    if (rest.length > 0) this.#decode(rest);
  }

  /** @internal called by the transport */
  received(chunk: Buffer): void {
    tally.counts.bytes_received += chunk.length;
    this.bytesRead += chunk.length;
    this.activeAt = clock.tenths;
    if (this.opening) this.opening.received(this.self, chunk);
    else this.#decode(chunk);
  }

  #decode(chunk: Buffer): void {
    const decoder = this.#decoder;
    if (!decoder || decoder.error || this.state !== 'established') return;
    const messages = this.#messages(decoder, chunk);
    if (this.#inbox) this.#inbox.push(...messages);
    else if (messages.length === 1) this.#deliver(messages[0] as In);
    else if (messages.length > 1) this.#deliverAll(messages);
    if (decoder.error) this.broken(decoder.error);
  }

  /** A decoder that throws is taken as the fault of the peer: what it sent is not what the program can read. */
  #messages(decoder: Decoder<In>, chunk: Buffer): readonly In[] {
    try {
      return decoder.push(chunk);
    } catch (error) {
      this.broken(protocolErrorOf(this.codec.name, error));
      return [];
    }
  }

  /** Several messages came in one chunk: their answers go out in one write. */
  #deliverAll(messages: readonly In[]): void {
    const corking = this.cork();
    for (let i = 0; i < messages.length && this.state === 'established'; i += 1) {
      if (this.#paused !== 0) {
        this.#inbox = [...(this.#inbox ?? []), ...messages.slice(i)];
        break;
      }
      if (corking && i === messages.length - 1) this.corkLast();
      this.#deliver(messages[i] as In);
    }
    if (corking) this.uncork();
  }

  #deliver(message: In): void {
    if (this.#bucket && !this.#bucket.take(clock.tenths)) {
      this.#inbox = [message];
      this.pause(BY_RATE);
      setTimeout(() => this.resume(BY_RATE), 100);
      return;
    }
    const reaction = this.codec.react?.(message);
    if (reaction) this.#react(reaction);
    else if (this.deflate) this.deflate.receive(message, this.self);
    else this.dispatch(message);
  }

  /** @internal hands one message to the program */
  dispatch(message: In): void {
    tally.counts.total_request += 1;
    try {
      watch('onMessage', this.onMessage?.(this.self, message));
    } catch (error) {
      failed('onMessage', error);
    }
  }

  #react({ event, payload, reply, close }: Reaction): void {
    // A peer that floods pings but does not read gets no more pongs than its send queue may hold.
    if (reply && this.getSendBufferQueueSize() < this.maxSendBufferSize) this.sendControl(reply);
    if (event === 'ping' && payload) call('onPing', this.onPing, this.self, payload);
    if (event === 'pong' && payload) call('onPong', this.onPong, this.self, payload);
    if (!close || this.state !== 'established') return;
    this.#goodbye = close;
    this.peerCloses(closeLabel(close.code));
  }

  /**
   * The code with which a WebSocket peer said goodbye: 1005 if it gave none, `undefined` if it said nothing or has not
   * yet. Made for `onClose`; after `reconnect` it is that of the connection before until the next one ends.
   */
  get closeCode(): number | undefined {
    return this.#goodbye?.code;
  }

  /** What it said with it, for example a reconnect hint; '' for nothing. */
  get closeReason(): string {
    return this.#goodbye?.reason ?? '';
  }

  /** @internal the peer said goodbye in its protocol and has its answer. */
  protected abstract peerCloses(label: string): void;

  /** @internal the peer broke the protocol */
  broken(error: ProtocolError): void {
    if (this.state === 'closed' || this.state === 'closing') return;
    tally.counts.packet_err += 1;
    this.report(this.self, error.code, error.message);
    this.end('protocol', error.closeCode, error.message);
  }

  /** Stops reading: what the peer sends waits in the kernel, and at last at the peer. */
  pauseRecv(): void {
    this.pause(BY_USER);
  }

  /** Goes on reading, beginning with the messages that were already there. */
  resumeRecv(): void {
    this.resume(BY_USER);
  }

  /** @internal whether the program may be given messages now */
  get delivering(): boolean {
    return this.state === 'established' && (this.#paused & ~BY_DEFLATE) === 0;
  }

  /** @internal */
  pause(reason: number): void {
    this.#paused |= reason;
    this.carrier?.pause();
  }

  /** @internal */
  resume(reason: number): void {
    if ((this.#paused & reason) === 0) return;
    this.#paused &= ~reason;
    if (this.#paused !== 0) return;
    if (this.state === 'connecting') this.carrier?.resume();
    if (this.state !== 'established') return;
    this.deflate?.deliver(this.self);
    const inbox = this.#inbox;
    this.#inbox = undefined;
    if (inbox) this.#deliverAll(inbox);
    if (this.#paused === 0 && this.state === 'established') this.carrier?.resume();
  }
}
