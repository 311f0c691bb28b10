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

  /** The newest first. @throws {ApiError} */
  async of(server: SocketServer, now: number): Promise<readonly string[]> {
    const uid = server.metadata.uid ?? '';
    const known = this.#known.get(uid);
    if (known && now - known.readAt < FRESH_MS) return known.tokens;
    const token = await this.#read(server);
    const older = (known?.tokens ?? []).filter((each) => each !== token).slice(0, 1);
    const tokens = [token, ...older];
    this.#known.set(uid, { tokens, readAt: now });
    return tokens;
  }

  /** A pod refuses them: they are read again next time. */
  doubt(server: SocketServer): void {
    const known = this.#known.get(server.metadata.uid ?? '');
    if (known) this.#known.set(server.metadata.uid ?? '', { ...known, readAt: 0 });
  }

  forget(uid: string): void {
    this.#known.delete(uid);
  }

  async #read(server: SocketServer): Promise<string> {
    const { name, namespace } = server.metadata;
    const ref = { resource: resources.Secret, namespace, name: namesOf(name).token };
    try {
      return tokenIn(await this.#client.get<Secret>(ref)) ?? (await this.#make(server));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return this.#make(server);
    }
  }

  async #make(server: SocketServer): Promise<string> {
    const token = randomBytes(BYTES).toString('base64url');
    const secret = tokenSecret(server, Buffer.from(token).toString('base64'));
    try {
      await this.#client.create(secret);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      // It is there without a token in it.
      await this.#client.apply(secret);
    }
    return token;
  }
}

function tokenIn({ data }: Secret): string | undefined {
  const text = Buffer.from(data?.['token'] ?? '', 'base64')
    .toString()
    .trim();
  return text === '' ? undefined : text;
}
