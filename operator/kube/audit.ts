import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeObject } from '../api/meta.ts';
import { ApiError } from './api-error.ts';
import { jittered } from './back-off.ts';
import type { Feed } from './feed.ts';
import { isLater } from './store.ts';

/** A watch that has not told by then what a list has shown has missed it; more than its longest pause. */
const GRACE_MS = 15_000;

/** What a list has found, once the watch had its time to tell the same. */
export type Found<T> = {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Keys that were removed in the meantime. */
  readonly removed: ReadonlySet<string>;
};

/** Lists everything from time to time beside the watch, to find what the watch did not tell. */
export class Audit<T extends KubeObject> {
  readonly #feed: Feed<T>;
  readonly #stopping = new AbortController();
  readonly #told = new EventTarget();
  #removed: Set<string> | undefined = undefined;

  constructor(feed: Feed<T>) {
    this.#feed = feed;
  }

  /**
   * Runs until it is stopped; never rejects.
   *
   * @param everyMs from one list to the next, give or take a fifth
   */
  async run(
    everyMs: number,
    events: { found(found: Found<T>): void; failed(error: ApiError): void },
  ): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await rest(jittered(everyMs, 0.2, Math.random()), signal);
      if (signal.aborted) return;
      try {
        this.#removed = new Set();
        const { items, resourceVersion } = await this.#feed.list();
        await this.#reached(resourceVersion);
        if (!signal.aborted) events.found({ items, resourceVersion, removed: this.#removed });
      } catch (error) {
        events.failed(error instanceof ApiError ? error : new ApiError(0, 'Failed', String(error)));
      } finally {
        this.#removed = undefined;
      }
    }
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** The watch, or a list in its place, has told that this is gone. */
  gone(key: string): void {
    this.#removed?.add(key);
  }

  /** The feed has gone on. */
  moved(): void {
    this.#told.dispatchEvent(new Event('moved'));
  }

  /** Waits until the watch has told all that the list has, or should have. */
  async #reached(version: string): Promise<void> {
    const late = AbortSignal.any([AbortSignal.timeout(GRACE_MS), this.#stopping.signal]);
    while (!late.aborted && isLater(version, this.#feed.version ?? '')) {
      await once(this.#told, 'moved', { signal: late }).catch(() => undefined);
    }
  }
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined);
}
