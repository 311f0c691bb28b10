import { randomBytes } from 'node:crypto';
import type { Secret } from '../api/meta.ts';
import { namesOf } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { tokenSecret } from '../desired/token.ts';
import { isAlreadyExists, isNotFound } from '../kube/api-error.ts';
import type { Client } from '../kube/client.ts';
import { resources } from '../kube/resources.ts';

const BYTES = 32;
/** A Secret that may have been changed is read again after so long, and at once when a pod refuses our token. */
const FRESH_MS = 300_000;
/** And so soon while a pod does not run: it may wait for a Secret that was deleted. */
const WAITING_MS = 5000;

type Known = { readonly tokens: readonly string[]; readonly readAt: number };

/**
 * The tokens of the admin ports, each in a Secret that is made once. Who deletes the Secret gets a new token; pods take
 * it when the kubelet has mounted it, so the one before is tried too.
 */
export class Tokens {
  readonly #client: Client;
  readonly #known = new Map<string, Known>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Makes sure that a server has had one; nothing is asked for one that is known. @throws {ApiError} */
  async ensure(server: SocketServer, now: number): Promise<void> {
    if (!this.#known.has(server.metadata.uid ?? '')) await this.of(server, now);
  }

  /**
   * The newest first.
   *
   * @param waiting a pod may wait for the Secret
   * @throws {ApiError}
   */
  async of(server: SocketServer, now: number, waiting = false): Promise<readonly string[]> {
    const uid = server.metadata.uid ?? '';
    const known = this.#known.get(uid);
    const freshMs = waiting ? WAITING_MS : FRESH_MS;
    if (known && now - known.readAt < freshMs) return known.tokens;
    const token = await this.#read(server);
    const older = (known?.tokens ?? []).filter((each) => each !== token).slice(0, 1);
    const tokens = [token, ...older];
    this.#known.set(uid, { tokens, readAt: now });
    return tokens;
  }

  /** A pod refuses them: they are read again next time. */
  doubt(server: SocketServer): void {
    const known = this.#known.get(server.metadata.uid ?? '');
    if (known)
      this.#known.set(server.metadata.uid ?? '', { ...known, readAt: Number.NEGATIVE_INFINITY });
  }

  forget(uid: string): void {
    this.#known.delete(uid);
  }

  async #read(server: SocketServer): Promise<string> {
    // One that was never looked at has none.
    const made = server.status === undefined ? await this.#made(server) : undefined;
    if (made !== undefined) return made;
    const { namespace } = server.metadata;
    const ref = { resource: resources.Secret, namespace, name: namesOf(server).token };
    try {
      return tokenIn(await this.#client.get<Secret>(ref)) ?? (await this.#put(server));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return (await this.#made(server)) ?? (await this.#read(server));
    }
  }

  /** `undefined` if there is a Secret. */
  async #made(server: SocketServer): Promise<string | undefined> {
    const { token, secret } = newToken(server);
    try {
      await this.#client.create(secret);
      return token;
    } catch (error) {
      if (isAlreadyExists(error)) return undefined;
      throw error;
    }
  }

  /** Into a Secret without one in it. */
  async #put(server: SocketServer): Promise<string> {
    const { token, secret } = newToken(server);
    await this.#client.apply(secret);
    return token;
  }
}

function newToken(server: SocketServer): { token: string; secret: Secret } {
  const token = randomBytes(BYTES).toString('base64url');
  return { token, secret: tokenSecret(server, Buffer.from(token).toString('base64')) };
}

function tokenIn({ data }: Secret): string | undefined {
  const text = Buffer.from(data?.['token'] ?? '', 'base64')
    .toString()
    .trim();
  return text === '' ? undefined : text;
}
