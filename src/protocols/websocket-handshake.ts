import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { faultOf, type Head } from './http-head.ts';

/**
 * The opening handshake of RFC 6455 section 4, read from bytes.
 *
 * `node:http` owns the handshake: everything that is not beyond doubt goes to it, and it alone refuses requests. What
 * is read here is the request that browsers and clients really send, whole in its first segment, because that way a
 * connection never becomes a `net.Socket`: measured at 10,000 idle connections this is the difference between 3.2-5.1
 * and about 1.2 KB each (`bench/README.md`).
 */

export type Handshake = {
  /** Path and query as sent. */
  readonly target: string;
  /** Lower-case names; each name occurs once in the request, else it was not read here. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the request; frames may follow behind it. */
  readonly size: number;
};

const REQUEST_LINE = /^GET (\/[\x21-\x7e]*) HTTP\/1\.1$/;
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e][\t\x20-\x7e]*)?)$/;
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const END = Buffer.from('\r\n\r\n');
/** As `node:http`: 16 KiB of head. */
const HEAD_MAX = 16_384;
const HEADERS_MAX = 100;

/**
 * @param bytes what the client sent first
 * @returns `undefined` unless this is a whole, ordinary WebSocket request; the caller then asks `node:http`
 */
export function readHandshake(bytes: Buffer): Handshake | undefined {
  if (bytes[0] !== 0x47) return undefined;
  const end = bytes.indexOf(END);
  if (end === -1 || end > HEAD_MAX) return undefined;
  const lines = bytes.toString('latin1', 0, end).split('\r\n');
  const target = REQUEST_LINE.exec(lines[0] as string)?.[1];
  if (target === undefined || lines.length > HEADERS_MAX) return undefined;
  const headers: Record<string, string> = Object.create(null);
  for (let i = 1; i < lines.length; i += 1) {
    const match = HEADER.exec(lines[i] as string);
    if (!match) return undefined;
    const name = (match[1] as string).toLowerCase();
    if (name in headers) return undefined;
    headers[name] = (match[2] as string).trimEnd();
  }
  return isOrdinary(headers) ? { target, headers, size: end + END.length } : undefined;
}

function isOrdinary(headers: Record<string, string>): boolean {
  return (
    headers['host'] !== undefined &&
    headers['upgrade']?.toLowerCase() === 'websocket' &&
    hasToken(headers['connection'], 'upgrade') &&
    headers['sec-websocket-version'] === '13' &&
    KEY.test(headers['sec-websocket-key'] ?? '') &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    headers['expect'] === undefined
  );
}

/** Whether a comma-separated header value contains a token, in any case. */
export function hasToken(value: string | undefined, token: string): boolean {
  return value?.split(',').some((each) => each.trim().toLowerCase() === token) ?? false;
}

/** The answer to a request that wants to upgrade but cannot; `undefined` if it can. */
export function refusal(
  request: Head & { readonly method?: string | undefined },
): Buffer | undefined {
  const { method, headers, httpVersion } = request;
  const fault = faultOf(request);
  if (fault !== undefined) return refusalOf(400, fault);
  if (method !== 'GET') return refusalOf(405, 'a WebSocket handshake is a GET', { Allow: 'GET' });
  if (httpVersion === '1.0') return refusalOf(400, 'a WebSocket handshake needs HTTP/1.1');
  // Who takes the bytes behind the head for a body and who takes them for frames must not depend on the server.
  if ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined)
    return refusalOf(400, 'a WebSocket handshake has no body');
  if (String(headers['upgrade']).toLowerCase() !== 'websocket') {
    return refusalOf(400, 'the Upgrade header is not "websocket"');
  }
  if (!KEY.test(String(headers['sec-websocket-key']))) {
    return refusalOf(400, 'Sec-WebSocket-Key is missing or not 16 bytes in base64');
  }
  if (headers['sec-websocket-version'] !== '13') {
    const wanted = { 'Sec-WebSocket-Version': '13', Upgrade: 'websocket' };
    return refusalOf(426, 'this server speaks WebSocket version 13', wanted);
  }
  return undefined;
}

/** `Sec-WebSocket-Accept` for a key (section 4.2.2). */
export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** A whole HTTP answer that refuses a handshake and ends the connection. */
export function refusalOf(status: number, text: string, headers: HandshakeHeaders = {}): Buffer {
  const body = Buffer.from(text === '' ? '' : `${text}\n`);
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n`;
  for (const name in headers) head += headerLine(name, headers[name] as string);
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]);
}

/** Header lines that the application adds to the 101, or the extension and subprotocol that were agreed on. */
export type HandshakeHeaders = Readonly<Record<string, string>>;

/**
 * The 101 response, ready to send.
 *
 * @param headers values with line breaks are refused with a `TypeError`, so that nobody can add a header through one
 */
export function handshakeResponse(key: string, headers: HandshakeHeaders): Buffer {
  let head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n`;
  for (const name in headers) head += headerLine(name, headers[name] as string);
  return Buffer.from(`${head}\r\n`, 'latin1');
}

function headerLine(name: string, value: string): string {
  const line = `${name}: ${value}`;
  if (!HEADER.test(line)) throw new TypeError(`not a header line: ${JSON.stringify(line)}`);
  return `${line}\r\n`;
}

/**
 * The subprotocol to speak: the first of ours that the client offers, as section 4.2.2 lets the server choose.
 *
 * @param offered the request's `Sec-WebSocket-Protocol`
 */
export function chooseSubprotocol(
  offered: string | undefined,
  ours: readonly string[],
): string | undefined {
  if (offered === undefined) return undefined;
  const names = offered.split(',').map((name) => name.trim());
  return ours.find((name) => names.includes(name));
}
