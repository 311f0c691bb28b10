import { ProtocolError } from '../errors.ts';

/** The first 2 to 14 bytes of a frame: RFC 6455 section 5.2. */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export const FIN = 0x80;
export const RSV1 = 0x40;
const RSV2_RSV3 = 0x30;
const MASKED = 0x80;
/** Bit of the opcodes 8 and up. */
export const CONTROL = 8;
/** Longest payload of a control frame (section 5.5). */
export const CONTROL_MAX = 125;

export type Head = {
  /** FIN, RSV bits and opcode. */
  first: number;
  /** Payload bytes; 0 while unknown. */
  length: number;
  masked: boolean;
  /** Bytes of the head itself. */
  size: number;
};

/**
 * Reads the head at `bytes[at]` into `head`.
 *
 * @returns false if it is cut; `head` then holds what its first bytes say, with harmless values for the rest
 */
export function readHead(bytes: Buffer, at: number, head: Head): boolean {
  const available = bytes.length - at;
  head.first = bytes[at] as number;
  head.length = 0;
  if (available < 2) {
    head.size = 0;
    return false;
  }
  const second = bytes[at + 1] as number;
  head.masked = (second & MASKED) !== 0;
  const short = second & 0x7f;
  const extra = short < 126 ? 0 : short === 126 ? 2 : 8;
  head.size = 2 + extra + (head.masked ? 4 : 0);
  if (available < 2 + extra) return false;
  if (extra === 0) head.length = short;
  else if (extra === 2) head.length = (bytes[at + 2] as number) * 256 + (bytes[at + 3] as number);
  // Above 2^53 a number is not exact any more, but it is above every limit too.
  else head.length = bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6);
  return available >= head.size;
}

/** What decides whether a head is in order. */
export type Expected = {
  readonly role: 'server' | 'client';
  readonly deflate: boolean;
  readonly inMessage: boolean;
};

/**
 * @throws {ProtocolError} for a head that no peer may send here; close code 1002
 */
export function checkHead({ first, length, masked, size }: Head, expected: Expected): void {
  const opcode = first & 0x0f;
  checkBits(first, opcode, expected.deflate);
  if (opcode & CONTROL) {
    if ((first & FIN) === 0)
      throw new ProtocolError('FRAME_CONTROL_FRAGMENTED', 'a control frame without FIN');
    if (length > CONTROL_MAX) {
      const found = `a control frame of ${length} bytes, limit ${CONTROL_MAX}`;
      throw new ProtocolError('FRAME_CONTROL_TOO_LONG', found);
    }
  } else if ((opcode === OPCODE.continuation) !== expected.inMessage) {
    const found = expected.inMessage
      ? 'a new message inside another one'
      : 'a continuation of no message';
    throw new ProtocolError('FRAME_SEQUENCE', found);
  }
  if (size === 0) return;
  if (expected.role === 'server' && !masked) {
    throw new ProtocolError('FRAME_MASK_MISSING', 'a client has to mask its frames');
  }
  if (expected.role === 'client' && masked) {
    throw new ProtocolError('FRAME_MASK_UNEXPECTED', 'a server may not mask its frames');
  }
}

function checkBits(first: number, opcode: number, deflate: boolean): void {
  if (first & RSV2_RSV3)
    throw new ProtocolError('FRAME_RESERVED_BITS', 'reserved bit 2 or 3 is set');
  // RSV1 marks the first frame of a deflated data message only (RFC 7692 section 6).
  if (first & RSV1 && (!deflate || opcode === OPCODE.continuation || opcode & CONTROL)) {
    throw new ProtocolError(
      'FRAME_RESERVED_BITS',
      'reserved bit 1 is set but no extension allows it here',
    );
  }
  if (opcode > OPCODE.pong || (opcode > OPCODE.binary && opcode < OPCODE.close)) {
    throw new ProtocolError('FRAME_OPCODE', `opcode ${opcode} is not defined`);
  }
}

/**
 * The head of a frame to send.
 *
 * @param length payload bytes, below 2^53
 * @returns how many bytes of `out` were written from `at` on: 2, 4 or 10, without mask bytes
 */
export function writeHead(
  out: Uint8Array,
  at: number,
  first: number,
  length: number,
  maskBit: number,
): number {
  out[at] = first;
  if (length < 126) {
    out[at + 1] = length | maskBit;
    return 2;
  }
  if (length < 65_536) {
    out[at + 1] = 126 | maskBit;
    out[at + 2] = length >>> 8;
    out[at + 3] = length & 0xff;
    return 4;
  }
  out[at + 1] = 127 | maskBit;
  const view = new DataView(out.buffer, out.byteOffset + at + 2, 8);
  view.setUint32(0, Math.floor(length / 2 ** 32));
  view.setUint32(4, length % 2 ** 32);
  return 10;
}
