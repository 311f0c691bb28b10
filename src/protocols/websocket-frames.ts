import { isUtf8 } from 'node:buffer';
import { CLOSE } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import type { Decoder } from './protocol.ts';
import { latin1Of } from './quick-buffer.ts';
import { CONTROL, checkHead, FIN, type Head, OPCODE, RSV1, readHead } from './websocket-head.ts';
import { unmask } from './websocket-mask.ts';

/**
 * Frames of RFC 6455 section 5, from bytes to messages.
 *
 *     byte 0: FIN 80 | RSV1 40 | RSV2 20 | RSV3 10 | opcode 0f      byte 1: MASK 80 | length 7f
 *     then    length 126: 2 bytes more, 127: 8 bytes more | 4 mask bytes if MASK | payload
 *
 * A stream is data messages, each of one or more frames (`text|binary, continuation*`, FIN on the last), with control
 * frames (close, ping, pong: FIN set, payload ≤ 125) allowed between any two frames, also inside a message.
 *
 * Invariants: the bytes of an unfinished message are ≤ `maxPayload`; a length field alone never allocates; nothing is
 * taken after a close frame or a fault.
 */

/** Empty frames are legal inside a message, so size alone does not bound their number. */
const FRAGMENTS_MAX = 65_536;

/** A ping, pong or close frame. For a close, `code` is 1005 when the frame carried none. */
export class Control {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly code: number;
  readonly reason: string;

  constructor(opcode: number, payload: Buffer, code = 0, reason = '') {
    this.opcode = opcode;
    this.payload = payload;
    this.code = code;
    this.reason = reason;
  }
}

/** A whole message that permessage-deflate still has to inflate (RFC 7692: RSV1 on its first frame). */
export class Compressed {
  readonly binary: boolean;
  readonly payload: Buffer;

  constructor(binary: boolean, payload: Buffer) {
    this.binary = binary;
    this.payload = payload;
  }
}

/** What the decoder yields: text as string, binary as Buffer, and what is not for the application. */
export type Incoming = string | Buffer | Control | Compressed;

export type FrameOptions = {
  /** A server requires masked frames, a client unmasked ones (section 5.1). */
  readonly role: 'server' | 'client';
  /** Longest message in bytes, over all its frames. */
  readonly maxPayload: number;
  /** Whether permessage-deflate was negotiated, so that RSV1 is allowed. */
  readonly deflate: boolean;
};

/** The frame whose payload is coming in. */
type Frame = {
  readonly first: number;
  readonly length: number;
  readonly mask: readonly number[] | undefined;
  got: number;
  bits: number;
  readonly parts: Buffer[];
};

/** The message whose frames are coming in. */
type Message = { readonly first: number; size: number; readonly parts: Buffer[] };

/** A payload in place: `bytes[start, end)`, and all its bytes OR-ed (255 if not looked at). */
type Payload = { bytes: Buffer; start: number; end: number; bits: number };

// One frame is handled at a time in a process, so these two are shared by all decoders and cost no memory per connection.
const head: Head = { first: 0, length: 0, masked: false, size: 0 };
const payload: Payload = { bytes: Buffer.alloc(0), start: 0, end: 0, bits: 0 };

export class FrameDecoder implements Decoder<Incoming> {
  error: ProtocolError | undefined = undefined;
  readonly #options: FrameOptions;
  /** A head that was cut; shorter than a whole one. */
  #held: Buffer | undefined = undefined;
  #frame: Frame | undefined = undefined;
  #message: Message | undefined = undefined;
  #closed = false;

  constructor(options: FrameOptions) {
    this.#options = options;
  }

  get held(): number {
    return (this.#held?.length ?? 0) + (this.#frame?.got ?? 0) + (this.#message?.size ?? 0);
  }

  push(chunk: Buffer): Incoming[] {
    const out: Incoming[] = [];
    try {
      this.#walk(chunk, out);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.error = error;
      this.#held = this.#frame = this.#message = undefined;
    }
    return out;
  }

  #walk(chunk: Buffer, out: Incoming[]): void {
    let at = 0;
    if (this.#frame) at = this.#more(this.#frame, chunk, 0, out);
    else if (this.#held) at = this.#completeHead(this.#held, chunk, out);
    while (at < chunk.length && !this.#closed) {
      if (!readHead(chunk, at, head)) {
        this.#check();
        this.#held = Buffer.from(chunk.subarray(at));
        return;
      }
      this.#check();
      const from = at + head.size;
      at =
        from + head.length <= chunk.length
          ? this.#here(chunk, from, out)
          : this.#begin(chunk, from, out);
    }
  }

  /** Adds bytes to a cut head until it is whole; gives how far into the chunk that led. */
  #completeHead(held: Buffer, chunk: Buffer, out: Incoming[]): number {
    const joined = Buffer.concat([held, chunk.subarray(0, 14)]);
    const whole = readHead(joined, 0, head);
    this.#check();
    this.#held = whole ? undefined : joined;
    if (!whole) return chunk.length;
    const mask = head.masked ? [...joined.subarray(head.size - 4, head.size)] : undefined;
    return this.#begin(chunk, head.size - held.length, out, mask);
  }

  /** The usual case: the frame lies whole in the chunk and is unmasked where it is. */
  #here(chunk: Buffer, from: number, out: Incoming[]): number {
    const end = from + head.length;
    payload.bits = head.masked ? unmask(chunk, from, end, chunk, from - 4) : 0xff;
    payload.bytes = chunk;
    payload.start = from;
    payload.end = end;
    this.#whole(head.first, out);
    return end;
  }

