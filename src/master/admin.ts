import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ENV } from '../contract.ts';
import { codeOf, LongshoreError, messageOf } from '../errors.ts';
import { log } from '../log.ts';
import { unmapped } from '../protocols/forwarded.ts';
import { type AdminActions, answer } from './admin-routes.ts';
import type { Settings } from './settings.ts';

/** Longest body of a call. */
const BODY_MAX = 1_048_576;
/** Open connections to the port; probes and scrapes need a handful. */
const CONNECTIONS_MAX = 64;

/**
 * A `node:http` server for admin calls.
 *
 * @param trusted whether callers need no token, because only the right ones can connect: the control socket
 */
export function adminServer(actions: AdminActions, trusted: boolean): Server {
  const server = createServer({
    headersTimeout: 5000,
    requestTimeout: 10_000,
    keepAliveTimeout: 30_000,
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.on('request', (message, response) => void serve(message, response, { actions, trusted }));
  return server;
}

/**
 * Opens the admin port.
 *
 * @returns its `host:port`; `undefined` if it is off, or if the default port is taken and nobody asked for it
 * @throws {LongshoreError} `ADMIN_PORT_TAKEN`
 */
export async function openAdminPort(
  server: Server,
  admin: Settings['admin'],
): Promise<string | undefined> {
  if (!admin) return undefined;
  const { host, port, asked } = admin;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port, exclusive: true }, resolve);
  try {
    await promise;
  } catch (error) {
    const why = `admin port ${host}:${port}: ${codeOf(error) === 'EADDRINUSE' ? 'taken' : messageOf(error)}`;
    if (asked)
      throw new LongshoreError(
        'ADMIN_PORT_TAKEN',
        `${why}; choose another with --admin HOST:PORT`,
        { cause: error },
      );
    log.warn(
      `${why}, perhaps by another Longshore; metrics and probes are off here (--admin 127.0.0.1:0 opens another port)`,
    );
    return undefined;
  }
  const bound = server.address();
  const real = typeof bound === 'object' && bound ? bound.port : port;
  return host.includes(':') ? `[${host}]:${real}` : `${host}:${real}`;
}

type Context = { readonly actions: AdminActions; readonly trusted: boolean };

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  context: Context,
): Promise<void> {
  try {
    const url = new URL(message.url ?? '/', 'http://admin');
    const body = await bodyOf(message);
    if (body === undefined) {
      response.shouldKeepAlive = false;
      send(response, {
        status: 413,
        type: 'text/plain',
        body: `the body is over the limit of ${BODY_MAX} bytes\n`,
      });
      return;
    }
    const request = {
      method: message.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      body,
      // Looked at only where it matters: a broken token file must not take the probes away.
      get allowed() {
        return context.trusted || isAllowed(message);
      },
    };
    send(response, await answer(request, context.actions));
  } catch (error) {
    log.error(`admin call failed: ${messageOf(error)}`);
    if (!response.headersSent)
      send(response, { status: 500, type: 'text/plain', body: `${messageOf(error)}\n` });
  }
}

function send(
  response: ServerResponse,
  { status, type, body }: { status: number; type: string; body: string },
): void {
  response
    .writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
    .end(body);
}

/** The body as text; `undefined` if it is too long. */
async function bodyOf(message: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    size += part.length;
    if (size <= BODY_MAX) parts.push(part);
  }
  return size <= BODY_MAX ? Buffer.concat(parts).toString() : undefined;
}

/** Whether the caller has shown the token; where there is none, whether it sits on this machine and is no web page. */
function isAllowed(message: IncomingMessage): boolean {
  const token = tokenNow();
  if (token !== undefined) return sameText(message.headers.authorization ?? '', `Bearer ${token}`);
  const { address } = (message.socket.address() ?? {}) as { address?: string };
  return isLoopback(address) && isLoopback(message.socket.remoteAddress) && isNoWebPage(message);
}

// A page in a browser on this machine could be made to call us: it cannot hide its origin, nor the name it called.
function isNoWebPage({ headers }: IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const local = host === 'localhost' || isLoopback(host);
  return local && headers.origin === undefined && (headers['sec-fetch-site'] ?? 'none') === 'none';
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = unmapped(address);
  return plain === '::1' || plain.startsWith('127.');
}

/** The token as it is now; a file is read each time, so that a rotated one counts at once. */
function tokenNow(): string | undefined {
  const file = process.env[ENV.adminTokenFile];
  if (file !== undefined && file !== '') {
    const token = readFileSync(file, 'utf8').trim();
    if (token === '') throw new Error(`${file} is empty`);
    return token;
  }
  return process.env[ENV.adminToken] || undefined;
}

/** Takes the same time for any wrong text, its length included. */
function sameText(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
