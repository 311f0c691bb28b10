import { misuse } from '../errors.ts';
import { NAME_MAX } from './format.ts';

/**
 * A name of a channel or a queue, as it came.
 *
 * @throws {RangeError} `CHANNEL_INVALID` unless it has 1 to 255 bytes of UTF-8
 */
export function checkedName(name: string): string {
  const length = Buffer.byteLength(name);
  if (length >= 1 && length <= NAME_MAX) return name;
  throw misuse(
    'CHANNEL_INVALID',
    `a channel's name has 1 to ${NAME_MAX} bytes, this one has ${length}`,
    'range',
  );
}
