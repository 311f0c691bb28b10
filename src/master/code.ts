import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { digest } from '../digest.ts';
import type { Plan } from './plan.ts';

/**
 * Which code is mounted, and which one the processes run: for a program that Kubernetes mounts from a ConfigMap. What
 * is mounted follows an edit of the ConfigMap with a delay that nobody can know, so whoever asks for a reload says which
 * code it is for.
 */
export class Code {
  readonly #folder: string;
  readonly #plan: Plan;
  #loaded: string | undefined;
  #asked: { readonly id: number; readonly code: string | undefined } | undefined = undefined;

  /** @param folder where the program is */
  constructor(folder: string, plan: Plan) {
    this.#folder = folder;
    this.#plan = plan;
    this.#loaded = this.mounted;
  }

  /** Digest of the files that are mounted now; `undefined` for a folder that is no mounted ConfigMap. */
  get mounted(): string | undefined {
    // Kubernetes swaps all files at once by this link; only a mounted volume has it.
    if (!existsSync(join(this.#folder, '..data'))) return undefined;
    const files = readdirSync(this.#folder).filter(
      (name) => !name.startsWith('..') && statSync(join(this.#folder, name)).isFile(),
    );
    return digest(
      Object.fromEntries(files.map((name) => [name, readFileSync(join(this.#folder, name))])),
    );
  }

  /** Digest of the code that every process runs: the one of the start, or of the last reload that was done. */
  get loaded(): string | undefined {
    const { reload } = this.#plan;
    if (this.#asked && reload && reload.id >= this.#asked.id && reload.state === 'done') {
      this.#loaded = this.#asked.code;
      this.#asked = undefined;
    }
    return this.#loaded;
  }

  /** A reload has been asked for, which will run what is mounted now. */
  reloads(id: number): void {
    void this.loaded;
    this.#asked = { id, code: this.mounted };
  }
}
