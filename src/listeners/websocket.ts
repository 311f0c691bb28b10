import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { failed, tally } from '../connections/connection.ts';
import { acceptDeflate, type DeflateOptions, DeflatePipe } from '../connections/deflate.ts';
import { BY_OPENING, type Opening } from '../connections/readable.ts';
import type { TcpConnection } from '../connections/tcp.ts';
import { Request } from '../http/request.ts';
import { type WebSocketProtocol, websocket } from '../protocols/websocket.ts';
import {
  chooseSubprotocol,
  type Handshake,
  handshakeResponse,
  readHandshake,
  refusal,
  refusalOf,
} from '../protocols/websocket-handshake.ts';
import { socketOf, transportOfSocket } from '../transport/sockets.ts';

/** What a WebSocket listener agrees to. */
export type WebSocketSettings = {
  /** Subprotocols that we speak, the preferred one first. */
  readonly subprotocols: readonly string[];
  /** `undefined`: no compression. */
  readonly deflate: DeflateOptions | undefined;
  readonly maxPayload: number;
  /** Who the client is, where a trusted proxy says so. */
  client(peer: string, forwarded: string | undefined): string;
};

const plain = websocket({ role: 'server', deflate: false });
const deflating = websocket({ role: 'server', deflate: true });

/** The protocol of a connection whose handshake is not through. */
export const serverProtocol: WebSocketProtocol = plain;

/**
 * The WebSocket side of a port: reads the request, asks the program, answers with 101, or leaves the connection to
 * `node:http`, which answers plain requests and refuses bad ones.
 */
export class WebSocketGate implements Opening {
  readonly #settings: WebSocketSettings;
  /** Answers what is not a handshake beyond doubt; set once the server exists. */
  http: Server | undefined = undefined;
  /** Connections that `node:http` has, by socket, until it turns out what they are. */
  readonly #lent = new WeakMap<Socket, TcpConnection>();

  constructor(settings: WebSocketSettings) {
    this.#settings = settings;
  }

  /** The first bytes of a connection. */
  received(connection: TcpConnection, chunk: Buffer): void {
    const handshake = readHandshake(chunk);
    if (handshake) this.#answer(connection, handshake, chunk.subarray(handshake.size));
    else this.#lend(connection, chunk);
  }

  #lend(connection: TcpConnection, chunk: Buffer): void {
    const carrier = connection.lend();
    const socket = carrier && socketOf(carrier, chunk);
    if (!socket || !this.http) {
      connection.closed(undefined);
      return;
    }
    this.#lent.set(socket, connection);
    socket.once('close', () => connection.closed(undefined));
    this.http.emit('connection', socket);
    socket.resume();
  }

  /** @internal it is plain HTTP after all */
  keep(socket: Socket): void {
    this.#lent.get(socket)?.vanish();
  }

  /** @internal a request on a lent connection wants to upgrade */
  upgrade(message: IncomingMessage, socket: Socket, head: Buffer): void {
    const no = refusal(message);
    const connection = this.#lent.get(socket);
    if (no || !connection || connection.status === 'closed') {
      if (no) tally.counts.packet_err += 1;
      socket.end(no ?? '', () => socket.destroy());
      return;
    }
    socket.removeAllListeners();
    connection.takeBack(transportOfSocket(socket));
    const headers = message.headers as Record<string, string>;
    this.#answer(connection, { target: message.url ?? '/', headers }, head);
  }

  /** Before there was a request, silence is the answer; after it, the program did not want the connection. */
  refusal(connection: TcpConnection): Uint8Array | undefined {
    return connection.announced ? refusalOf(403, '') : undefined;
  }

  /** A request in order: asks the program, which may take its time, then answers. */
  #answer(connection: TcpConnection, handshake: Omit<Handshake, 'size'>, rest: Buffer): void {
    const { target, headers } = handshake;
    const request = new Request({ method: 'GET', url: target, headers });
    connection.believe(this.#settings.client(connection.getRemoteIp(), headers['x-forwarded-for']));
    connection.announce();
    const verdict = ask(connection, request);
    if (!verdict) {
      this.#open(connection, headers, rest);
      return;
    }
    const early = new Early(rest, this);
    connection.proceed(early);
    connection.pause(BY_OPENING);
    void verdict.then(() => {
      this.#open(connection, headers, early.bytes);
      connection.resume(BY_OPENING);
    });
  }

  #open(connection: TcpConnection, headers: Handshake['headers'], rest: Buffer): void {
    if (connection.status !== 'connecting') return;
    const { subprotocols, deflate, maxPayload } = this.#settings;
    const extra: Record<string, string> = { ...connection.handshakeHeaders };
    connection.handshakeHeaders = undefined;
    const subprotocol = chooseSubprotocol(headers['sec-websocket-protocol'], subprotocols);
    if (subprotocol !== undefined) extra['Sec-WebSocket-Protocol'] = subprotocol;
    connection.subprotocol = subprotocol;
    const agreed =
      deflate && acceptDeflate(headers['sec-websocket-extensions'], deflate, maxPayload);
    if (agreed) extra['Sec-WebSocket-Extensions'] = agreed.header;
    try {
      connection.sendControl(handshakeResponse(headers['sec-websocket-key'] as string, extra));
    } catch (error) {
      failed('handshakeHeaders', error);
      connection.refuse(500);
      return;
    }
    const pipe = agreed && new DeflatePipe(agreed.deflate, deflating, deflate?.threshold);
    if (connection.status === 'connecting')
      connection.opened(agreed ? deflating : plain, rest, pipe);
  }
}

/** Keeps what a client sends while the program thinks about its request: what was on its way when reading stopped. */
class Early implements Opening {
  bytes: Buffer;
  readonly #gate: WebSocketGate;

  constructor(rest: Buffer, gate: WebSocketGate) {
    this.bytes = Buffer.from(rest);
    this.#gate = gate;
  }

  received(_: TcpConnection, chunk: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, chunk]);
  }

  refusal(connection: TcpConnection): Uint8Array | undefined {
    return this.#gate.refusal(connection);
  }
}

/** Calls `onWebSocketConnect`; what it throws refuses the connection with 500. */
function ask(connection: TcpConnection, request: Request): Promise<void> | undefined {
  const fail = (error: unknown) => {
    failed('onWebSocketConnect', error);
    connection.refuse(500);
  };
  try {
    const result = connection.onWebSocketConnect?.(connection, request);
    return result instanceof Promise ? result.then(() => undefined, fail) : undefined;
  } catch (error) {
    fail(error);
    return undefined;
  }
}
