import { randomBytes } from 'node:crypto';
import { INNER_SECRET } from '../api/names.ts';
import { innerSecret } from '../desired/inner-secret.ts';
import { isAlreadyExists, isNotFound } from '../kube/api-error.ts';
import type { Client } from '../kube/client.ts';
import { resources } from '../kube/resources.ts';

const BYTES = 32;
/** One that may have been deleted is looked for again after so long. */
const FRESH_MS = 300_000;
/** And so soon while a pod does not run: it may wait for it. */
const WAITING_MS = 5000;

type Look = { readonly at: number; readonly done: Promise<void> };

/** The secrets of the inner ports, one for each namespace, made once. Who deletes one gets another. */
export class InnerSecrets {
  readonly #client: Client;
  readonly #looks = new Map<string, Look>();

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Makes sure that there is one.
   *
   * @param now milliseconds
   * @param waiting a pod may wait for it
   * @throws {ApiError}
   */
  ensure(namespace: string, now: number, waiting: boolean): Promise<void> {
    const last = this.#looks.get(namespace);
    if (last && now - last.at < (waiting ? WAITING_MS : FRESH_MS)) return last.done;
    const done = this.#look(namespace);
    this.#looks.set(namespace, { at: now, done });
    done.catch(() => this.#looks.delete(namespace));
    return done;
  }

  async #look(namespace: string): Promise<void> {
    const ref = { resource: resources.Secret, namespace, name: INNER_SECRET.name };
    try {
      await this.#client.get(ref);
      return;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    const secret = innerSecret(namespace, randomBytes(BYTES).toString('base64url'));
    await this.#client.create(secret).catch((error) => {
      if (!isAlreadyExists(error)) throw error;
    });
  }
}
