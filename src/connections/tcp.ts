import { CLOSE } from '../contract.ts';
import { closeLabel } from '../counters.ts';
import { bytesOf } from '../protocols/protocol.ts';
import { refusalOf } from '../protocols/websocket-handshake.ts';
import type { Transport } from '../transport/transport.ts';
import { call, type SendResult, tally } from './connection.ts';
import { pipe } from './pipe.ts';
import { ReadableConnection } from './readable.ts';

/** How to end a connection. `code` and `reason` matter to WebSocket only: RFC 6455 section 7.4. */
export type CloseOptions = { readonly code?: number; readonly reason?: string };

/**
 * One TCP, unix or TLS connection and the protocol spoken on it, also WebSocket.
 *
 * @typeParam In what `onMessage` gets @typeParam Out what `send` takes
 */
// biome-ignore lint/suspicious/noExplicitAny: connections of several protocols stand in one map
export class TcpConnection<In = any, Out = any> extends ReadableConnection<In, Out> {
  /** `maxSendBufferSize` of connections made from now on, where the Worker names none: 1 MiB. */
  static defaultMaxSendBufferSize = 1_048_576;
  /** `maxPackageSize` of connections made from now on, where the Worker names none: 10 MiB. */
  static defaultMaxPackageSize = 10_485_760;

  /** The WebSocket subprotocol agreed on. */
  subprotocol: string | undefined = undefined;
  /** Header lines to add to the WebSocket handshake; of use in `onWebSocketConnect`. */
  handshakeHeaders: Record<string, string> | undefined = undefined;
  #label = '';
  /** @internal whether the program knows of it */
  announced = false;

  /** @internal calls `onConnect`, once; a connection that was never announced has no `onClose` either */
  announce(): void {
    if (this.announced) return;
    this.announced = true;
    call('onConnect', this.onConnect, this as TcpConnection);
  }

  /** @internal gives the transport to `node:http`, until it turns out what the connection is */
  lend(): Transport | undefined {
    const carrier = this.carrier;
    this.lent = true;
    this.carrier = undefined;
    return carrier;
  }

  /** @internal the connection is `node:http`'s for good and counted there */
  vanish(): void {
    this.state = 'closed';
    this.unregister();
    this.owner.closed(this as TcpConnection);
  }

  /** @internal `node:http` has read a handshake and gives the connection back */
  takeBack(carrier: Transport): void {
    this.lent = false;
    this.carrier = carrier;
    carrier.start(this);
  }

  /** @internal what a trusted proxy says about the client's address */
  believe(address: string): void {
    if (address !== this.getRemoteIp()) this.setPeer({ address, port: 0 });
  }

  /**
   * Refuses a WebSocket handshake; of use in `onWebSocketConnect`.
   *
   * @param status an HTTP status, 400 to 599; `close()` refuses with 403
   */
  refuse(status: number, text = ''): void {
    if (this.state !== 'connecting') return;
    this.sendControl(refusalOf(status, text));
    this.proceed({ received: () => {} });
    this.end('local', 0, '');
  }

  /**
   * Sends one message.
   *
   * @param raw send `data` as it is, without the protocol's encoding
   * @returns `true`: the kernel has it (not: the peer has it); `null`: it waits in the send queue, or was empty;
   *          `false`: it was dropped whole, because the queue is full or the connection is over
   */
  send(data: Out, raw = false): SendResult {
    if (this.state === 'closing' || this.state === 'closed') return false;
    if (raw) return this.sendBytes(bytesOf(data as string | Uint8Array));
    if (this.deflate) return this.deflate.send(data as string | Uint8Array, this as TcpConnection);
    return this.sendMessage(data);
  }

  /** @internal a frame that the deflate pipe has made */
  sendEncoded(bytes: Uint8Array): SendResult {
    return this.state === 'closed' ? false : this.sendBytes(bytes);
  }

  /** Sends a WebSocket ping; `onPong` tells of the answer. Nothing for protocols without pings. */
  ping(payload: string | Uint8Array = ''): void {
    const bytes = this.codec.ping?.(bytesOf(payload));
    if (bytes && this.state === 'established') this.sendControl(bytes);
  }

  /** Forwards what is received here to `target`, pausing while `target` cannot take more: see `pipe.ts`. */
  pipe(target: TcpConnection): void {
    pipe(this as TcpConnection, target);
  }

  /**
   * Ends in good order: `data` and all that is queued is flushed, nothing more is received, then the socket closes. A
   * WebSocket peer gets a close frame, 1000 unless `options.code` says otherwise. A peer that does not take the queue
   * within 30 s is cut off. A connection that is not open yet is refused.
   */
  close(data?: Out, { code = CLOSE.normal, reason = '' }: CloseOptions = {}): void {
    if (data !== undefined && this.state === 'established') this.send(data);
    this.end('local', code, reason);
  }

  /** @internal */
  end(label: string, code: number, reason: string): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    const { closing } = this.codec;
    const lastWords = () =>
      this.opening ? this.opening.refusal?.(this as TcpConnection) : closing?.(code, reason);
    this.#label = closing && !this.opening ? closeLabel(code) : label;
    if (!this.carrier) {
      this.destroy();
      return;
    }
    this.state = 'closing';
    if (this.deflate?.busy) this.deflate.whenIdle(() => this.#leave(lastWords()));
    else this.#leave(lastWords());
  }

  /** @internal */
  protected peerCloses(label: string): void {
    tally.counts.client_close += 1;
    this.#label = label;
    this.state = 'closing';
    this.finish();
  }

  #leave(lastWords: Uint8Array | undefined): void {
    if (lastWords) this.sendControl(lastWords);
    if (this.state !== 'closed') this.finish();
  }

  /** Ends at once: what is queued is lost. `onClose` runs before this returns. */
  destroy(): void {
    if (this.carrier) this.carrier.destroy();
    else this.closed(undefined);
  }

  /** @internal called by the transport: the peer's FIN, which ends the whole connection */
  ended(): void {
    tally.counts.client_close += 1;
    if (this.getSendBufferQueueSize() > 0) tally.counts.send_fail += 1;
    this.#label ||= this.codec.closing ? closeLabel(CLOSE.abnormal) : 'peer';
    this.destroy();
  }

  /** @internal called by the transport, exactly once */
  closed(error: Error | undefined): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    const otherwise = error ? 'reset' : 'local';
    this.#label ||= this.codec.closing ? closeLabel(CLOSE.abnormal) : otherwise;
    tally.closes[this.#label] = (tally.closes[this.#label] ?? 0) + 1;
    this.#label = '';
    this.deflate?.cleanup();
    if (this.announced) call('onClose', this.onClose, this as TcpConnection);
    this.unregister();
    this.owner.closed(this as TcpConnection);
  }
}