  #begin(chunk: Buffer, from: number, out: Incoming[], mask?: number[]): number {
    this.#frame = {
      first: head.first,
      length: head.length,
      mask: mask ?? (head.masked ? [...chunk.subarray(from - 4, from)] : undefined),
      got: 0,
      bits: head.masked ? 0 : 0xff,
      parts: [],
    };
    return this.#more(this.#frame, chunk, from, out);
  }

  /** Takes a piece of a payload that came in several chunks; gives where in the chunk it ends. */
  #more(frame: Frame, chunk: Buffer, from: number, out: Incoming[]): number {
    const end = Math.min(chunk.length, from + frame.length - frame.got);
    if (frame.mask) frame.bits |= unmask(chunk, from, end, frame.mask, 0, frame.got);
    if (end > from) frame.parts.push(Buffer.from(chunk.subarray(from, end)));
    frame.got += end - from;
    if (frame.got < frame.length) return end;
    this.#frame = undefined;
    payload.bytes =
      frame.parts.length === 1 ? (frame.parts[0] as Buffer) : Buffer.concat(frame.parts);
    payload.start = 0;
    payload.end = payload.bytes.length;
    payload.bits = frame.bits;
    this.#whole(frame.first, out);
    return end;
  }

  /** A frame is complete in `payload`. */
  #whole(first: number, out: Incoming[]): void {
    const opcode = first & 0x0f;
    if (opcode & CONTROL) out.push(this.#control(opcode));
    else if (first & FIN && !this.#message) out.push(dataMessage(first, payload));
    else this.#fragment(first, out);
  }

  #fragment(first: number, out: Incoming[]): void {
    this.#message ??= { first, size: 0, parts: [] };
    const message = this.#message;
    if (message.parts.length >= FRAGMENTS_MAX) {
      throw new ProtocolError(
        'TOO_MANY_FRAGMENTS',
        `a message in over ${FRAGMENTS_MAX} frames`,
        CLOSE.policy,
      );
    }
    message.parts.push(copyOf(payload.bytes, payload.start, payload.end));
    message.size += payload.end - payload.start;
    if ((first & FIN) === 0) return;
    this.#message = undefined;
    const bytes = Buffer.concat(message.parts, message.size);
    out.push(dataMessage(message.first, { bytes, start: 0, end: bytes.length, bits: 0xff }));
  }

  #control(opcode: number): Control {
    const bytes = copyOf(payload.bytes, payload.start, payload.end);
    if (opcode !== OPCODE.close) return new Control(opcode, bytes);
    this.#closed = true;
    return closeFrame(bytes);
  }

  /** What can be refused as soon as it is read: the head may be incomplete, `head` then holds what is known. */
  #check(): void {
    const { role, deflate, maxPayload } = this.#options;
    checkHead(head, { role, deflate, inMessage: this.#message !== undefined });
    const size = head.length + (this.#message?.size ?? 0);
    if (size > maxPayload && (head.first & CONTROL) === 0) {
      const found = `a message of at least ${size} bytes, limit ${maxPayload}`;
      throw new ProtocolError('PACKAGE_TOO_LARGE', found, CLOSE.tooBig);
    }
  }
}

/** A whole data message: text as string, binary as a copy, or still deflated. */
function dataMessage(first: number, { bytes, start, end, bits }: Payload): Incoming {
  const binary = (first & 0x0f) === OPCODE.binary;
  if (first & RSV1) return new Compressed(binary, copyOf(bytes, start, end));
  if (binary) return copyOf(bytes, start, end);
  return bits < 0x80 ? latin1Of(bytes, start, end) : textOf(bytes, start, end);
}

/** One new Buffer and no view in between: a quarter of a small message's cost. */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

/**
 * @throws {ProtocolError} `TEXT_NOT_UTF8`, close code 1007 (section 8.1)
 */
export function textOf(bytes: Buffer, start = 0, end: number = bytes.length): string {
  if (!isUtf8(bytes.subarray(start, end))) {
    throw new ProtocolError(
      'TEXT_NOT_UTF8',
      'a text message is not valid UTF-8',
      CLOSE.invalidPayload,
    );
  }
  return bytes.toString('utf8', start, end);
}

function closeFrame(bytes: Buffer): Control {
  if (bytes.length === 0) return new Control(OPCODE.close, bytes, CLOSE.noStatus);
  const code = bytes.length === 1 ? 0 : bytes.readUInt16BE(0);
  if (!isValidCloseCode(code)) {
    const what = bytes.length === 1 ? 'a close code of 1 byte' : `close code ${code}`;
    throw new ProtocolError('CLOSE_CODE', `${what} may not be sent`);
  }
  return new Control(OPCODE.close, bytes, code, textOf(bytes, 2));
}

/** Codes that may stand in a close frame (section 7.4 and the IANA registry; 3000-4999 are the application's). */
export function isValidCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
