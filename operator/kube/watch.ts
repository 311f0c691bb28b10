import type { KubeObject } from '../api/meta.ts';
import type { ApiError } from './api-error.ts';
import { Audit, type Found } from './audit.ts';
import type { Client } from './client.ts';
import { Feed } from './feed.ts';
import type { Resource } from './resources.ts';
import { type Change, changeOf, differences, replacement } from './store.ts';

const RELIST_MS = 600_000;

export type ReflectorOptions<T> = {
  readonly client: Client;
  readonly resource: Resource;
  /** A watch for each; default: one for all namespaces. */
  readonly namespaces?: readonly string[] | undefined;
  readonly labelSelector?: string | undefined;
  /**
   * Keeps of an object only what is needed; it gets an object of its own, which it may change. `managedFields` are
   * gone already. It must keep name, namespace and resourceVersion.
   */
  readonly trim?: ((object: T) => T) | undefined;
  /** Its kind need not be defined: then there are none of it, until it is. */
  readonly optional?: boolean | undefined;
  /** Milliseconds from one list beside the watch to the next, give or take a fifth; default: 10 minutes. */
  readonly relistMs?: number | undefined;
  /** Milliseconds without a sign of life after which a watch is begun anew; default: 3 minutes. */
  readonly silentMs?: number | undefined;
};

/** @param key `namespace/name` */
export type Listener<T> = (key: string, now: T | undefined, before: T | undefined) => void;

/** A copy of all objects of a kind that follows the API server. It begins at once. */
export class Reflector<T extends KubeObject> {
  /** By `namespace/name`; `/name` for what has no namespace. Objects in it never change: they are replaced. */
  readonly store: ReadonlyMap<string, T>;
  /** Resolves when everything there is has been listed once; never rejects, and not at all after an early `stop`. */
  readonly synced: Promise<void>;
  /** Told of every list or watch that failed; each is tried again. */
  onError: ((error: ApiError) => void) | undefined = undefined;
  /** Watches that were begun after the first of each namespace. */
  restarts = 0;
  /** Changes that a list found and that the watch had not told. */
  missed = 0;
  /** Lists, those beside the watch included. */
  lists = 0;
  readonly #objects = new Map<string, T>();
  readonly #listeners = new Set<Listener<T>>();
  readonly #parts: { readonly feed: Feed<T>; readonly audit: Audit<T> }[] = [];

  constructor(options: ReflectorOptions<T>) {
    this.store = this.#objects;
    const namespaces = new Set(options.namespaces ?? [undefined]);
    this.synced = Promise.all([...namespaces].map((one) => this.#begin(options, one))).then(
      () => undefined,
    );
  }

  /**
   * Tells of every change from now on, what was removed included; it must not throw. What is there already is in
   * `store`.
   *
   * @returns ends it
   */
  onChange(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends all watches. The store stays as it is. */
  stop(): void {
    for (const { feed, audit } of this.#parts) {
      feed.stop();
      audit.stop();
    }
  }

  /** @returns a promise of the first list */
  #begin(options: ReflectorOptions<T>, namespace: string | undefined): Promise<void> {
    const { trim, relistMs = RELIST_MS } = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const mine = (key: string) => namespace === undefined || key.startsWith(`${namespace}/`);
    const keep = (object: T) => (trim ?? unchanged)(withoutManagedFields(object));
    let watches = 0;
    const feed = new Feed<T>(
      { ...options, namespace, keep },
      {
        listed: (items) => {
          this.lists += 1;
          for (const change of replacement(this.#objects, items, mine)) this.#make(change);
          audit.moved();
          resolve();
        },
        changed: (is, object) => {
          const change = changeOf(this.#objects, is, object);
          if (change) this.#make(change);
          audit.moved();
        },
        marked: () => audit.moved(),
        failed: (error) => this.onError?.(error),
        watching: () => {
          if (watches > 0) this.restarts += 1;
          watches += 1;
        },
      },
    );
    const audit = new Audit(feed);
    this.#parts.push({ feed, audit });
    const failed = (error: ApiError) => this.onError?.(error);
    void audit.run(relistMs, { found: (found) => this.#audited(feed, found, mine), failed });
    void feed.run();
    return promise;
  }

  #audited(feed: Feed<T>, found: Found<T>, mine: (key: string) => boolean): void {
    this.lists += 1;
    const changes = differences(this.#objects, found.items, { ...found, mine });
    this.missed += changes.length;
    for (const change of changes) this.#make(change);
    if (changes.length > 0) feed.restart(found.resourceVersion);
  }

  #make({ key, now, before }: Change<T>): void {
    if (now) this.#objects.set(key, now);
    else {
      this.#objects.delete(key);
      for (const { audit } of this.#parts) audit.gone(key);
    }
    for (const listener of this.#listeners) listener(key, now, before);
  }
}

const unchanged = <T>(object: T): T => object;

/** Half the size of an object, and of no use to anybody here. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata as KubeObject['metadata'] & {
    managedFields?: unknown;
  };
  return { ...object, metadata };
}
