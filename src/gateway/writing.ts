import { FORM, KIND, type Message, WIRE_VERSION } from './format.ts';
import type { Writer } from './wire.ts';

/** One function for each kind of package that has fields. Pure. */

/** A message as it travels. */
export type Encoded = { readonly form: number; readonly body: string | Uint8Array };

/** @throws {TypeError} for what JSON cannot hold */
export function encoded(message: Message): Encoded {
  if (typeof message === 'string') return { form: FORM.text, body: message };
  if (message instanceof Uint8Array) return { form: FORM.bytes, body: message };
  const body = JSON.stringify(message);
  if (body === undefined) throw new TypeError(`a ${typeof message} is no message`);
  return { form: FORM.json, body };
}

/** The message again. */
export function decoded(form: number, body: string | Buffer): Message {
  return form === FORM.json ? JSON.parse(body as string) : body;
}

export function writeHello(
  out: Writer,
  { guarded, nonce, instance }: { guarded: boolean; nonce: Uint8Array; instance: string },
): void {
  out
    .begin(KIND.hello)
    .u8(WIRE_VERSION)
    .u8(guarded ? 1 : 0);
  for (const byte of nonce) out.u8(byte);
  out.text(instance).end();
}

export function writeAnswer(out: Writer, nonce: Uint8Array, proof: Uint8Array): void {
  out.begin(KIND.answer).u8(WIRE_VERSION).rest(nonce).rest(proof).end();
}

/** Welcome with its proof, refused with its reason. */
export function writeRest(out: Writer, kind: number, rest: string | Uint8Array): void {
  out.begin(kind).rest(rest).end();
}

/** Alive, leaving, left, done. */
export function writeBare(out: Writer, kind: number): void {
  out.begin(kind).end();
}

/** Ping and pong. */
export function writeNumbered(out: Writer, kind: number, id: number): void {
  out.begin(kind).u32(id).end();
}

export function writeJoin(out: Writer, name: string): void {
  out.begin(KIND.join).text(name).end();
}

export function writeFinished(out: Writer, events: number, bytes: number): void {
  out.begin(KIND.finished).u48(events).u48(bytes).end();
}

/** Mute and unmute. */
export function writeClient(out: Writer, kind: number, client: number): void {
  out.begin(kind).u48(client).end();
}

/** @returns bytes of the package */
export function writeEvent(
  out: Writer,
  event: { readonly what: number; readonly client: number; readonly state: string | undefined },
  { form, body }: Encoded,
): number {
  const { what, client, state } = event;
  const before = out.size;
  out.begin(KIND.event).u8(what);
  out.u8(state === undefined ? form : form | 8).u48(client);
  if (state !== undefined) out.text(state);
  out.rest(body).end();
  return out.size - before;
}

/** Who a command is about. */
export type Target = {
  readonly clients?: readonly number[] | undefined;
  readonly except?: readonly number[] | undefined;
  readonly names?: readonly string[] | undefined;
};

const NONE: readonly never[] = [];

export function writeCommand(
  out: Writer,
  what: number,
  { clients = NONE, except = NONE, names = NONE }: Target,
  { form, body, raw = false }: Encoded & { readonly raw?: boolean },
): void {
  out
    .begin(KIND.command)
    .u8(what)
    .u8(raw ? form | 8 : form);
  out.numbers(clients).numbers(except).names(names).rest(body).end();
}

export function writeQuery(out: Writer, id: number, body: string): void {
  out.begin(KIND.query).u32(id).rest(body).end();
}

export function writeReply(out: Writer, id: number, good: boolean, body: string): void {
  out
    .begin(KIND.reply)
    .u32(id)
    .u8(good ? 1 : 0)
    .rest(body)
    .end();
}

export function writeSession(out: Writer, client: number, states: number, change: string): void {
  out.begin(KIND.session).u48(client).u32(states).rest(change).end();
}
