import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { clock } from '../clock.ts';
import { Request } from '../http/request.ts';
import { Response } from '../http/response.ts';
import { EventStream, HttpStream } from '../http/streams.ts';
import { unmapped } from '../protocols/forwarded.ts';
import { bytesOf } from '../protocols/protocol.ts';
import type { Endpoint } from '../transport/transport.ts';
import type { Worker } from '../worker.ts';
import { BaseConnection } from './base.ts';
import type { Callbacks } from './callbacks.ts';
import { call, failed, leaving, type SendResult, tally } from './connection.ts';

/** What an HTTP connection gets from its Worker. */
export type HttpOwner = {
  readonly worker: Worker | undefined;
  readonly callbacks: Callbacks<HttpConnection, Request>;
  /** Who the client of this request is, where a trusted proxy says so. */
  client(peer: string, forwarded: string | undefined): string;
  closed(connection: HttpConnection): void;
  /** Bytes of a stream that may wait for its client. */
  readonly maxSendBufferSize: number;
};

/** A request and the way to answer it. */
type Exchange = {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
};

const HTML = 'text/html;charset=utf-8';

/**
 * One client of an HTTP worker, over all its requests. Requests are handed to `onMessage` one after the other: the next
 * one when the one before is answered, as pipelining clients expect.
 */
export class HttpConnection extends BaseConnection<HttpConnection, Request> {
  readonly protocolName = 'http';
  readonly #socket: Socket;
  readonly #owner: HttpOwner;
  readonly #remote: Endpoint;
  /** Who a PROXY header says is at the other end. */
  #proxied: Endpoint | undefined = undefined;
  #current: Exchange | undefined = undefined;
  #waiting: Exchange[] = [];
  #closing = false;
  #sent = 0;
  #label = '';

