import { CLOSE } from '../contract.ts';
import { codeOf, messageOf, ProtocolError } from '../errors.ts';
import { bytesOf } from '../protocols/protocol.ts';
import type { WebSocketProtocol } from '../protocols/websocket.ts';
import { Compressed, type Incoming, textOf } from '../protocols/websocket-frames.ts';
import type { SendResult } from './connection.ts';
import { type Deflater, extensions, newDeflater } from './permessage-deflate.ts';
import { BY_DEFLATE } from './readable.ts';
import type { TcpConnection } from './tcp.ts';

/**
 * permessage-deflate (RFC 7692) on one WebSocket connection; the compression itself is `ws`'s.
 *
 * Compression happens on other threads, so messages wait here in order, in both directions. What waits is bounded:
 * outgoing by `maxSendBufferSize`, incoming by not reading on while more than `WAITING_MAX` bytes wait.
 */

/** What a Worker can say about compression. */
export type DeflateOptions = {
  /** Messages below this many bytes are sent as they are, unless longer ones wait before them. Default 1024. */
  readonly threshold?: number;
  /**
   * Whether our compressor forgets each message, which costs compression. It saves no memory: the compressor, some 230
   * KB, stays until the connection ends. Default true.
   */
  readonly serverNoContextTakeover?: boolean;
  /** The same for the peer's compressor and our decompressor of some 35 KB. Default true. */
  readonly clientNoContextTakeover?: boolean;
};

const WAITING_MAX = 262_144;
const THRESHOLD = 1024;

type Outgoing = { readonly binary: boolean; readonly bytes: Uint8Array };

/**
 * What client and server agree on.
 *
 * @param offered the request's `Sec-WebSocket-Extensions`
 * @param maxPayload bound of an inflated message, so that a few bytes cannot become gigabytes
 * @returns the agreement and the header value that says so; `undefined` if there is nothing to agree on
 */
export function acceptDeflate(
  offered: string | undefined,
  options: DeflateOptions,
  maxPayload: number,
): { deflate: Deflater; header: string } | undefined {
  if (!offered?.includes('permessage-deflate')) return undefined;
  try {
    const offers = extensions.parse(offered)['permessage-deflate'];
    if (!offers) return undefined;
    const deflate = newDeflater({
      serverNoContextTakeover: options.serverNoContextTakeover ?? true,
      clientNoContextTakeover: options.clientNoContextTakeover ?? true,
      threshold: options.threshold ?? THRESHOLD,
      isServer: true,
      maxPayload,
    });
    const params = deflate.accept(offers);
    return { deflate, header: extensions.format({ 'permessage-deflate': [params] }) };
  } catch {
    // An offer that is not well formed is no offer; the connection goes on without compression.
    return undefined;
  }
}

export class DeflatePipe {
  readonly #deflate: Deflater;
  readonly #protocol: WebSocketProtocol;
  readonly #threshold: number;
  readonly #incoming: Incoming[] = [];
  readonly #outgoing: Outgoing[] = [];
  #incomingBytes = 0;
  #outgoingBytes = 0;
  #inflating = false;
  #deflating = false;
  #idle: (() => void) | undefined = undefined;

  constructor(deflate: Deflater, protocol: WebSocketProtocol, threshold: number = THRESHOLD) {
    this.#deflate = deflate;
    this.#protocol = protocol;
    this.#threshold = threshold;
  }

  /** Whether messages wait to be sent. */
  get busy(): boolean {
    return this.#outgoing.length > 0;
  }

  /** Calls back once, when nothing waits to be sent any more. */
  whenIdle(callback: () => void): void {
    this.#idle = callback;
  }

  /** A message arrived, deflated or not; it is delivered after those before it. */
  receive(received: unknown, connection: TcpConnection): void {
    const message = received as Incoming;
    this.#incoming.push(message);
    this.#incomingBytes += sizeOf(message);
    if (this.#incomingBytes > WAITING_MAX) connection.pause(BY_DEFLATE);
    this.deliver(connection);
  }

  /** Delivers what can be delivered now. */
  deliver(connection: TcpConnection): void {
    while (this.#incoming.length > 0 && !this.#inflating && connection.delivering) {
      const message = this.#incoming[0] as Incoming;
      if (message instanceof Compressed) this.#inflate(message, connection);
      else this.#deliver(message, message, connection);
    }
    if (this.#incomingBytes <= WAITING_MAX / 2) connection.resume(BY_DEFLATE);
  }

  #deliver(waited: Incoming, message: string | Buffer | unknown, connection: TcpConnection): void {
    this.#incoming.shift();
    this.#incomingBytes -= sizeOf(waited);
    connection.dispatch(message);
  }

  #inflate(message: Compressed, connection: TcpConnection): void {
    this.#inflating = true;
    this.#deflate.decompress(message.payload, true, (error, inflated) => {
      this.#inflating = false;
      if (connection.status !== 'established') return;
      try {
        if (error) throw fault(error);
        this.#deliver(message, message.binary ? inflated : textOf(inflated), connection);
        this.deliver(connection);
      } catch (problem) {
        if (!(problem instanceof ProtocolError)) throw problem;
        connection.broken(problem);
      }
    });
  }

  /** Sends one message, deflated if that is worth it. */
  send(data: string | Uint8Array, connection: TcpConnection): SendResult {
    const binary = typeof data !== 'string';
    const bytes = bytesOf(data);
    if (!this.busy && bytes.length < this.#threshold)
      return connection.sendEncoded(this.#protocol.encode(data));
    if (this.#outgoingBytes + connection.getSendBufferQueueSize() >= connection.maxSendBufferSize) {
      return connection.dropped();
    }
    this.#outgoing.push({ binary, bytes });
    this.#outgoingBytes += bytes.length;
    this.#next(connection);
    return null;
  }

  #next(connection: TcpConnection): void {
    const next = this.#outgoing[0];
    if (this.#deflating || !next) return;
    this.#deflating = true;
    this.#deflate.compress(next.bytes, true, (error, deflated) => {
      if (error) connection.destroy();
      else this.#encoded(next, this.#protocol.deflated(next.binary, deflated), connection);
    });
  }

  #encoded(sent: Outgoing, frame: Uint8Array, connection: TcpConnection): void {
    this.#deflating = false;
    this.#outgoing.shift();
    this.#outgoingBytes -= sent.bytes.length;
    connection.sendEncoded(frame);
    if (this.busy) this.#next(connection);
    else this.#idle?.();
  }

  /** Frees the compressors. */
  cleanup(): void {
    this.#outgoing.length = 0;
    this.#incoming.length = 0;
    this.#deflate.cleanup();
  }
}

function sizeOf(message: Incoming): number {
  if (message instanceof Compressed) return message.payload.length;
  return typeof message === 'string' || Buffer.isBuffer(message) ? message.length : 0;
}

function fault(error: Error): ProtocolError {
  if (codeOf(error) === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    return new ProtocolError(
      'PACKAGE_TOO_LARGE',
      'an inflated message is over the limit',
      CLOSE.tooBig,
    );
  }
  return new ProtocolError('DECOMPRESSION_FAILED', messageOf(error), CLOSE.invalidPayload);
}
