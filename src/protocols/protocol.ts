import { misuse, type ProtocolError } from '../errors.ts';

/** Bounds that a decoder holds its peer to. */
export type Limits = {
  /** Longest message in bytes, header included where the format counts it. */
  readonly maxPackageSize: number;
};

/**
 * Turns a peer's bytes into messages, however the stream is cut.
 *
 * One decoder belongs to one connection and keeps what is incomplete. Its cost is linear in the bytes it gets.
 */
export interface Decoder<In> {
  /**
   * @param chunk only valid during the call and the decoder's to overwrite; it copies what it keeps
   * @returns the messages that this chunk completes, in order
   */
  push(chunk: Buffer): readonly In[];
  /**
   * Set once the peer broke the protocol: the messages returned so far are good, nothing after them is.
   * A decoder in this state is not pushed again.
   */
  readonly error: ProtocolError | undefined;
  /** Bytes kept of an unfinished message. */
  readonly held: number;
}

/** What a connection does about a message that is the protocol's own and not the application's. */
export type Reaction = {
  readonly event?: 'ping' | 'pong';
  readonly payload?: Buffer;
  /** Bytes to answer with. */
  readonly reply?: Uint8Array;
  /** The peer wants to end: its close code and reason. `reply` goes out first. */
  readonly close?: { readonly code: number; readonly reason: string };
};

/**
 * A format on the wire: a value without a socket, a clock or state of its own.
 *
 * @typeParam In what `onMessage` gets
 * @typeParam Out what `send` takes
 */
export interface Protocol<In, Out> {
  /** Shown in `connections`; at most 15 characters are. */
  readonly name: string;
  /** A fresh decoder for one connection. */
  decoder(limits: Limits): Decoder<In>;
  /**
   * The bytes of one message. They may wait in a send queue, so they are never written again, by either side.
   * An empty result means: nothing to send.
   */
  encode(message: Out): Uint8Array;
  /**
   * The same bytes, written straight into `out` from `at` on; for formats that want to be fast.
   *
   * @returns how many bytes were written, or -1 if there is not enough room for certain
   */
  encodeInto?(message: Out, out: Buffer, at: number): number;
  /** What to do about a message that is not for the application; `undefined` for those that are. */
  react?(message: In): Reaction | undefined;
  /** Last bytes before the connection ends, if the format has any. */
  closing?(code: number, reason: string): Uint8Array;
  /** Bytes that ask the peer for a sign of life, if the format has any. */
  ping?(payload?: Uint8Array): Uint8Array;
}

/**
 * The bytes of a message that is text or bytes already, without a copy where there is one.
 *
 * @throws {TypeError} `MESSAGE_INVALID` for anything else: what would be written then is not what was meant
 */
export function bytesOf(data: string | Uint8Array): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof Uint8Array) return data;
  const hint = 'make text of it, as with JSON.stringify, or speak a protocol that takes it';
  throw misuse(
    'MESSAGE_INVALID',
    `a message is text or a Uint8Array, this is ${kindOf(data)}; ${hint}`,
  );
}

function kindOf(data: unknown): string {
  if (data === null || data === undefined) return String(data);
  if (typeof data === 'object') return `of the class ${data.constructor?.name ?? 'null'}`;
  return `a ${typeof data}`;
}
