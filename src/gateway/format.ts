import { ProtocolError } from '../errors.ts';
import { packages } from '../protocols/packages.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { Reader } from './wire.ts';

/**
 * What gateways, BusinessWorkers and GatewayClients say to each other.
 *
 *     uint32 total length, these 4 bytes included | uint8 kind | fields
 *
 * The gateway speaks first (`hello`); only after `welcome` is anything else allowed. `text` is a uint32 length and
 * UTF-8; `number` a connection's number in 6 bytes; lists have a uint32 count in front; the last field of an event or a
 * command is the message itself, to the end of the package.
 */

/** Of the format; both ends must have the same. */
export const WIRE_VERSION = 1;

export const KIND = {
  hello: 0,
  answer: 1,
  welcome: 2,
  refused: 3,
  alive: 4,
  /** To the gateway: hand me clients. */
  join: 5,
  /** To the gateway: hand me nothing more. */
  leaving: 6,
  /** To the BusinessWorker: that was all. */
  left: 7,
  /** To the gateway: my clients may go to others. */
  done: 8,
  ping: 9,
  pong: 10,
  /** To the gateway: so much of what I was handed is finished. */
  finished: 11,
  /** To the gateway: this client waits for its own handler; hold it for a while. */
  mute: 12,
  unmute: 13,
  event: 14,
  command: 15,
  query: 16,
  reply: 17,
  /** To the gateway: a handler changed its client's session. */
  session: 18,
} as const;

/** What happened to a client. `adopt`: it was another BusinessWorker's so far. */
export const EVENT = { connect: 0, handshake: 1, message: 2, close: 3, adopt: 4 } as const;

/** What a message is: bytes, text, or a value as JSON for protocols whose messages are neither. */
export const FORM = { bytes: 0, text: 1, json: 2 } as const;
const WITH_STATE = 8;

export const COMMAND = {
  sendToClients: 0,
  sendToAll: 1,
  sendToUids: 2,
  sendToGroups: 3,
  close: 4,
  destroy: 5,
  bindUid: 6,
  unbindUid: 7,
  joinGroup: 8,
  leaveGroup: 9,
  ungroup: 10,
  setSession: 11,
  updateSession: 12,
} as const;

/** Anything that a client can be sent. */
export type Message = string | Uint8Array | object;

export type Hello = {
  readonly kind: typeof KIND.hello;
  readonly version: number;
  /** Whether the other end must prove that it has the secret. */
  readonly guarded: boolean;
  readonly nonce: Buffer;
  /** Of this gateway process: see `ids.ts`. */
  readonly instance: string;
};
export type Answer = {
  readonly kind: typeof KIND.answer;
  readonly version: number;
  readonly nonce: Buffer;
  /** Empty where none was asked for. */
  readonly proof: Buffer;
};
export type Event = {
  readonly kind: typeof KIND.event;
  readonly what: number;
  readonly client: number;
  /** JSON of `ClientState`, if the BusinessWorker does not have it. */
  readonly state: string | undefined;
  readonly form: number;
  readonly body: string | Buffer;
  /** Bytes of the package. */
  readonly size: number;
};
export type Command = {
  readonly kind: typeof KIND.command;
  readonly what: number;
  readonly form: number;
  readonly raw: boolean;
  readonly clients: readonly number[];
  readonly except: readonly number[];
  /** Uids or groups. */
  readonly names: readonly string[];
  readonly body: string | Buffer;
};
export type Query = {
  readonly kind: typeof KIND.query;
  readonly id: number;
  /** JSON. */
  readonly body: string;
};
export type Reply = {
  readonly kind: typeof KIND.reply;
  readonly id: number;
  readonly good: boolean;
  /** JSON; or why not. */
  readonly body: string;
};
export type Package =
  | Hello
  | Answer
  | { readonly kind: typeof KIND.welcome; readonly proof: Buffer }
  | { readonly kind: typeof KIND.refused; readonly why: string }
  | { readonly kind: typeof KIND.join; readonly name: string }
  | { readonly kind: (typeof KIND)['alive' | 'leaving' | 'left' | 'done'] }
  | { readonly kind: (typeof KIND)['ping' | 'pong']; readonly id: number }
  | {
      readonly kind: typeof KIND.finished;
      /** Since the link was opened. */
      readonly events: number;
      readonly bytes: number;
    }
  | { readonly kind: (typeof KIND)['mute' | 'unmute']; readonly client: number }
  | Event
  | Command
  | Query
  | Reply
  | {
      readonly kind: typeof KIND.session;
      readonly client: number;
      /** How many states of this client the BusinessWorker had got. */
      readonly states: number;
      /** JSON of `SessionChange`. */
      readonly change: string;
    };

const NONCE_BYTES = 16;
const PROOF_BYTES = 32;
const HEAD = 5;

