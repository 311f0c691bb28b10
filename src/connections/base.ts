import { isIPv6 } from 'node:net';
import { clock } from '../clock.ts';
import type { ErrorCode } from '../errors.ts';
import type { Request } from '../http/request.ts';
import type { Endpoint } from '../transport/transport.ts';
import type { Worker } from '../worker.ts';
import type { Callbacks } from './callbacks.ts';
import { type AnyConnection, type Context, call, nextId, open, type Status } from './connection.ts';

/**
 * What all connections have, whatever they speak: identity, addresses, callbacks, a place for the program's own values.
 *
 * @typeParam C the concrete connection, which callbacks get @typeParam In what a decoded message is
 */
export abstract class BaseConnection<C, In> implements Callbacks<C, In> {
  /** 1, 2, 3 … in this process. Not unique over processes. */
  readonly id: number = nextId();
  /** The Worker that accepted it; `undefined` for outgoing connections. */
  readonly worker: Worker | undefined;
  /**
   * Set it to true once the peer has proved who it is; the Worker's `closeUnauthenticatedAfter` then lets it live.
   */
  authenticated = false;
  /** Bytes received so far. */
  bytesRead = 0;

  onConnect: ((connection: C) => unknown) | undefined;
  onWebSocketConnect: ((connection: C, request: Request) => unknown) | undefined;
  onMessage: ((connection: C, message: In) => unknown) | undefined;
  onClose: ((connection: C) => unknown) | undefined;
  onBufferFull: ((connection: C) => unknown) | undefined;
  onBufferDrain: ((connection: C) => unknown) | undefined;
  onError: ((connection: C, code: ErrorCode, message: string) => unknown) | undefined;
  onPing: ((connection: C, payload: Buffer) => unknown) | undefined;
  onPong: ((connection: C, payload: Buffer) => unknown) | undefined;

  /** @internal tenths of a second, see `clock.ts` */
  readonly openedAt: number = clock.tenths;
  /** @internal when the peer last sent anything */
  activeAt: number = clock.tenths;
  /** @internal when it was last pinged; 0 for never */
  pingedAt = 0;
  /** @internal `node:http` has it at the moment, and times it */
  lent = false;
  /** @internal */
  protected state: Status = 'initial';
  /** @internal set by PROXY protocol and `X-Forwarded-For` */
  protected peer: Endpoint | undefined = undefined;
  #context: Context | undefined = undefined;

  constructor(worker: Worker | undefined, callbacks: Callbacks<C, In>) {
    this.worker = worker;
    this.onConnect = callbacks.onConnect;
    this.onWebSocketConnect = callbacks.onWebSocketConnect;
    this.onMessage = callbacks.onMessage;
    this.onClose = callbacks.onClose;
    this.onBufferFull = callbacks.onBufferFull;
    this.onBufferDrain = callbacks.onBufferDrain;
    this.onError = callbacks.onError;
    this.onPing = callbacks.onPing;
    this.onPong = callbacks.onPong;
  }

  /** Where this connection stands. */
  get status(): Status {
    return this.state;
  }

  /** The program's own values; empty at first. */
  get context(): Context {
    this.#context ??= {};
    return this.#context;
  }

  /** What carries the bytes. */
  abstract readonly transport: 'tcp' | 'unix' | 'ssl';
  /** The protocol's name, as `connections` shows it. */
  abstract readonly protocolName: string;
  /** Bytes sent so far that the kernel has taken. */
  abstract readonly bytesWritten: number;
  /** @internal the file descriptor, -1 when it is closed */
  abstract readonly fd: number;
  protected abstract readonly remote: Endpoint;
  protected abstract readonly local: Endpoint;
  /** Bytes that wait to be written. */
  abstract getSendBufferQueueSize(): number;
  /** Ends the connection at once; queued bytes are lost. */
  abstract destroy(): void;
  /** @internal ends it with a label for the metrics and a WebSocket close code */
  abstract end(label: string, code: number, reason: string): void;

  /** @internal bytes received that are no whole message yet */
  getRecvBufferQueueSize(): number {
    return 0;
  }

  /** The client's address; behind a trusted proxy the one the proxy names. '' for a unix socket. */
  getRemoteIp(): string {
    return (this.peer ?? this.remote).address;
  }

  getRemotePort(): number {
    return (this.peer ?? this.remote).port;
  }

  /** `ip:port`, IPv6 in brackets. */
  getRemoteAddress(): string {
    return written(this.peer ?? this.remote);
  }

  getLocalIp(): string {
    return this.local.address;
  }

  getLocalPort(): number {
    return this.local.port;
  }

  getLocalAddress(): string {
    return written(this.local);
  }

  isIpV4(): boolean {
    return this.getRemoteIp() !== '' && !this.isIpV6();
  }

  isIpV6(): boolean {
    return isIPv6(this.getRemoteIp());
  }

  /** @internal who a trusted proxy says the client is */
  setPeer(peer: Endpoint | undefined): void {
    this.peer = peer;
  }

  protected register(self: AnyConnection): void {
    open.set(this.id, self);
  }

  protected unregister(): void {
    open.delete(this.id);
  }

  protected report(self: C, code: ErrorCode, message: string): void {
    call('onError', this.onError, self, code, message);
  }
}

function written({ address, port }: Endpoint): string {
  if (address === '') return '';
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
