import { ProtocolError } from '../errors.ts';
import { packages } from '../protocols/packages.ts';
import type { Protocol } from '../protocols/protocol.ts';

/**
 * What channel clients and servers say to each other.
 *
 *     uint32 big-endian total length, these 4 bytes included | uint8 kind | body
 *
 *     0 alive                          body: nothing
 *     1 subscribe, 2 unsubscribe       body: uint16 n | n bytes: the channel's name in UTF-8
 *     3 publish, 4 event               body: uint16 n | name | uint8 format (0 JSON, 1 bytes) | value
 *
 * Publish and event differ in their kind only, so a server passes a message on without decoding its value.
 */

export const KIND = { alive: 0, subscribe: 1, unsubscribe: 2, publish: 3, event: 4 } as const;

/** Longest name of a channel, in bytes. */
export const NAME_MAX = 255;

export type ChannelMessage = {
  readonly kind: number;
  /** '' for `alive`. */
  readonly channel: string;
  /** Format byte and value; empty unless it is a publish or an event. */
  readonly value: Buffer;
};

const HEAD = 5;
const EMPTY = Buffer.alloc(0);

/** The protocol of both ends. */
export const channelProtocol: Protocol<ChannelMessage, ChannelMessage> = packages({
  name: 'channel',
  input(buffer) {
    if (buffer.length < 4) return 0;
    const total = buffer.readUInt32BE(0);
    if (total < HEAD)
      throw new ProtocolError(
        'LENGTH_TOO_SHORT',
        `length field says ${total} bytes, at least ${HEAD}`,
      );
    return total;
  },
  decode,
  encode: (message: ChannelMessage) => encode(message.kind, message.channel, message.value),
});

function decode(bytes: Buffer): ChannelMessage {
  const kind = bytes[4] as number;
  if (kind === KIND.alive) return { kind, channel: '', value: EMPTY };
  if (kind > KIND.event)
    throw new ProtocolError('PACKAGE_INVALID', `channel: kind ${kind} is not defined`);
  const length = bytes.length < HEAD + 2 ? 0 : bytes.readUInt16BE(HEAD);
  const end = HEAD + 2 + length;
  const carries = kind === KIND.publish || kind === KIND.event;
  if (length === 0 || length > NAME_MAX || (carries ? end >= bytes.length : end !== bytes.length)) {
    throw new ProtocolError(
      'PACKAGE_INVALID',
      `channel: a name of ${length} bytes in a message of ${bytes.length}`,
    );
  }
  const channel = bytes.toString('utf8', HEAD + 2, end);
  return { kind, channel, value: carries ? Buffer.from(bytes.subarray(end)) : EMPTY };
}

/** The bytes of one message. */
export function encode(kind: number, channel: string, value: Uint8Array = EMPTY): Buffer {
  const name = Buffer.byteLength(channel);
  const hasName = kind !== KIND.alive;
  const bytes = Buffer.allocUnsafe(HEAD + (hasName ? 2 + name : 0) + value.length);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes[4] = kind;
  if (!hasName) return bytes;
  bytes.writeUInt16BE(name, HEAD);
  bytes.write(channel, HEAD + 2);
  bytes.set(value, HEAD + 2 + name);
  return bytes;
}

/**
 * A value as it travels: bytes as they are, everything else as JSON.
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
