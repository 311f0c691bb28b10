import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeObject } from '../api/meta.ts';
import { ApiError, isGone, isNotFound } from './api-error.ts';
import { jittered } from './back-off.ts';
import type { Client } from './client.ts';
import { Lines } from './lines.ts';
import type { Resource } from './resources.ts';
import { type WatchEvent, watchEventOf } from './watch-event.ts';
import { type End, nextOf } from './watch-plan.ts';

/** After this the API server ends a watch, give or take a fifth, so that watches spread over its replicas again. */
const WATCH_SECONDS = 300;
/** The API server marks even a watch without events about once a minute; one that is silent for longer is dead. */
const SILENT_MS = 180_000;
/** Longest event; an object has 1.5 MiB in etcd at most. */
const LINE_MAX = 16_777_216;

export type FeedOptions<T> = {
  readonly client: Client;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly labelSelector?: string | undefined;
  /** Without the definition of its kind there are none of it; it is tried again. */
  readonly optional?: boolean | undefined;
  /** Default: 3 minutes. */
  readonly silentMs?: number | undefined;
  /** What is kept of an object. */
  readonly keep: (object: T) => T;
};

/** What a feed tells, in order. */
export type FeedEvents<T> = {
  /** Everything there is. */
  listed(items: readonly T[]): void;
  changed(is: 'there' | 'gone', object: T): void;
  /** Nothing else has changed up to `version`. */
  marked(): void;
  /** A watch or list failed and is tried again. */
  failed(error: ApiError): void;
  /** A watch was begun, the first one included. */
  watching(): void;
};

/** A list and then watches, begun again for as long as it is not stopped. */
export class Feed<T extends KubeObject> {
  readonly #options: FeedOptions<T>;
  readonly #events: FeedEvents<T>;
  readonly #stopping = new AbortController();
  #current: AbortController | undefined = undefined;
  /** What has been told so far; `undefined`: list first. */
  #version: string | undefined = undefined;
  #failures = 0;

  constructor(options: FeedOptions<T>, events: FeedEvents<T>) {
    this.#options = options;
    this.#events = events;
  }

  /** Up to here the watch has told everything, if it told everything. */
  get version(): string | undefined {
    return this.#version;
  }

  /** Runs until it is stopped; never rejects. */
  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const end = await this.#once();
      const { waitMs, list, failures } = nextOf(end, this.#failures, Math.random());
      this.#failures = failures;
      if (list) this.#version = undefined;
      await pause(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** Begins a new watch from an earlier version: the one under way does not tell everything. */
  restart(version: string): void {
    this.#version = version;
    this.#current?.abort();
  }

  /** Everything there is now; the watch goes on meanwhile. */
  async list(): Promise<{ items: T[]; resourceVersion: string }> {
    const { client, resource, namespace, labelSelector, keep } = this.#options;
    const items: T[] = [];
    let resourceVersion = '';
    for await (const page of client.pages<T>(resource, { namespace, labelSelector })) {
      for (const item of page.items) items.push(keep(item));
      resourceVersion = page.resourceVersion;
    }
    return { items, resourceVersion };
  }

  async #once(): Promise<End> {
    const current = new AbortController();
    this.#current = current;
    const watch: Watch = { startedAt: undefined };
    const signal = AbortSignal.any([current.signal, this.#stopping.signal]);
    try {
      await this.#listAndWatch(watch, signal);
      return { how: 'over', livedMs: lived(watch) };
    } catch (error) {
      if (signal.aborted) return { how: 'over', livedMs: lived(watch) };
      const failure = error instanceof ApiError ? error : new ApiError(0, 'Cut', messageOf(error));
      this.#events.failed(failure);
      if (this.#options.optional && isNotFound(failure)) this.#events.listed([]);
      return { how: isGone(failure) ? 'gone' : 'failed', livedMs: lived(watch) };
    }
  }

  async #listAndWatch(watch: Watch, signal: AbortSignal): Promise<void> {
    if (this.#version === undefined) {
      const { items, resourceVersion } = await this.list();
      if (signal.aborted) return;
      this.#version = resourceVersion;
      this.#events.listed(items);
    }
    const { client, resource, namespace, labelSelector } = this.#options;
    const timeoutSeconds = Math.round(jittered(WATCH_SECONDS, 0.2, Math.random()));
    const from = { namespace, labelSelector, resourceVersion: this.#version, timeoutSeconds };
    const response = await client.watch(resource, from, signal);
    watch.startedAt = performance.now();
    this.#events.watching();
    try {
      await this.#read(response, signal);
    } finally {
      response.destroy();
    }
  }

  async #read(response: IncomingMessage, signal: AbortSignal): Promise<void> {
    const lines = new Lines(LINE_MAX);
    const { silentMs = SILENT_MS } = this.#options;
    const guard = setTimeout(
      () => response.destroy(new ApiError(0, 'Silent', `no sign of life for ${silentMs / 1000} s`)),
      silentMs,
    );
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        guard.refresh();
        for (const line of lines.push(chunk)) {
          // Told while a listener has asked for another beginning, it would be forgotten.
          if (signal.aborted) return;
          this.#take(watchEventOf(line));
        }
      }
    } finally {
      clearTimeout(guard);
    }
  }

  #take(event: WatchEvent): void {
    if (event.is === 'mark') {
      this.#version = event.resourceVersion;
      this.#events.marked();
      return;
    }
    this.#version = event.object.metadata.resourceVersion;
    this.#events.changed(event.is, this.#options.keep(event.object as T));
  }
}

type Watch = { startedAt: number | undefined };

function lived({ startedAt }: Watch): number {
  return startedAt === undefined ? 0 : performance.now() - startedAt;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
