import type { Bounds, Position } from './engine.ts';

/** The fields that messages between channel clients and servers are made of. */
export type Fields = {
  version: number;
  /** Whether the server demands proof of a secret. */
  secured: boolean;
  nonce: Buffer;
  proof: Buffer;
  member: string;
  reason: string;
  flag: boolean;
  found: boolean;
  name: string;
  to: string;
  address: string;
  id: number;
  count: number;
  bounds: Bounds;
  position: Position;
  /** Format byte and value, or a whole message. */
  value: Buffer;
};

export type FieldName = keyof Fields;

/** Fields that a message of their kind may leave out. */
export const OPTIONAL = ['proof', 'member', 'bounds', 'position'] as const;

/** How a field is written. */
type Field<T> = {
  size(value: T): number;
  write(value: T, bytes: Buffer, at: number): void;
  /** Where the field that begins at `at` ends; -1 if that cannot be. It may be behind the end of the bytes. */
  end(bytes: Buffer, at: number): number;
  read(bytes: Buffer, at: number, end: number): T;
};

const EPOCH_BYTES = 8;

const byte: Field<number> = {
  size: () => 1,
  write: (value, bytes, at) => void bytes.writeUInt8(value, at),
  end: (_, at) => at + 1,
  read: (bytes, at) => bytes[at] as number,
};

const flag: Field<boolean> = {
  size: () => 1,
  write: (value, bytes, at) => void bytes.writeUInt8(value ? 1 : 0, at),
  end: (bytes, at) => ((bytes[at] ?? 0) > 1 ? -1 : at + 1),
  read: (bytes, at) => bytes[at] === 1,
};

/** 32 bits, big-endian; what is greater is written as the greatest. */
const whole: Field<number> = {
  size: () => 4,
  write: (value, bytes, at) => void bytes.writeUInt32BE(Math.min(value, 0xffffffff), at),
  end: (_, at) => at + 4,
  read: (bytes, at) => bytes.readUInt32BE(at),
};

const fixed = (length: number): Field<Buffer> => ({
  size: () => length,
  write: (value, bytes, at) => void bytes.set(value, at),
  end: (_, at) => at + length,
  read: (bytes, at, end) => bytes.subarray(at, end),
});

/** uint8 n, then n bytes of UTF-8; n is 1 or more. */
const name: Field<string> = {
  size: (value) => 1 + Buffer.byteLength(value),
  write(value, bytes, at) {
    bytes[at] = bytes.write(value, at + 1);
  },
  end: (bytes, at) => ((bytes[at] ?? 1) === 0 ? -1 : at + 1 + (bytes[at] ?? 1)),
  read: (bytes, at, end) => bytes.toString('utf8', at + 1, end),
};

/** All that is left, in UTF-8. */
const words: Field<string> = {
  size: (value) => Buffer.byteLength(value),
  write: (value, bytes, at) => void bytes.write(value, at),
  end: (bytes) => bytes.length,
  read: (bytes, at, end) => bytes.toString('utf8', at, end),
};

/** All that is left, at least one byte. */
const rest: Field<Buffer> = {
  size: (value) => value.length,
  write: (value, bytes, at) => void bytes.set(value, at),
  end: (bytes, at) => (at < bytes.length ? bytes.length : -1),
  read: (bytes, at, end) => bytes.subarray(at, end),
};

/** uint32 size, uint32 seconds. */
const bounds: Field<Bounds> = {
  size: () => 8,
  write(value, bytes, at) {
    bytes.writeUInt32BE(value.size, at);
    bytes.writeUInt32BE(value.seconds, at + 4);
  },
  end: (_, at) => at + 8,
  read: (bytes, at) => ({ size: bytes.readUInt32BE(at), seconds: bytes.readUInt32BE(at + 4) }),
};

/** uint64 offset, then the epoch: 8 bytes, in programs as 16 hexadecimal digits. */
const position: Field<Position> = {
  size: () => 16,
  write(value, bytes, at) {
    bytes.writeUInt32BE(Math.floor(value.offset / 2 ** 32), at);
    bytes.writeUInt32BE(value.offset % 2 ** 32, at + 4);
    bytes.fill(0, at + 8, at + 8 + EPOCH_BYTES);
    bytes.write(value.epoch.slice(0, 2 * EPOCH_BYTES), at + 8, 'hex');
  },
  // An offset above 2^53 is nobody's.
  end: (bytes, at) => (at + 16 <= bytes.length && bytes.readUInt32BE(at) >= 2 ** 21 ? -1 : at + 16),
  read: (bytes, at, end) => ({
    offset: bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4),
    epoch: bytes.toString('hex', at + 8, end),
  }),
};

export const fields: { readonly [F in FieldName]: Field<Fields[F]> } = {
  version: byte,
  secured: flag,
  nonce: fixed(16),
  proof: fixed(32),
  member: name,
  reason: words,
  flag,
  found: flag,
  name,
  to: name,
  address: name,
  id: whole,
  count: whole,
  bounds,
  position,
  value: rest,
};
