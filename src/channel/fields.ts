import { type Field, flag, name, rest, whole } from '../inner/fields.ts';
import {
  GREETING_OPTIONAL,
  type GreetingFields,
  type GreetingOptional,
  greetingFields,
} from '../inner/greetings.ts';
import type { Bounds, Position } from './engine.ts';

/** The fields that messages between channel clients and servers are made of. */
export type Fields = GreetingFields & {
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
export type Optional = GreetingOptional | 'bounds' | 'position';

export const OPTIONAL: readonly Optional[] = [...GREETING_OPTIONAL, 'bounds', 'position'];

const EPOCH_BYTES = 8;

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
  ...greetingFields,
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
