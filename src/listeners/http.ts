import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { call, tally } from '../connections/connection.ts';
import { HttpConnection, type HttpOwner } from '../connections/http.ts';
import { codeOf } from '../errors.ts';
import { faultOf } from '../protocols/http-head.ts';

/** How `node:http` is set up. Times in milliseconds. */
export type HttpServerOptions = {
  readonly owner: HttpOwner;
  /** Longest body in bytes; a longer one is answered with 413. */
  readonly bodyLimit: number;
  /** Longest wait for the head of a request. */
  readonly headersTimeout: number;
  /** Longest wait for a whole request. */
  readonly requestTimeout: number;
  /** How long an idle keep-alive connection stays open. */
  readonly keepAliveTimeout: number;
  /** Takes requests that want another protocol; without it they are answered as if they did not. */
  readonly upgrade?: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  /** Told of each connection, once, before its `onConnect`. */
  readonly connected?: (connection: HttpConnection, socket: Socket) => void;
};

const connections = new WeakMap<Duplex, HttpConnection>();
/** Sockets on which a request was refused: nothing that comes behind it is looked at. */
const over = new WeakSet<Duplex>();

/** How long a refused client may go on sending. */
const LINGER_MS = 1000;

/**
 * A `node:http` server that listens nowhere: sockets are given to it with `emit('connection', socket)`.
 */
export function httpServer(options: HttpServerOptions): Server {
  const server = createServer({
    headersTimeout: options.headersTimeout,
    requestTimeout: options.requestTimeout,
    keepAliveTimeout: options.keepAliveTimeout,
    connectionsCheckingInterval: Math.min(1000, options.headersTimeout),
    noDelay: true,
    // We look at it ourselves, to count it as what it is.
    requireHostHeader: false,
  });
  const { upgrade } = options;
  server.on('connection', (socket: Socket) => {
    if (!upgrade) connectionOf(socket, options);
  });
  server.on('request', (message, response) => onRequest(message, response, options));
  server.on('checkContinue', (message, response) => {
    const wanted = !over.has(message.socket) && !refused(message, response, options.bodyLimit);
    if (wanted) response.writeContinue();
    onRequest(message, response, options);
  });
  if (upgrade)
    server.on('upgrade', (message, socket, head) => upgrade(message, socket as Socket, head));
  server.on('clientError', onClientError);
  // What begins to look after slow requests; a server that really listens gets it from `listen`.
  server.emit('listening');
  return server;
}

/** The connection on a socket; made when it is first asked for. */
function connectionOf(socket: Socket, options: HttpServerOptions): HttpConnection {
  const known = connections.get(socket);
  if (known) return known;
  const connection = new HttpConnection(socket, options.owner);
  connections.set(socket, connection);
  options.connected?.(connection, socket);
  call('onConnect', connection.onConnect, connection);
  return connection;
}

const NO_BODY = Buffer.alloc(0);

function onRequest(
  message: IncomingMessage,
  response: ServerResponse,
  options: HttpServerOptions,
): void {
  if (over.has(message.socket)) return;
  const connection = connectionOf(message.socket, options);
  if (response.headersSent || refused(message, response, options.bodyLimit)) return;
  const { headers } = message;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
    connection.requested({ message, response, body: NO_BODY });
    // Lets `node:http` see the end of the request, so that it goes on to the next one.
    message.resume();
    return;
  }
  collect(message, response, options.bodyLimit, (body) =>
    connection.requested({ message, response, body }),
  );
}

function collect(
  message: IncomingMessage,
  response: ServerResponse,
  limit: number,
  done: (body: Buffer) => void,
): void {
  const parts: Buffer[] = [];
  let size = 0;
  message.on('data', (part: Buffer) => {
    size += part.length;
    if (size <= limit) parts.push(part);
    else if (!response.headersSent)
      refuse(response, 413, `the body is over the limit of ${limit} bytes`);
  });
  message.on('end', () => {
    if (size <= limit) done(Buffer.concat(parts, size));
  });
}

/** Refuses at once what its head already condemns. */
function refused(message: IncomingMessage, response: ServerResponse, limit: number): boolean {
  const fault = faultOf(message);
  if (fault !== undefined) return refuse(response, 400, fault);
  const announced = Number(message.headers['content-length'] ?? 0);
  if (announced > limit)
    return refuse(response, 413, `a body of ${announced} bytes, limit ${limit}`);
  return false;
}

function refuse(response: ServerResponse, status: number, why: string): true {
  tally.counts.packet_err += 1;
  response.shouldKeepAlive = false;
  linger(response.req.socket);
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${why}\n`);
  return true;
}

/**
 * Lets the refusal arrive: `node:http` would destroy the socket behind it, and bytes of the request that are unread then
 * make the kernel send a reset, which overtakes the answer.
 */
function linger(socket: Socket): void {
  over.add(socket);
  socket.destroySoon = () => {
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
  };
}

const STATUS_OF_ERROR: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function onClientError(error: Error, socket: Duplex): void {
  tally.counts.packet_err += 1;
  if (!socket.writable || codeOf(error) === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = STATUS_OF_ERROR[codeOf(error) ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  );
}
