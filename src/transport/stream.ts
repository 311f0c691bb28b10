import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { unmapped } from '../protocols/forwarded.ts';
import type { Endpoint, Receiver, Transport, WriteResult } from './transport.ts';

/**
 * A socket as Node's streams give it: TLS, and everything where `transport/libuv.ts` is not available.
 *
 * The socket must have been made with `allowHalfOpen`, so that its end stays our decision.
 */
export class StreamTransport implements Transport {
  readonly kind: 'tcp' | 'unix' | 'ssl';
  receiver: Receiver | undefined = undefined;
  readonly #socket: Socket;
  readonly #remote: Endpoint;
  #waiting = false;
  #finishing = false;
  #error: Error | undefined = undefined;
  #lingering: NodeJS.Timeout | undefined = undefined;

  constructor(socket: Socket | TLSSocket, kind: 'tcp' | 'unix' | 'ssl') {
    this.kind = kind;
    this.#socket = socket;
    this.#remote = { address: unmapped(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    socket.setTimeout(0);
    socket.on('error', this.#onError).on('close', this.#onClose);
  }

  start(receiver: Receiver): void {
    this.receiver = receiver;
    // Another owner may have begun before.
    this.#socket.off('end', this.#onEnd).off('data', this.#onData);
    this.#socket.on('end', this.#onEnd).on('data', this.#onData);
    this.#socket.resume();
    if (this.#socket.destroyed) queueMicrotask(this.#onClose);
  }

  readonly #onError = (error: Error): void => {
    this.#error = error;
  };

  readonly #onData = (chunk: Buffer): void => {
    if (!this.#finishing) this.receiver?.received(chunk);
  };

  readonly #onEnd = (): void => {
    if (!this.#finishing) this.receiver?.ended();
    else if (this.#socket.writableFinished) this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    clearTimeout(this.#lingering);
    const receiver = this.receiver;
    this.receiver = undefined;
    receiver?.closed(this.#error);
  };

  /** Gives the socket away; this transport is over without `closed`. The next owner has to listen in the same turn. */
  release(): Socket | undefined {
    const socket = this.#socket;
    socket.off('error', this.#onError).off('close', this.#onClose);
    socket.off('end', this.#onEnd).off('data', this.#onData);
    this.receiver = undefined;
    return socket.destroyed ? undefined : socket;
  }

  write(bytes: Uint8Array): WriteResult {
    const socket = this.#socket;
    if (socket.destroyed || this.#finishing || !socket.writable) return 'failed';
    socket.write(bytes, this.#written);
    if (socket.destroyed) return 'failed';
    this.#waiting = socket.writableLength > 0;
    return this.#waiting ? 'queued' : 'written';
  }

  // Called for every write; only the one that empties the queue after there was one is worth telling.
  readonly #written = (error: Error | null | undefined): void => {
    if (error || !this.#waiting || this.#socket.writableLength > 0) return;
    this.#waiting = false;
    if (!this.#finishing) this.receiver?.drained();
  };

  get pendingBytes(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  finish(flushMs: number, lingerMs: number): void {
    if (this.#finishing || this.#socket.destroyed) return;
    this.#finishing = true;
    this.#closeIn(flushMs);
    this.#socket.end(() => this.#finished(lingerMs));
    this.#socket.resume();
  }

  #finished(lingerMs: number): void {
    if (this.#socket.readableEnded) this.#socket.destroy();
    else this.#closeIn(lingerMs);
  }

  #closeIn(ms: number): void {
    clearTimeout(this.#lingering);
    this.#lingering = setTimeout(() => this.#socket.destroy(), ms);
  }

  destroy(): void {
    if (this.#socket.destroyed) return;
    this.#socket.destroy();
    this.#onClose();
  }

  get remote(): Endpoint {
    return this.#remote;
  }

  get local(): Endpoint {
    return {
      address: unmapped(this.#socket.localAddress ?? ''),
      port: this.#socket.localPort ?? 0,
    };
  }

  get fd(): number {
    const handle = (this.#socket as unknown as { _handle?: { fd?: number } })._handle;
    return handle?.fd ?? -1;
  }
}
