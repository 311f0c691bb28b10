import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ENV } from '../contract.ts';
import { messageOf, misuse } from '../errors.ts';

/**
 * How both ends of an inner port (channel, global data, gateway) show that they know the same secret without sending
 * it: each answers the other's nonce with an HMAC. The role is part of it, so that an answer cannot be sent back.
 */

/** Bytes of a nonce, and of a proof. */
export const NONCE_BYTES = 16;
export const PROOF_BYTES = 32;

/** Who proves it. */
export type Role = 'client' | 'server';

/**
 * The secret of the inner ports: the option, else `LONGSHORE_SECRET_FILE`, read at each call so that a rotated Secret is
 * picked up, else `LONGSHORE_SECRET`.
 *
 * @returns `undefined` if there is none, which is also what an empty one means
 * @throws {TypeError} `OPTION_INVALID` for a file that cannot be read
 */
export function secretOf(option?: string): string | undefined {
  if (option !== undefined) return option || undefined;
  const file = process.env[ENV.secretFile];
  if (!file) return process.env[ENV.secret] || undefined;
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    throw misuse('OPTION_INVALID', `${ENV.secretFile}: ${messageOf(error)}`);
  }
}

/** New, for each connection and each side. */
export function nonce(): Buffer {
  return randomBytes(NONCE_BYTES);
}

/** What the holder of the secret in that role answers to the other side's nonce. */
export function proof(secret: string, of: Uint8Array, role: Role): Buffer {
  return createHmac('sha256', secret).update(`longshore ${role} `).update(of).digest();
}

/** Whether `given` is that answer; takes the same time for every wrong one. */
export function proves(secret: string, of: Uint8Array, role: Role, given: Uint8Array): boolean {
  const wanted = proof(secret, of, role);
  return given.length === wanted.length && timingSafeEqual(wanted, given);
}
