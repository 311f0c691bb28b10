import { ProtocolError } from '../errors.ts';
import { packages } from '../protocols/packages.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { type FieldName, type Fields, fields, OPTIONAL } from './fields.ts';

/**
 * What channel clients and servers say to each other.
 *
 *     uint32 big-endian total length, these 4 bytes included | uint8 kind | the kind's fields, one after the other
 *
 * The fields of each kind are in `LAYOUTS`, how each is written in `fields.ts`. In front of a kind's first optional
 * field there is one byte with a bit for each optional field, the first one's lowest, that says which are there.
 *
 * The server speaks first: hello, then the client's greeting, then welcome or refused. A server that connects to another
 * one is a client that names itself (`member`).
 */
const LAYOUTS = {
  /** Either side, when it was silent; a server answers with the same. */
  alive: [],
  hello: ['version', 'secured', 'nonce'],
  greeting: ['version', 'nonce', 'proof', 'member'],
  /** `flag`: the server is about to leave. */
  welcome: ['flag', 'proof'],
  /** The last message of a server that does not want this peer. */
  refused: ['reason'],

  subscribe: ['name', 'bounds', 'position'],
  unsubscribe: ['name'],
  publish: ['name', 'bounds', 'value'],
  event: ['name', 'position', 'value'],
  /** Answers a subscription with bounds or position; `flag`: recovered, `count` events follow. */
  recovery: ['name', 'flag', 'count', 'position'],
  lost: ['name', 'count'],

  watch: ['name'],
  unwatch: ['name'],
  reserve: ['name'],
  enqueue: ['name', 'value'],
  job: ['name', 'id', 'value'],
  done: ['name', 'id'],
  /** So many jobs were not taken. */
  full: ['name', 'count'],

  /** Another server has it now. `flag`: it is a queue. */
  moved: ['flag', 'name', 'to', 'address', 'position'],
  /** The server hands all it has to others. */
  leaving: [],
  /** Answered by synced when all that came before it on this connection is in its log or with its subscribers. */
  sync: ['id'],
  synced: ['id'],

  /** Between servers. Give me this; answered by take … taken on the other one's own connection. */
  claim: ['flag', 'name', 'to', 'address'],
  /** A channel's log follows as `keep`, up to `offer`. */
  take: ['name', 'count', 'bounds', 'position'],
  /** One event of it, `count` milliseconds old. */
  keep: ['name', 'count', 'position', 'value'],
  /** One job of a queue. */
  keepJob: ['name', 'value'],
  /** That was all. `found` false: there was nothing to give. */
  offer: ['flag', 'name', 'found'],
  taken: ['flag', 'name'],
  /** A publish or enqueue that came to a server which does not own it (any more). */
  forward: ['count', 'value'],
  /** A job whose consumer has gone, for the head of the queue. */
  giveBack: ['name', 'value'],
} as const;

export type Kind = keyof typeof LAYOUTS;

type FieldsOf<K extends Kind> = (typeof LAYOUTS)[K][number];
type Optional = (typeof OPTIONAL)[number];

/** A message of one kind. */
export type MessageOf<K extends Kind> = { readonly kind: K } & {
  readonly [F in Exclude<FieldsOf<K>, Optional>]: Fields[F];
} & { readonly [F in Extract<FieldsOf<K>, Optional>]?: Fields[F] | undefined };

/** A message of any kind. */
export type ChannelMessage = { [K in Kind]: MessageOf<K> }[Kind];

/** Every kind, at the index that stands for it on the wire. */
export const KINDS: readonly Kind[] = Object.keys(LAYOUTS) as Kind[];
const NUMBERS = new Map(KINDS.map((kind, number) => [kind, number]));
/** How the decoder of a kind goes: its fields, and the place of the byte that tells which are there. */
const PLANS = KINDS.map((kind) => {
  const names: readonly FieldName[] = LAYOUTS[kind];
  const optional = names.filter((name) => OPTIONAL.includes(name as Optional));
  return { kind, names, optional, at: names.findIndex((name) => optional.includes(name)) };
});

/** Which kind it is on the wire. */
export const PUBLISH: number = NUMBERS.get('publish') as number;
export const EVENT: number = NUMBERS.get('event') as number;

