/** The kinds of fields that messages on inner ports are made of. Pure. */

/** How a field is written. */
export type Field<T> = {
  size(value: T): number;
  write(value: T, bytes: Buffer, at: number): void;
  /** Where the field that begins at `at` ends; -1 if that cannot be. It may be behind the end of the bytes. */
  end(bytes: Buffer, at: number): number;
  read(bytes: Buffer, at: number, end: number): T;
};

/** 8 bits. */
export const byte: Field<number> = {
  size: () => 1,
  write: (value, bytes, at) => void bytes.writeUInt8(value, at),
  end: (_, at) => at + 1,
  read: (bytes, at) => bytes[at] as number,
};

/** One byte, 0 or 1. */
export const flag: Field<boolean> = {
  size: () => 1,
  write: (value, bytes, at) => void bytes.writeUInt8(value ? 1 : 0, at),
  end: (bytes, at) => ((bytes[at] ?? 0) > 1 ? -1 : at + 1),
  read: (bytes, at) => bytes[at] === 1,
};

/** 32 bits, big-endian; what is greater is written as the greatest. */
export const whole: Field<number> = {
  size: () => 4,
  write: (value, bytes, at) => void bytes.writeUInt32BE(Math.min(value, 0xffffffff), at),
  end: (_, at) => at + 4,
  read: (bytes, at) => bytes.readUInt32BE(at),
};

/** So many bytes. */
export const fixed = (length: number): Field<Buffer> => ({
  size: () => length,
  write: (value, bytes, at) => void bytes.set(value, at),
  end: (_, at) => at + length,
  read: (bytes, at, end) => bytes.subarray(at, end),
});

/** uint8 n, then n bytes of UTF-8; n is 1 or more. */
export const name: Field<string> = {
  size: (value) => 1 + Buffer.byteLength(value),
  write(value, bytes, at) {
    bytes[at] = bytes.write(value, at + 1);
  },
  end: (bytes, at) => ((bytes[at] ?? 1) === 0 ? -1 : at + 1 + (bytes[at] ?? 1)),
  read: (bytes, at, end) => bytes.toString('utf8', at + 1, end),
};

/** All that is left, in UTF-8. */
export const words: Field<string> = {
  size: (value) => Buffer.byteLength(value),
  write: (value, bytes, at) => void bytes.write(value, at),
  end: (bytes) => bytes.length,
  read: (bytes, at, end) => bytes.toString('utf8', at, end),
};

/** All that is left, at least one byte. */
export const rest: Field<Buffer> = {
  size: (value) => value.length,
  write: (value, bytes, at) => void bytes.set(value, at),
  end: (bytes, at) => (at < bytes.length ? bytes.length : -1),
  read: (bytes, at, end) => bytes.subarray(at, end),
};
