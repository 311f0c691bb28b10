import { OPCODE, writeHead } from '../../src/protocols/websocket-head.ts';

/** What clients send and what comes back, byte by byte. Pure: the same number gives the same bytes. */

const FIN_TEXT = 0x80 | OPCODE.text;
const MASKED = 0x80;

/** Length of every text that is sent. */
export const TEXT_LENGTH = 64;

/** The text number `i`: 64 characters of ASCII, different for each number. */
export function textOf(i: number): string {
  const number = String(i).padStart(8, '0');
  return `message ${number} of many, all of one length, none twice: ${number}`.slice(
    0,
    TEXT_LENGTH,
  );
}

/** Four bytes that differ from frame to frame, as those of a client must (RFC 6455 section 5.3). */
export function maskOf(i: number): Buffer {
  const mask = Buffer.alloc(4);
  mask.writeInt32BE(Math.imul(i + 1, 0x9e3779b1) ^ 0x5bd1e995);
  return mask;
}

/** A text frame as a client sends it. */
export function maskedFrame(text: string, mask: Buffer): Buffer {
  const payload = Buffer.from(text);
  const frame = Buffer.alloc(payload.length + 14);
  const size = writeHead(frame, 0, FIN_TEXT, payload.length, MASKED);
  frame.set(mask, size);
  for (const [i, byte] of payload.entries()) frame[size + 4 + i] = byte ^ (mask[i % 4] as number);
  return frame.subarray(0, size + 4 + payload.length);
}

/** A text frame as a server sends it. */
export function plainFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const frame = Buffer.alloc(payload.length + 10);
  const size = writeHead(frame, 0, FIN_TEXT, payload.length, 0);
  frame.set(payload, size);
  return frame.subarray(0, size + payload.length);
}

/** A handshake of the size that browsers send: 13 headers, some 550 bytes. */
export function handshake(path: string, i: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(i >>> 0, 0);
  key.writeInt32BE(Math.imul(i + 1, 0x85ebca6b), 4);
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: chat.example.org',
    'Connection: Upgrade',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Upgrade: websocket',
    'Origin: https://chat.example.org',
    'Sec-WebSocket-Version: 13',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
    `Cookie: session=${key.toString('hex')}`,
    `Sec-WebSocket-Key: ${key.toString('base64')}`,
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