/** The version that both ends must speak. */
export const FORMAT_VERSION = 2;
/** Longest name of a channel or queue, in bytes. */
export const NAME_MAX = 255;
const HEAD = 5;

/** The protocol of both ends. */
export const channelProtocol: Protocol<ChannelMessage, ChannelMessage> = packages({
  name: 'channel',
  input(buffer) {
    if (buffer.length < HEAD) return 0;
    const total = buffer.readUInt32BE(0);
    const kind = buffer[4] as number;
    if (total < HEAD)
      throw new ProtocolError(
        'LENGTH_TOO_SHORT',
        `length field says ${total} bytes, at least ${HEAD}`,
      );
    if (kind >= KINDS.length)
      throw new ProtocolError('PACKAGE_INVALID', `channel: kind ${kind} is not defined`);
    return total;
  },
  decode: (bytes) => decode(Buffer.from(bytes)),
  encode,
});

/**
 * The message in exactly these bytes, which it keeps.
 *
 * @throws {ProtocolError} `PACKAGE_INVALID`
 */
export function decode(bytes: Buffer): ChannelMessage {
  const plan = PLANS[bytes[4] as number];
  if (!plan) throw wrong(bytes, 'kind is not defined');
  const message: Record<string, unknown> = { kind: plan.kind };
  let at = HEAD;
  let there = 0;
  for (let i = 0; i < plan.names.length; i += 1) {
    const name = plan.names[i] as FieldName;
    if (i === plan.at) {
      there = bytes[at] ?? 256;
      if (there >= 2 ** plan.optional.length) throw wrong(bytes, 'flags are not defined');
      at += 1;
    }
    const bit = plan.optional.indexOf(name);
    if (bit !== -1 && (there & (1 << bit)) === 0) continue;
    const end = fields[name].end(bytes, at);
    if (end === -1 || end > bytes.length) throw wrong(bytes, `${name} is broken`);
    message[name] = fields[name].read(bytes, at, end);
    at = end;
  }
  if (at !== bytes.length) throw wrong(bytes, `${bytes.length - at} bytes too many`);
  return message as ChannelMessage;
}

function wrong(bytes: Buffer, why: string): ProtocolError {
  const kind = KINDS[bytes[4] as number] ?? `kind ${bytes[4]}`;
  return new ProtocolError(
    'PACKAGE_INVALID',
    `channel: ${why} in a ${kind} of ${bytes.length} bytes`,
  );
}

/** The bytes of one message. */
export function encode(message: ChannelMessage): Buffer {
  const number = NUMBERS.get(message.kind) as number;
  const plan = PLANS[number] as (typeof PLANS)[number];
  const values = message as Record<string, unknown>;
  let size = HEAD + (plan.at === -1 ? 0 : 1);
  for (const name of plan.names)
    if (values[name] !== undefined) size += fields[name].size(values[name] as never);
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeUInt32BE(size, 0);
  bytes[4] = number;
  let at = HEAD;
  for (let i = 0; i < plan.names.length; i += 1) {
    const name = plan.names[i] as FieldName;
    if (i === plan.at) {
      bytes[at] = bitsOf(plan.optional, values);
      at += 1;
    }
    if (values[name] === undefined) continue;
    fields[name].write(values[name] as never, bytes, at);
    at += fields[name].size(values[name] as never);
  }
  return bytes;
}

function bitsOf(optional: readonly FieldName[], values: Record<string, unknown>): number {
  let bits = 0;
  for (const [bit, name] of optional.entries()) if (values[name] !== undefined) bits |= 1 << bit;
  return bits;
}

/**
 * A value as it travels: bytes as they are behind a 1, everything else as JSON behind a 0.
 *
 * @throws {TypeError} for what JSON cannot hold: functions, symbols, cycles, bigints
 */
export function encodeValue(data: unknown): Buffer {
  if (data instanceof Uint8Array) {
    const bytes = Buffer.allocUnsafe(1 + data.length);
    bytes[0] = 1;
    bytes.set(data, 1);
    return bytes;
  }
  const json = JSON.stringify(data ?? null);
  if (json === undefined) throw new TypeError(`a ${typeof data} cannot be published`);
  return Buffer.from(`\0${json}`);
}

/** The value again. */
export function decodeValue(value: Buffer): unknown {
  const rest = value.subarray(1);
  return value[0] === 1 ? rest : JSON.parse(rest.toString());
}