const cutter: Protocol<Package, Package> = packages({
  name: 'gateway',
  input(buffer) {
    if (buffer.length < 4) return 0;
    const total = buffer.readUInt32BE(0);
    if (total >= HEAD) return total;
    throw new ProtocolError('LENGTH_TOO_SHORT', `length field says ${total} bytes`);
  },
  decode,
  encode: () => '',
});

/** The protocol of both ends: all packages of a chunk at once. What is sent is made by a `Writer`. */
export const gatewayProtocol: Protocol<readonly Package[], never> = {
  name: 'gateway',
  encode: () => Buffer.alloc(0),
  decoder(limits) {
    const inner = cutter.decoder(limits);
    return {
      push: (chunk) => {
        const all = inner.push(chunk);
        return all.length === 0 ? [] : [all];
      },
      get error() {
        return inner.error;
      },
      get held() {
        return inner.held;
      },
    };
  },
};

function decode(bytes: Buffer): Package {
  const reader = new Reader(bytes, HEAD);
  const kind = bytes[4] as number;
  const decoder = DECODERS[kind];
  if (!decoder) throw new ProtocolError('PACKAGE_INVALID', `gateway: kind ${kind} is not defined`);
  const decoded = decoder(reader, bytes.length, kind);
  reader.done();
  return decoded;
}

type Decode = (reader: Reader, size: number, kind: number) => Package;

const bare: Decode = (_, _size, kind) => ({ kind: kind as typeof KIND.alive });
const numbered: Decode = (r, _, kind) => ({ kind: kind as typeof KIND.ping, id: r.u32() });
const client: Decode = (r, _, kind) => ({ kind: kind as typeof KIND.mute, client: r.u48() });

const DECODERS: Readonly<Record<number, Decode>> = {
  [KIND.hello]: (r) => ({
    kind: KIND.hello,
    version: r.u8(),
    guarded: r.u8() === 1,
    nonce: r.bytes(NONCE_BYTES),
    instance: r.text(),
  }),
  [KIND.answer]: (r) => ({
    kind: KIND.answer,
    version: r.u8(),
    nonce: r.bytes(NONCE_BYTES),
    proof: proofOf(r.rest()),
  }),
  [KIND.welcome]: (r) => ({ kind: KIND.welcome, proof: proofOf(r.rest()) }),
  [KIND.refused]: (r) => ({ kind: KIND.refused, why: r.restText() }),
  [KIND.alive]: bare,
  [KIND.join]: (r) => ({ kind: KIND.join, name: r.text() }),
  [KIND.leaving]: bare,
  [KIND.left]: bare,
  [KIND.done]: bare,
  [KIND.ping]: numbered,
  [KIND.pong]: numbered,
  [KIND.finished]: (r) => ({ kind: KIND.finished, events: r.u48(), bytes: r.u48() }),
  [KIND.mute]: client,
  [KIND.unmute]: client,
  [KIND.event]: decodeEvent,
  [KIND.command]: decodeCommand,
  [KIND.query]: (r) => ({ kind: KIND.query, id: r.u32(), body: r.restText() }),
  [KIND.reply]: (r) => ({
    kind: KIND.reply,
    id: r.u32(),
    good: r.u8() === 1,
    body: r.restText(),
  }),
  [KIND.session]: (r) => ({
    kind: KIND.session,
    client: r.u48(),
    states: r.u32(),
    change: r.restText(),
  }),
};

function proofOf(bytes: Buffer): Buffer {
  if (bytes.length === 0 || bytes.length === PROOF_BYTES) return bytes;
  throw new ProtocolError('PACKAGE_INVALID', `gateway: a proof of ${bytes.length} bytes`);
}

function decodeEvent(reader: Reader, size: number): Event {
  const what = reader.u8();
  const flags = reader.u8();
  const number = reader.u48();
  const state = flags & WITH_STATE ? reader.text() : undefined;
  const form = formOf(flags & ~WITH_STATE);
  const body = form === FORM.bytes ? reader.rest() : reader.restText();
  if (what > EVENT.adopt)
    throw new ProtocolError('PACKAGE_INVALID', `gateway: event ${what} is not defined`);
  return { kind: KIND.event, what, client: number, state, form, body, size };
}

const RAW = 8;

function decodeCommand(reader: Reader): Command {
  const what = reader.u8();
  const flags = reader.u8();
  const clients = reader.numbers();
  const except = reader.numbers();
  const names = reader.names();
  const form = formOf(flags & ~RAW);
  const body = form === FORM.bytes ? reader.rest() : reader.restText();
  if (what > COMMAND.updateSession)
    throw new ProtocolError('PACKAGE_INVALID', `gateway: command ${what} is not defined`);
  const raw = (flags & RAW) !== 0;
  return { kind: KIND.command, what, form, raw, clients, except, names, body };
}

function formOf(form: number): number {
  if (form <= FORM.json) return form;
  throw new ProtocolError('PACKAGE_INVALID', `gateway: form ${form} is not defined`);
}
