import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type Address, formatAddress, parseAddress } from '../address.ts';
import { codeOf, type ErrorCode, messageOf, misuse } from '../errors.ts';
import { frame } from '../protocols/frame.ts';
import { raw } from '../protocols/raw.ts';
import { text } from '../protocols/text.ts';
import { transportOfSocket } from '../transport/sockets.ts';
import type { AnyProtocol } from '../worker-types.ts';
import { openWebSocket } from './client-handshake.ts';
import { clientProtocol } from './client-mask.ts';
import { call } from './connection.ts';
import { TcpConnection } from './tcp.ts';

/** How an outgoing connection is made. */
export type ClientOptions = {
  /** A protocol of your own, over `tcp://`, `ssl://` or `unix://`. */
  readonly protocol?: AnyProtocol;
  /** Seconds until connecting, TLS and WebSocket handshake included, is given up. Default 10. */
  readonly timeout?: number;
  /** Address of this machine to connect from. */
  readonly localAddress?: string;
  /** For `ssl://` and `wss://`; verification is on unless `rejectUnauthorized` is false. */
  readonly tls?: ConnectionOptions;
  /** Header lines of a WebSocket request, for example `Origin`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** WebSocket subprotocols to offer; `connection.subprotocol` is what the server chose. */
  readonly subprotocols?: readonly string[];
  /** Offer permessage-deflate. Default false. */
  readonly deflate?: boolean;
  readonly maxSendBufferSize?: number;
  readonly maxPackageSize?: number;
};

const PORTS: Record<string, number> = { ws: 80, wss: 443 };
const PROTOCOLS: Record<string, AnyProtocol> = {
  tcp: raw,
  ssl: raw,
  tls: raw,
  unix: raw,
  text,
  frame,
  ws: clientProtocol,
  wss: clientProtocol,
};

/**
 * A connection that this process makes. Create it in a running process, for example in `onWorkerStart`, set callbacks,
 * then `connect()`. What is sent before it is open waits, within `maxSendBufferSize`.
 *
 * When connecting fails, `onError` is told (`CONNECT_FAILED` or `CONNECT_TIMEOUT`), then `onClose`; calling
 * `reconnect` there is how a lasting connection is kept.
 *
 * @example
 * const upstream = new AsyncTcpConnection('wss://example.com/feed');
 * upstream.onMessage = (connection, message) => console.log(message);
 * upstream.onClose = (connection) => upstream.reconnect(1);
 * upstream.connect();
 */
// biome-ignore lint/suspicious/noExplicitAny: as TcpConnection
export class AsyncTcpConnection<In = any, Out = any> extends TcpConnection<In, Out> {
  readonly #address: Address;
  readonly #options: ClientOptions;
  #socket: Socket | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #reconnect: NodeJS.Timeout | undefined = undefined;

  /**
   * @param address `scheme://host:port`, for WebSocket with path and query; schemes: tcp, ssl (or tls), unix, text,
   *                frame, ws, wss. The port of ws is 80 and of wss 443 unless named.
   * @throws {TypeError} `ADDRESS_INVALID`
   */
  constructor(address: string, options: ClientOptions = {}) {
    const scheme = address.slice(0, address.indexOf(':')).toLowerCase();
    const parsed = parseAddress(address, PORTS[scheme]);
    const protocol = options.protocol ?? PROTOCOLS[scheme];
    if (!protocol) {
      const known = Object.keys(PROTOCOLS).join(', ');
      throw misuse('ADDRESS_INVALID', `scheme "${scheme}" cannot be connected to; known: ${known}`);
    }
    super(
      {
        worker: undefined,
        callbacks: {},
        maxSendBufferSize: options.maxSendBufferSize ?? TcpConnection.defaultMaxSendBufferSize,
        maxPackageSize: options.maxPackageSize ?? TcpConnection.defaultMaxPackageSize,
        messagesPerSecond: 0,
        closed: () => {},
      },
      protocol,
    );
    this.#address = parsed;
    this.#options = options;
  }

  /** The host as given to the constructor. */
  getRemoteHost(): string {
    return this.#address.host;
  }

  /** Path and query as given to the constructor. */
  getRemoteURI(): string {
    return this.#address.target;
  }

