import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Callbacks } from '../connections/callbacks.ts';
import { tally } from '../connections/connection.ts';
import type { HttpConnection, HttpOwner } from '../connections/http.ts';
import { TcpConnection } from '../connections/tcp.ts';
import type { Owner } from '../connections/writable.ts';
import type { Request } from '../http/request.ts';
import { Response } from '../http/response.ts';
import { clientAddress } from '../protocols/forwarded.ts';
import { socketOf } from '../transport/sockets.ts';
import { StreamTransport } from '../transport/stream.ts';
import type { Endpoint, Transport } from '../transport/transport.ts';
import type { AnyWorker } from '../worker.ts';
import type { AnyProtocol } from '../worker-types.ts';
import { httpServer } from './http.ts';
import { readProxy } from './proxy-stage.ts';
import { TlsStage } from './tls.ts';
import { trusting } from './trust.ts';
import { WebSocketGate } from './websocket.ts';

const NOTHING = Buffer.alloc(0);

/**
 * What happens to a connection between `accept` and its first message:
 *
 *     accept → within maxConnections? → PROXY header? → TLS? → http: node:http
 *                                                             websocket: handshake, see websocket.ts
 *                                                             else: a TcpConnection with the protocol
 */
export class StreamPort {
  readonly #worker: AnyWorker;
  readonly #protocol: AnyProtocol;
  readonly #owner: Owner;
  readonly #trusted: (address: string) => boolean;
  readonly #maxConnections: number;
  readonly #timeoutMs: number;
  readonly #tls: TlsStage | undefined;
  readonly #http: Server | undefined;
  readonly #gate: WebSocketGate | undefined;
  /** Connections accepted before the program was ready; `undefined` once it is. */
  #held: Transport[] | undefined;
  /** Plain HTTP connections to a WebSocket port. Not in `worker.connections`: a broadcast would answer their requests. */
  readonly pages: Map<number, HttpConnection> = new Map();
  /** Who a proxy says the client is, for connections that `node:http` has. */
  readonly #peers = new WeakMap<Socket, Endpoint>();

  constructor(
    worker: AnyWorker,
    scheme: string,
    protocol: AnyProtocol,
    sizes: { maxPackageSize: number; maxSendBufferSize: number; hold: boolean },
  ) {
    const { options } = worker;
    this.#held = sizes.hold ? [] : undefined;
    this.#worker = worker;
    this.#protocol = protocol;
    this.#trusted = trusting(options.trustedProxies ?? []);
    this.#maxConnections = options.limits?.maxConnections || Number.POSITIVE_INFINITY;
    this.#timeoutMs = (options.handshakeTimeout ?? 10) * 1000;
    const payload = scheme === 'websocket' ? options.websocket?.maxPayload : undefined;
    this.#owner = {
      worker,
      callbacks: worker as unknown as Callbacks<TcpConnection, unknown>,
      maxSendBufferSize: sizes.maxSendBufferSize,
      maxPackageSize: payload ?? sizes.maxPackageSize,
      messagesPerSecond: options.limits?.messagesPerSecond ?? 0,
      closed: ({ id }) => void worker.connections.delete(id),
    };
    const alpn = scheme === 'http' || scheme === 'websocket' ? ['http/1.1'] : [];
    this.#tls = options.ssl && new TlsStage({ ssl: options.ssl, alpn, timeoutMs: this.#timeoutMs });
    if (scheme === 'websocket') this.#gate = this.#webSocketGate();
    if (scheme === 'http' || this.#gate) this.#http = this.#httpServer(sizes.maxPackageSize);
    if (this.#gate) this.#gate.http = this.#http;
  }

  /** Whether connections are to be accepted as `net.Socket`. */
  get wantsSockets(): boolean {
    return this.#tls !== undefined || (this.#http !== undefined && !this.#gate);
  }

  #webSocketGate(): WebSocketGate {
    const { websocket = {} } = this.#worker.options;
    const deflate = websocket.deflate === true ? {} : websocket.deflate || undefined;
    return new WebSocketGate({
      subprotocols: websocket.subprotocols ?? [],
      deflate,
      maxPayload: this.#owner.maxPackageSize,
      client: this.#client,
    });
  }

  #httpServer(bodyLimit: number): Server {
    const worker = this.#worker;
    const gate = this.#gate;
    const { http = {} } = worker.options;
    const requests = { onMessage: worker.onRequest ?? upgradeRequired };
    const connections = gate ? this.pages : worker.connections;
    const owner: HttpOwner = {
      worker,
      callbacks: (gate ? requests : worker) as Callbacks<HttpConnection, Request>,
      client: this.#client,
      closed: ({ id }) => void connections.delete(id),
      maxSendBufferSize: this.#owner.maxSendBufferSize,
    };
    return httpServer({
      owner,
      bodyLimit,
      headersTimeout: this.#timeoutMs,
      requestTimeout: Math.max(this.#timeoutMs, (http.requestTimeout ?? 60) * 1000),
      keepAliveTimeout: (http.keepAlive ?? 65) * 1000,
      connected: (connection, socket) => {
        gate?.keep(socket);
        connection.setPeer(this.#peers.get(socket));
        connections.set(connection.id, connection);
      },
      ...(gate ? { upgrade: (message, socket, head) => gate.upgrade(message, socket, head) } : {}),
    });
  }

  readonly #client = (peer: string, forwarded: string | undefined): string =>
    clientAddress(peer, forwarded, this.#trusted);

  /** A connection was accepted. */
  accept(transport: Transport): void {
    if (this.#worker.connections.size + this.pages.size >= this.#maxConnections) {
      tally.counts.rejected += 1;
      transport.destroy();
      return;
    }
    tally.counts.accepted += 1;
    if (this.#held) this.#held.push(transport);
    else this.#admit(transport);
  }

  /** Serves the connections that were held back. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const transport of held) this.#admit(transport);
  }

  #admit(transport: Transport): void {
    if (this.#worker.options.proxyProtocol && this.#trusted(transport.remote.address)) {
      readProxy(transport, this.#timeoutMs, (...all) => this.#secured(...all));
    } else this.#secured(transport, undefined, NOTHING);
  }

  #secured(transport: Transport, peer: Endpoint | undefined, rest: Buffer): void {
    if (!this.#tls) {
      this.#hand(transport, peer, rest);
      return;
    }
    const socket = socketOf(transport, rest);
    if (!socket) return;
    this.#tls.secure(socket, (secured) =>
      this.#hand(new StreamTransport(secured, 'ssl'), peer, NOTHING),
    );
  }

  #hand(transport: Transport, peer: Endpoint | undefined, rest: Buffer): void {
    if (this.#http && !this.#gate) {
      const socket = socketOf(transport, rest);
      if (!socket) return;
      if (peer) this.#peers.set(socket, peer);
      this.#http.emit('connection', socket);
      socket.resume();
      return;
    }
    const connection = new TcpConnection(this.#owner, this.#protocol);
    connection.setPeer(peer);
    this.#worker.connections.set(connection.id, connection);
    connection.attach(transport, this.#gate);
    if (!this.#gate) connection.announce();
    connection.start();
    if (rest.length > 0) connection.received(rest);
  }

  /** No more connections will be accepted. */
  stop(): void {
    this.#tls?.stop();
  }
}

function upgradeRequired(connection: HttpConnection): void {
  const headers = {
    upgrade: 'websocket',
    connection: 'upgrade, close',
    'content-type': 'text/plain',
  };
  connection.send(new Response('this is a WebSocket server\n', { status: 426, headers }));
}
