import { CLOSE } from '../contract.ts';
import { bytesOf, type Protocol, type Reaction } from './protocol.ts';
import { writeText } from './quick-buffer.ts';
import { Control, FrameDecoder, type Incoming, isValidCloseCode } from './websocket-frames.ts';
import { CONTROL_MAX, FIN, OPCODE, RSV1, writeHead } from './websocket-head.ts';

/** The frames of RFC 6455 as a protocol: text is `string`, binary is bytes, in both directions. */
export type WebSocketProtocol = Protocol<Incoming, string | Uint8Array> & {
  /** One data frame of a message that is deflated already (RFC 7692). */
  deflated(binary: boolean, payload: Uint8Array): Uint8Array;
};

export type WebSocketOptions = {
  /** A server takes masked frames and sends unmasked ones, a client the other way round. */
  readonly role: 'server' | 'client';
  /** Whether permessage-deflate was negotiated. */
  readonly deflate: boolean;
  /** Four fresh random bytes for each frame of a client (section 5.3: unpredictable). Servers need none. */
  readonly mask?: () => Uint8Array;
};

/** Makes the protocol for one role. One value serves any number of connections. */
export function websocket(options: WebSocketOptions): WebSocketProtocol {
  const { role, deflate } = options;
  const encoded = encoder(options);
  const control = (opcode: number, payload: Uint8Array) => encoded(FIN | opcode, payload);
  return {
    name: 'websocket',
    decoder: (limits) => new FrameDecoder({ role, deflate, maxPayload: limits.maxPackageSize }),
    encode: (message) =>
      encoded(FIN | (typeof message === 'string' ? OPCODE.text : OPCODE.binary), message),
    ...(role === 'server' ? { encodeInto: serverFrameInto } : {}),
    react: (message) => (message instanceof Control ? reaction(message, control) : undefined),
    closing: (code, reason) => control(OPCODE.close, closePayload(code, reason)),
    deflated: (binary, payload) =>
      encoded(FIN | RSV1 | (binary ? OPCODE.binary : OPCODE.text), payload),
    ping: (payload = new Uint8Array(0)) => control(OPCODE.ping, payload.subarray(0, CONTROL_MAX)),
  };
}

function reaction(
  frame: Control,
  control: (opcode: number, payload: Uint8Array) => Uint8Array,
): Reaction {
  if (frame.opcode === OPCODE.pong) return { event: 'pong', payload: frame.payload };
  if (frame.opcode === OPCODE.ping) {
    return { event: 'ping', payload: frame.payload, reply: control(OPCODE.pong, frame.payload) };
  }
  // Section 5.5.1: the answer to a close repeats its code.
  const echo = frame.code === CLOSE.noStatus ? new Uint8Array(0) : frame.payload.subarray(0, 2);
  return { reply: control(OPCODE.close, echo), close: { code: frame.code, reason: frame.reason } };
}

/** Code and reason of a close frame; the reason is cut to what fits, at a whole character. */
function closePayload(code: number, reason: string): Uint8Array {
  if (!isValidCloseCode(code)) return new Uint8Array(0);
  const bytes = Buffer.alloc(CONTROL_MAX);
  bytes.writeUInt16BE(code);
  return bytes.subarray(0, 2 + bytes.write(reason, 2));
}

type Encode = (first: number, message: string | Uint8Array) => Uint8Array;

function encoder({ role, mask }: WebSocketOptions): Encode {
  if (role === 'server') return rememberLast(serverFrame);
  if (!mask) throw new TypeError('a WebSocket client needs a source of masks');
  return (first, message) => clientFrame(first, message, mask());
}

/** Longest string whose frame is remembered; longest head of a server's frame. */
const SMALL = 4096;
const HEAD_MAX = 10;

function serverFrame(first: number, message: string | Uint8Array): Uint8Array {
  const payload = bytesOf(message);
  const frame = Buffer.allocUnsafe(payload.length + HEAD_MAX);
  const size = writeHead(frame, 0, first, payload.length, 0);
  frame.set(payload, size);
  return frame.subarray(0, size + payload.length);
}

function serverFrameInto(message: string | Uint8Array, out: Buffer, at: number): number {
  if (typeof message === 'string') return textFrameInto(message, out, at);
  const { length } = bytesOf(message);
  if (length + HEAD_MAX > out.length - at) return -1;
  const size = writeHead(out, at, FIN | OPCODE.binary, length, 0);
  out.set(message, at + size);
  return size + length;
}

/** The length in UTF-8 is only known afterwards, so the head's size is first taken for what ASCII would need. */
function textFrameInto(message: string, out: Buffer, at: number): number {
  if (message.length * 3 + HEAD_MAX > out.length - at) return -1;
  const guess = headSize(message.length);
  const length = writeText(out, message, at + guess);
  const size = headSize(length);
  if (size !== guess) out.copyWithin(at + size, at + guess, at + guess + length);
  writeHead(out, at, FIN | OPCODE.text, length, 0);
  return size + length;
}

const headSize = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10);

function clientFrame(first: number, message: string | Uint8Array, mask: Uint8Array): Uint8Array {
  const payload = bytesOf(message);
  const frame = Buffer.allocUnsafe(payload.length + 14);
  let at = writeHead(frame, 0, first, payload.length, 0x80);
  frame.set(mask, at);
  at += 4;
  for (let i = 0; i < payload.length; i += 1)
    frame[at + i] = (payload[i] as number) ^ (mask[i & 3] as number);
  return frame.subarray(0, at + payload.length);
}

/**
 * Gives the same bytes again while the same message is encoded in a row: a broadcast that sends one value to each of
 * 10,000 connections encodes it once. Only strings, which cannot change in between, and only small results are kept.
 */
function rememberLast(encode: Encode): Encode {
  let lastFirst = -1;
  let lastMessage = '';
  let lastBytes = new Uint8Array(0);
  return (first, message) => {
    if (first === lastFirst && message === lastMessage) return lastBytes;
    const bytes = encode(first, message);
    if (typeof message === 'string' && message.length <= SMALL) {
      lastFirst = first;
      lastMessage = message;
      lastBytes = bytes as Uint8Array<ArrayBuffer>;
    }
    return bytes;
  };
}
