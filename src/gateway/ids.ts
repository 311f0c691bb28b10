/**
 * Client ids: who of all clients of all gateways. Opaque to everybody: 20 characters of base64url, of which 12 are the
 * random instance of the gateway process and 8 the number of the connection in it. Nothing of the network is in them.
 */

/** Random bytes of an instance; 9, because 9 bytes are 12 characters without padding. */
export const INSTANCE_BYTES = 9;
/** Bytes of a connection's number. */
export const NUMBER_BYTES = 6;

const INSTANCE_CHARS = 12;
const FORM = /^[\w-]{20}$/;

/** A client id taken apart. */
export type ClientKey = { readonly instance: string; readonly number: number };

/**
 * @param instance 12 characters, as the gateway says in its hello
 * @param number of the connection: 0 … 2^48-1
 */
export function clientId(instance: string, number: number): string {
  const bytes = Buffer.allocUnsafe(NUMBER_BYTES);
  bytes.writeUIntBE(number, 0, NUMBER_BYTES);
  return instance + bytes.toString('base64url');
}

/** The two halves of an id; `undefined` for what is none. */
export function parseClientId(id: string): ClientKey | undefined {
  if (typeof id !== 'string' || !FORM.test(id)) return undefined;
  const bytes = Buffer.from(id.slice(INSTANCE_CHARS), 'base64url');
  return {
    instance: id.slice(0, INSTANCE_CHARS),
    number: bytes.readUIntBE(0, NUMBER_BYTES),
  };
}
