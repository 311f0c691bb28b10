import { ProtocolError } from '../errors.ts';
import { packages } from '../protocols/packages.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { Field } from './fields.ts';

/**
 * Messages on inner ports, all built alike:
 *
 *     uint32 big-endian total length, these 4 bytes included | uint8 kind | the kind's fields, one after the other
 *
 * In front of a kind's first optional field there is one byte with a bit for each optional field, the first one's
 * lowest, that says which are there. Pure.
 */

/** Which fields each kind has, in their order; the order of the kinds gives their numbers. */
export type Layouts<F> = Readonly<Record<string, readonly (keyof F)[]>>;

/** A message of kind K, where F are the types of all fields, O those that may be missing, L the layouts. */
export type MessageIn<F, O extends keyof F, L extends Layouts<F>, K extends keyof L> = {
  readonly kind: K;
} & { readonly [N in Exclude<L[K][number], O>]: F[N] } & {
  readonly [N in Extract<L[K][number], O>]?: F[N] | undefined;
};

/** What a format is made of. */
export type FormatParts<F, O extends keyof F, L extends Layouts<F>> = {
  /** For the protocol, and for errors. */
  readonly name: string;
  readonly layouts: L;
  readonly fields: { readonly [N in keyof F]: Field<F[N]> };
  readonly optional: readonly O[];
};

/** Both directions of a format. */
export type Format<M, K extends string> = {
  /** Every kind, at the index that stands for it on the wire. */
  readonly kinds: readonly K[];
  readonly protocol: Protocol<M, M>;
  /**
   * The message in exactly these bytes, which it keeps.
   *
   * @throws {ProtocolError} `PACKAGE_INVALID`
   */
  decode(bytes: Buffer): M;
  /** The bytes of one message. */
  encode(message: M): Buffer;
};

const HEAD = 5;

/** How the decoder of a kind goes: its fields, and the place of the byte that tells which are there. */
type Plan = {
  readonly kind: string;
  readonly names: readonly string[];
  readonly optional: readonly string[];
  readonly at: number;
};

type AnyFields = Readonly<Record<string, Field<never>>>;

/** The format of these parts. */
export function formatOf<F, O extends keyof F, L extends Layouts<F>>(
  parts: FormatParts<F, O, L>,
): Format<{ [K in keyof L]: MessageIn<F, O, L, K> }[keyof L], Extract<keyof L, string>> {
  type Message = { [K in keyof L]: MessageIn<F, O, L, K> }[keyof L];
  const kinds = Object.keys(parts.layouts) as Extract<keyof L, string>[];
  const numbers = new Map<string, number>(kinds.map((kind, number) => [kind, number]));
  const plans = kinds.map((kind) => planOf(kind, parts.layouts, parts.optional as never));
  const fields = parts.fields as unknown as AnyFields;
  const decode = (bytes: Buffer) => decodeBy(parts.name, plans, fields, bytes) as Message;
  const encode = (message: Message) => {
    const number = numbers.get(message.kind as string) as number;
    return encodeBy(plans[number] as Plan, number, fields, message as Record<string, unknown>);
  };
  const protocol = packages<Message, Message>({
    name: parts.name,
    input: (buffer) => lengthOf(parts.name, kinds.length, buffer),
    decode: (bytes) => decode(Buffer.from(bytes)),
    encode,
  });
  return { kinds, protocol, decode, encode };
}

function planOf(kind: string, layouts: object, all: readonly string[]): Plan {
  const names = (layouts as Record<string, readonly string[]>)[kind] ?? [];
  const optional = names.filter((name) => all.includes(name));
  return { kind, names, optional, at: names.findIndex((name) => optional.includes(name)) };
}

function lengthOf(name: string, kinds: number, buffer: Buffer): number {
  if (buffer.length < HEAD) return 0;
  const total = buffer.readUInt32BE(0);
  const kind = buffer[4] as number;
  if (total < HEAD)
    throw new ProtocolError(
      'LENGTH_TOO_SHORT',
      `length field says ${total} bytes, at least ${HEAD}`,
    );
  if (kind >= kinds)
    throw new ProtocolError('PACKAGE_INVALID', `${name}: kind ${kind} is not defined`);
  return total;
}

function decodeBy(
  format: string,
  plans: readonly Plan[],
  fields: AnyFields,
  bytes: Buffer,
): unknown {
  const plan = plans[bytes[4] as number];
  const wrong = (why: string) => {
    const what = `${plan?.kind ?? `kind ${bytes[4]}`} of ${bytes.length} bytes`;
    return new ProtocolError('PACKAGE_INVALID', `${format}: ${why} in a ${what}`);
  };
  if (!plan) throw wrong('kind is not defined');
  const message: Record<string, unknown> = { kind: plan.kind };
  let at = HEAD;
  let there = 0;
  for (let i = 0; i < plan.names.length; i += 1) {
    const name = plan.names[i] as string;
    const field = fields[name] as Field<never>;
    if (i === plan.at) {
      there = bytes[at] ?? 256;
      if (there >= 2 ** plan.optional.length) throw wrong('flags are not defined');
      at += 1;
    }
    const bit = plan.optional.indexOf(name);
    if (bit !== -1 && (there & (1 << bit)) === 0) continue;
    const end = field.end(bytes, at);
    if (end === -1 || end > bytes.length) throw wrong(`${name} is broken`);
    message[name] = field.read(bytes, at, end);
    at = end;
  }
  if (at !== bytes.length) throw wrong(`${bytes.length - at} bytes too many`);
  return message;
}

function encodeBy(
  plan: Plan,
  number: number,
  fields: AnyFields,
  values: Record<string, unknown>,
): Buffer {
  let size = HEAD + (plan.at === -1 ? 0 : 1);
  for (const name of plan.names)
    if (values[name] !== undefined)
      size += (fields[name] as Field<never>).size(values[name] as never);
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeUInt32BE(size, 0);
  bytes[4] = number;
  let at = HEAD;
  for (let i = 0; i < plan.names.length; i += 1) {
    const name = plan.names[i] as string;
    if (i === plan.at) {
      bytes[at] = bitsOf(plan.optional, values);
      at += 1;
    }
    if (values[name] === undefined) continue;
    const field = fields[name] as Field<never>;
    field.write(values[name] as never, bytes, at);
    at += field.size(values[name] as never);
  }
  return bytes;
}

function bitsOf(optional: readonly string[], values: Record<string, unknown>): number {
  let bits = 0;
  for (const [bit, name] of optional.entries()) if (values[name] !== undefined) bits |= 1 << bit;
  return bits;
}
