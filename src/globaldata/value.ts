import { misuse } from '../errors.ts';

/** Longest value, in bytes as it is stored. */
export const VALUE_MAX = 4_194_304;
/** Longest key, in bytes of UTF-8. */
export const KEY_MAX = 255;

/** In front of bytes; no JSON begins like this. */
const BYTES = 1;

/**
 * A value as it is stored and sent: bytes behind a 1, everything else as JSON in which the keys of objects are in order,
 * so that equal values are equal bytes. Pure.
 *
 * @throws {TypeError} `GLOBALDATA_INVALID` for what JSON cannot hold: functions, symbols, bigints, cycles, `undefined`
 * @throws {RangeError} `GLOBALDATA_INVALID` for more than 4 MiB
 */
export function encodeValue(value: unknown): Buffer {
  const bytes = value instanceof Uint8Array ? marked(value) : Buffer.from(json(value));
  if (bytes.length <= VALUE_MAX) return bytes;
  throw misuse(
    'GLOBALDATA_INVALID',
    `a value has ${bytes.length} bytes, at most ${VALUE_MAX}: keep large data elsewhere, and where it is here`,
    'range',
  );
}

function marked(value: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + value.length);
  bytes[0] = BYTES;
  bytes.set(value, 1);
  return bytes;
}

function json(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value, inOrder);
  } catch (error) {
    throw misuse('GLOBALDATA_INVALID', `this value cannot be stored: ${(error as Error).message}`);
  }
  if (text !== undefined) return text;
  throw misuse('GLOBALDATA_INVALID', `a value of type ${typeof value} cannot be stored`);
}

function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The value again.
 *
 * @throws {SyntaxError} if somebody else has stored something that is no JSON
 */
export function decodeValue(bytes: Buffer): unknown {
  return bytes[0] === BYTES ? bytes.subarray(1) : JSON.parse(bytes.toString());
}

/**
 * A stored value as a whole number; `undefined` if it is none, or greater than a number can count exactly (2^53).
 */
export function wholeOf(bytes: Buffer): number | undefined {
  if (bytes.length > 17) return undefined;
  const text = bytes.toString('latin1');
  const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/**
 * A key, as it came.
 *
 * @throws {RangeError|TypeError} `GLOBALDATA_INVALID` unless it has 1 to 255 bytes of UTF-8
 */
export function checkedKey(key: string): string {
  // Programs without types give anything.
  if (typeof key !== 'string')
    throw misuse('GLOBALDATA_INVALID', `a key is a ${typeof key}, expected text`);
  const length = Buffer.byteLength(key);
  if (length >= 1 && length <= KEY_MAX) return key;
  const message = `a key has 1 to ${KEY_MAX} bytes, this one has ${length}`;
  throw misuse('GLOBALDATA_INVALID', message, 'range');
}
