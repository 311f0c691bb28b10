/** Frames made by hand, byte by byte as RFC 6455 section 5.2 draws them, for tests of our own encoder and decoder. */

export const FIN = 0x80;
export const MASK: Buffer = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/**
 * @param first FIN, reserved bits and opcode
 * @param mask `undefined` for an unmasked frame
 */
export function frameOf(first: number, payload: string | Uint8Array = '', mask?: Buffer): Buffer {
  const bytes = Buffer.from(payload as string);
  const head = headOf(first, bytes.length, mask !== undefined);
  if (!mask) return Buffer.concat([head, bytes]);
  return Buffer.concat([head, mask, bytes.map((byte, i) => byte ^ (mask[i % 4] as number))]);
}

/** The head alone, without mask bytes; `length` may be one that no payload has. */
export function headOf(first: number, length: number | bigint, masked: boolean): Buffer {
  const bit = masked ? 0x80 : 0;
  if (length < 126) return Buffer.from([first, bit | Number(length)]);
  const short = length < 65_536;
  const head = Buffer.alloc(short ? 4 : 10);
  head[0] = first;
  head[1] = bit | (short ? 126 : 127);
  if (short) head.writeUInt16BE(Number(length), 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** A frame as a client sends it. */
export const masked = (first: number, payload: string | Uint8Array = ''): Buffer =>
  frameOf(first, payload, MASK);
