import { messageOf, misuse } from '../errors.ts';
import { encodeValue, NAME_MAX } from './format.ts';

/**
 * A name of a channel or a queue, as it came.
 *
 * @throws {RangeError} `CHANNEL_INVALID` unless it has 1 to 255 bytes of UTF-8
 * @throws {TypeError} `CHANNEL_INVALID` for what is no text
 */
export function checkedName(name: string): string {
  if (typeof name !== 'string')
    throw misuse('CHANNEL_INVALID', `a channel's name is text, this is ${String(name)}`);
  const length = Buffer.byteLength(name);
  if (length >= 1 && length <= NAME_MAX) return name;
  throw misuse(
    'CHANNEL_INVALID',
    `a channel's name has 1 to ${NAME_MAX} bytes, this one has ${length}`,
    'range',
  );
}

/** @throws {TypeError} `CHANNEL_INVALID` for what cannot be called */
export function checkedCallback<C>(callback: C): C {
  if (typeof callback === 'function') return callback;
  throw misuse('CHANNEL_INVALID', `the callback is ${String(callback)}, expected a function`);
}

/**
 * Longest value that can be published or enqueued: a server takes messages of 10 MiB, and one server may have to wrap it
 * up for another.
 */
export const VALUE_MAX = 10_484_736;

/**
 * What is published, as it travels.
 *
 * @throws {TypeError} `CHANNEL_INVALID` for what cannot travel
 * @throws {RangeError} `CHANNEL_INVALID` for what is too long
 */
export function checkedValue(data: unknown): Buffer {
  const value = travelling(data);
  if (value.length <= VALUE_MAX) return value;
  const hint = 'keep large data elsewhere, and where it is in the message';
  throw misuse(
    'CHANNEL_INVALID',
    `the message has ${value.length} bytes, at most ${VALUE_MAX}: ${hint}`,
    'range',
  );
}

function travelling(data: unknown): Buffer {
  try {
    return encodeValue(data);
  } catch (error) {
    throw misuse('CHANNEL_INVALID', messageOf(error));
  }
}