  /** Connects, unless it is connecting or open already. */
  connect(): void {
    if (this.state !== 'initial' && this.state !== 'closed') return;
    this.cancelReconnect();
    if (this.state === 'closed') this.forgetSent();
    this.carrier = undefined;
    this.announced = true;
    this.state = 'connecting';
    const seconds = this.#options.timeout ?? 10;
    this.#timer = setTimeout(
      () => this.#fail('CONNECT_TIMEOUT', `no connection within ${seconds} s`),
      seconds * 1000,
    );
    const socket = this.#dial();
    this.#socket = socket;
    socket.once('error', (error) =>
      this.#fail('CONNECT_FAILED', messageOf(error) || (codeOf(error) ?? 'unknown')),
    );
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => this.#connected(socket));
  }

  #dial(): Socket {
    const { host, port, path, scheme } = this.#address;
    const { localAddress, tls } = this.#options;
    if (path !== undefined) return connectTcp({ path, allowHalfOpen: true });
    const where = {
      host,
      port,
      allowHalfOpen: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    };
    if (scheme !== 'ssl' && scheme !== 'tls' && scheme !== 'wss') return connectTcp(where);
    // Names only: RFC 6066 forbids addresses here.
    const servername = /[a-z]/i.test(host) && !host.includes(':') ? { servername: host } : {};
    return connectTls({ ...where, ...servername, ...tls });
  }

  #connected(socket: Socket): void {
    if (this.state !== 'connecting') return;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 55_000);
    if (this.#address.scheme === 'ws' || this.#address.scheme === 'wss') {
      this.#openWebSocket(socket);
      return;
    }
    clearTimeout(this.#timer);
    socket.removeAllListeners('error');
    this.#socket = undefined;
    this.attach(transportOfSocket(socket));
    call('onConnect', this.onConnect, this as TcpConnection);
    this.start();
  }

  #openWebSocket(socket: Socket): void {
    call('onConnect', this.onConnect, this as TcpConnection);
    const { host, port, target } = this.#address;
    const authority = PORTS[this.#address.scheme] === port ? host : `${host}:${port}`;
    const { maxPackageSize } = this.owner;
    openWebSocket(socket, { authority, target, ...this.#options, maxPackageSize }, (outcome) => {
      if (this.state !== 'connecting') return;
      if ('failed' in outcome) {
        this.#fail('HANDSHAKE_FAILED', outcome.failed);
        return;
      }
      clearTimeout(this.#timer);
      this.#socket = undefined;
      this.subprotocol = outcome.subprotocol;
      this.attach(transportOfSocket(outcome.socket), { received: () => {} });
      call('onWebSocketConnect', this.onWebSocketConnect, this as TcpConnection, outcome.answer);
      if (this.status !== 'connecting') return;
      this.opened(outcome.protocol as AnyProtocol, outcome.rest, outcome.deflate);
      this.start();
    });
  }

  #fail(code: ErrorCode, why: string): void {
    if (this.state !== 'connecting') return;
    this.report(this as TcpConnection, code, `${formatAddress(this.#address)}: ${why}`);
    this.destroy();
  }

  override destroy(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.on('error', () => {}).destroy();
    super.destroy();
  }

  /**
   * Connects anew after `delay` seconds, which replaces a pending attempt. An open connection is ended first. Callbacks
   * stay; what is sent meanwhile waits. With many clients add a random part to the delay, or they all return in the same instant.
   */
  reconnect(delay = 0): void {
    // Also one that is closing: its transport must not tell of its end when the next one is open.
    if (this.state !== 'initial' && this.state !== 'closed') {
      this.destroy();
      // In `onConnect` the transport is not started yet, and has nobody to tell of its end.
      this.closed(undefined);
    }
    // Behind it, because `onClose` may have asked for another attempt.
    this.cancelReconnect();
    this.forgetSent();
    this.carrier = undefined;
    this.state = 'initial';
    this.#reconnect = setTimeout(() => this.connect(), delay * 1000);
  }

  cancelReconnect(): void {
    clearTimeout(this.#reconnect);
    this.#reconnect = undefined;
  }
}