  /** @internal */
  constructor(socket: Socket, owner: HttpOwner) {
    super(owner.worker, owner.callbacks);
    this.#socket = socket;
    this.#owner = owner;
    this.#remote = { address: unmapped(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    this.state = 'established';
    this.register(this);
    socket.on('end', () => {
      this.#label ||= 'peer';
      tally.counts.client_close += 1;
    });
    socket.on('error', () => {
      this.#label ||= 'reset';
    });
    socket.on('close', () => this.#closed());
  }

  get transport(): 'tcp' | 'unix' | 'ssl' {
    if ('encrypted' in this.#socket) return 'ssl';
    return this.#remote.address === '' ? 'unix' : 'tcp';
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  get fd(): number {
    return (this.#socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1;
  }

  protected get remote(): Endpoint {
    return this.#remote;
  }

  protected get local(): Endpoint {
    return {
      address: unmapped(this.#socket.localAddress ?? ''),
      port: this.#socket.localPort ?? 0,
    };
  }

  getSendBufferQueueSize(): number {
    return this.#socket.writableLength + (this.#current?.response.writableLength ?? 0);
  }

  /** @internal a whole request is there */
  requested(exchange: Exchange): void {
    this.activeAt = clock.tenths;
    if (this.#current) this.#waiting.push(exchange);
    else this.#handle(exchange);
  }

  #handle(exchange: Exchange): void {
    this.#current = exchange;
    const { message, response, body } = exchange;
    if (this.#closing || leaving.now) response.shouldKeepAlive = false;
    tally.counts.total_request += 1;
    this.#countBytes();
    response.on('close', () => this.#answered(exchange));
    this.#believe(message.headers['x-forwarded-for'] as string | undefined);
    this.#callOnMessage(new Request(message, body), response);
  }

  /** @internal */
  override setPeer(peer: Endpoint | undefined): void {
    this.#proxied = peer;
    super.setPeer(peer);
  }

  /** For each request anew: a proxy sends those of many clients over one connection. */
  #believe(forwarded: string | undefined): void {
    const { address } = this.#proxied ?? this.#remote;
    const client = this.#owner.client(address, forwarded);
    this.peer = client === address ? this.#proxied : { address: client, port: 0 };
  }

  #callOnMessage(request: Request, response: ServerResponse): void {
    const fail = (error: unknown) => {
      failed('onMessage', error);
      if (response.headersSent) response.destroy();
      else if (!response.writableEnded)
        response
          .writeHead(500, { 'content-type': 'text/plain' })
          .end('500 Internal Server Error\n');
    };
    try {
      const result = this.onMessage?.(this, request) ?? this.#unhandled();
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  /** `node:http` moves the bytes, so they are counted from time to time. */
  #countBytes(): void {
    const { bytesRead, bytesWritten } = this.#socket;
    tally.counts.bytes_received += bytesRead - this.bytesRead;
    tally.counts.bytes_sent += bytesWritten - this.#sent;
    this.bytesRead = bytesRead;
    this.#sent = bytesWritten;
  }

  #unhandled(): void {
    if (!this.onMessage) this.send(new Response('404 Not Found\n', { status: 404 }));
  }

  #answered(exchange: Exchange): void {
    tally.counts.messages_sent += 1;
    this.#countBytes();
    if (this.#current !== exchange) return;
    this.#current = undefined;
    const next = this.#waiting.shift();
    if (next && this.state === 'established') this.#handle(next);
    else if (this.#closing || leaving.now) this.#socket.end();
  }

  /**
   * Answers the current request.
   *
   * @param answer a `Response`; or a body, sent with status 200
   * @returns `true`: the kernel has it; `null`: it waits to be sent; `false`: the client is gone, or the request is
   *          answered already
   */
  send(answer: Response | string | Uint8Array): SendResult {
    const response = this.#current?.response;
    if (!response || response.headersSent || response.destroyed) return false;
    const { status, body, headers } =
      answer instanceof Response
        ? { status: answer.status, body: answer.body, headers: answer.allHeaders() }
        : plain(answer);
    // Before anything is written: what cannot be sent is answered with 500.
    if (typeof body !== 'string') bytesOf(body);
    if (this.#closing || leaving.now) response.shouldKeepAlive = false;
    response.writeHead(
      status,
      status === 204 || status === 304 ? headers : withType(headers, body),
    );
    response.end(body);
    return this.#socket.writableLength === 0 ? true : null;
  }

  /** Begins an answer of unknown length. */
  stream(options: { status?: number; headers?: OutgoingHttpHeaders } = {}): HttpStream {
    const response = this.#begin(options.status ?? 200, {
      'content-type': HTML,
      ...options.headers,
    });
    return new HttpStream(response, this);
  }

  /** Begins an answer of server-sent events. */
  events(options: { headers?: OutgoingHttpHeaders } = {}): EventStream {
    const headers = {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      ...options.headers,
    };
    return new EventStream(this.#begin(200, headers), this);
  }

  /** Bytes of `stream()` and `events()` that may wait; the Worker's option. */
  get maxSendBufferSize(): number {
    return this.#owner.maxSendBufferSize;
  }

  /** @internal */
  dropped(): false {
    tally.counts.send_fail += 1;
    const why = `${this.getSendBufferQueueSize()} bytes wait, limit ${this.maxSendBufferSize}: message dropped`;
    this.report(this, 'SEND_BUFFER_FULL', why);
    return false;
  }

  /** @internal */
  full(): void {
    tally.counts.buffer_full += 1;
    call('onBufferFull', this.onBufferFull, this);
  }

  #begin(status: number, headers: OutgoingHttpHeaders): ServerResponse {
    const response = this.#current?.response;
    if (!response || response.headersSent)
      throw new Error('there is no request to answer, or it is answered already');
    response.on('drain', () => call('onBufferDrain', this.onBufferDrain, this));
    response.writeHead(status, headers);
    response.flushHeaders();
    return response;
  }

  /** @internal the request and answer of `node:http`, for handlers written for them */
  get exchange():
    | { readonly message: IncomingMessage; readonly response: ServerResponse }
    | undefined {
    return this.#current;
  }

  /** Answers the current request with `data`, if given, then ends the connection once everything is sent. */
  close(data?: Response | string | Uint8Array): void {
    this.#closing = true;
    if (data !== undefined) this.send(data);
    this.end('local', 0, '');
  }

  /** @internal */
  end(label: string, _code: number, _reason: string): void {
    this.#closing = true;
    this.#label ||= label;
    if (!this.#current) this.#socket.end();
    else if (!this.#current.response.headersSent) this.#current.response.shouldKeepAlive = false;
  }

  destroy(): void {
    this.#label ||= 'local';
    this.#socket.destroy();
  }

  #closed(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#label ||= 'local';
    this.#countBytes();
    tally.closes[this.#label] = (tally.closes[this.#label] ?? 0) + 1;
    this.#waiting = [];
    call('onClose', this.onClose, this);
    this.unregister();
    this.#owner.closed(this);
  }
}

function plain(body: string | Uint8Array): {
  status: number;
  body: string | Uint8Array;
  headers: OutgoingHttpHeaders;
} {
  return { status: 200, body, headers: {} };
}

function withType(headers: OutgoingHttpHeaders, body: string | Uint8Array): OutgoingHttpHeaders {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const has = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  const type =
    has || length === 0
      ? {}
      : { 'content-type': typeof body === 'string' ? HTML : 'application/octet-stream' };
  return { ...type, ...headers, 'content-length': length };
}
