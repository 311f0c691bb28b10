import { type Field, name, rest, whole, words } from '../inner/fields.ts';
import { formatOf, type MessageIn } from '../inner/format.ts';
import {
  GREETING_OPTIONAL,
  GREETINGS,
  type GreetingFields,
  type GreetingOptional,
  greetingFields,
} from '../inner/greetings.ts';
import type { LineFormat } from '../inner/line.ts';
import type { Protocol } from '../protocols/protocol.ts';

/**
 * What global data clients and servers say to each other, in the form of `inner/format.ts`, after the greeting of
 * `inner/handshake.ts`. Every request has an `id`, and its answer the same. Answers come in the order of the requests.
 */
const OWN = {
  get: ['id', 'key'],
  has: ['id', 'key'],
  keys: ['id', 'pattern'],
  set: ['id', 'key', 'ms', 'value'],
  add: ['id', 'key', 'ms', 'value'],
  cas: ['id', 'key', 'expected', 'value'],
  increment: ['id', 'key', 'step'],
  expire: ['id', 'key', 'ms'],
  delete: ['id', 'key'],

  /** The answers. */
  value: ['id', 'value'],
  number: ['id', 'number'],
  names: ['id', 'names'],
  yes: ['id', 'flag'],
  refusal: ['id', 'reason'],
} as const;

const LAYOUTS: typeof GREETINGS & typeof OWN = { ...GREETINGS, ...OWN };

type Fields = GreetingFields & {
  id: number;
  key: string;
  pattern: string;
  ms: number;
  step: number;
  number: number;
  names: readonly string[];
  expected: Buffer;
  value: Buffer;
};

type Optional = GreetingOptional | 'ms' | 'expected' | 'value';

const OPTIONAL: readonly Optional[] = [...GREETING_OPTIONAL, 'ms', 'expected', 'value'];

/** 64 bits, floating. What is not finite is nobody's. */
const double: Field<number> = {
  size: () => 8,
  write: (value, bytes, at) => void bytes.writeDoubleBE(value, at),
  end: (bytes, at) =>
    at + 8 <= bytes.length && !Number.isFinite(bytes.readDoubleBE(at)) ? -1 : at + 8,
  read: (bytes, at) => bytes.readDoubleBE(at),
};

/** uint32 n, then n bytes. */
const sized: Field<Buffer> = {
  size: (value) => 4 + value.length,
  write(value, bytes, at) {
    bytes.writeUInt32BE(value.length, at);
    bytes.set(value, at + 4);
  },
  end: (bytes, at) => (at + 4 > bytes.length ? at + 4 : at + 4 + bytes.readUInt32BE(at)),
  read: (bytes, at, end) => bytes.subarray(at + 4, end),
};

/** All that is left: names, one behind the other. */
const list: Field<readonly string[]> = {
  size: (value) => value.reduce((sum, each) => sum + name.size(each), 0),
  write(value, bytes, at) {
    let next = at;
    for (const each of value) {
      name.write(each, bytes, next);
      next += name.size(each);
    }
  },
  end(bytes, at) {
    let next = at;
    while (next !== -1 && next < bytes.length) next = name.end(bytes, next);
    return next;
  },
  read(bytes, at, end) {
    const names: string[] = [];
    for (let next = at; next < end; ) {
      const stop = name.end(bytes, next);
      names.push(name.read(bytes, next, stop));
      next = stop;
    }
    return names;
  },
};

const fields: { readonly [F in keyof Fields]: Field<Fields[F]> } = {
  ...greetingFields,
  id: whole,
  key: name,
  pattern: words,
  ms: double,
  step: double,
  number: double,
  names: list,
  expected: sized,
  value: rest,
};

type Kind = keyof typeof LAYOUTS;

/** A message of any kind. */
export type DataMessage = {
  [K in Kind]: MessageIn<Fields, Optional, typeof LAYOUTS, K>;
}[Kind];

const format = formatOf({ name: 'global data', layouts: LAYOUTS, fields, optional: OPTIONAL });

/** The version that both ends must speak. */
export const FORMAT_VERSION = 1;

/** Every kind, at the index that stands for it on the wire. */
export const KINDS: readonly Kind[] = format.kinds;

/** The protocol of both ends. */
export const dataProtocol: Protocol<DataMessage, DataMessage> = format.protocol;

/** The bytes of one message. */
export const encode: (message: DataMessage) => Buffer = format.encode;

/** What is spoken on a line to a server. */
export const dataLine: LineFormat<DataMessage> = {
  version: FORMAT_VERSION,
  protocol: format.protocol,
  encode: format.encode,
};
