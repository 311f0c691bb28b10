import { formatOf, type MessageIn } from '../inner/format.ts';
import { GREETINGS } from '../inner/greetings.ts';
import type { LineFormat } from '../inner/line.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { type Fields, fields, OPTIONAL, type Optional } from './fields.ts';

/**
 * What channel clients and servers say to each other.
 *
 * The fields of each kind are in `OWN`, how each is written in `fields.ts`, and the rest in `inner/format.ts`.
 *
 * A server that connects to another one is a client that names itself (`member`).
 */
const OWN = {
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

const LAYOUTS: typeof GREETINGS & typeof OWN = { ...GREETINGS, ...OWN };

export type Kind = keyof typeof LAYOUTS;

/** A message of one kind. */
export type MessageOf<K extends Kind> = MessageIn<Fields, Optional, typeof LAYOUTS, K>;

/** A message of any kind. */
export type ChannelMessage = { [K in Kind]: MessageOf<K> }[Kind];

const format = formatOf({ name: 'channel', layouts: LAYOUTS, fields, optional: OPTIONAL });

/** Every kind, at the index that stands for it on the wire. */
export const KINDS: readonly Kind[] = format.kinds;

/** The version that both ends must speak. */
export const FORMAT_VERSION = 2;
/** Longest name of a channel or queue, in bytes. */
export const NAME_MAX = 255;

/** The protocol of both ends. */
export const channelProtocol: Protocol<ChannelMessage, ChannelMessage> = format.protocol;

/** What is spoken on a line to a channel server. */
export const channelLine: LineFormat<ChannelMessage> = {
  version: FORMAT_VERSION,
  protocol: format.protocol,
  encode: format.encode,
};

/**
 * The message in exactly these bytes, which it keeps.
 *
 * @throws {ProtocolError} `PACKAGE_INVALID`
 */
export const decode: (bytes: Buffer) => ChannelMessage = format.decode;

/** The bytes of one message. */
export const encode: (message: ChannelMessage) => Buffer = format.encode;

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
