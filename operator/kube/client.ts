import type { IncomingMessage } from 'node:http';
import type { KubeObject } from '../api/meta.ts';
import { ApiError, isGone } from './api-error.ts';
import { Credentials } from './credentials.ts';
import { apiVersionOf, path, type Ref, type Resource, refOf } from './resources.ts';
import { type Call, type RequestDone, Sender } from './sender.ts';

/** Whose fields are ours in server-side apply. */
export const FIELD_MANAGER = 'longshore';

/** Objects in one page of a list. */
const PAGE = 500;

export type Within = { readonly timeoutMs?: number | undefined };

export type Selection = {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
};

export type WatchFrom = Selection & {
  readonly resourceVersion: string;
  /** After this the API server ends the watch. */
  readonly timeoutSeconds: number;
};

export type ListOf<T> = { readonly items: T[]; readonly resourceVersion: string };

export type Removal = {
  /** Only the object with this uid, not one that has taken its name since. */
  readonly uid?: string | undefined;
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan' | undefined;
};

/** Of the API server, as in 1 and 36. */
export type ServerVersion = {
  readonly major: number;
  readonly minor: number;
  readonly text: string;
};

type Page<T> = {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: readonly T[] | null;
};

type Told = { readonly major: string; readonly minor: string; readonly gitVersion: string };

/**
 * The API server's. Every request has 10 s unless it says otherwise, and all that can go wrong with one is an
 * `ApiError`.
 */
export class Client {
  readonly #sender: Sender;

  constructor(credentials: Credentials) {
    this.#sender = new Sender(credentials);
  }

  /** With the service account in a pod; elsewhere with `$KUBECONFIG` or kubectl's default file. Nothing is sent yet. */
  static connect(): Client {
    return new Client(Credentials.ofSurroundings());
  }

  /**
   * Requests so far by `verb group/resource[/subresource]`, as in `patch apps/replicasets` or `get /pods`: what RBAC
   * rules have to allow. An apply that creates counts as `patch` and as `create`, since it needs both.
   */
  get made(): ReadonlyMap<string, number> {
    return this.#sender.made;
  }

  /** Told of every request that is over. */
  set onRequest(told: ((done: RequestDone) => void) | undefined) {
    this.#sender.onRequest = told;
  }

  /** @throws {ApiError} as all of the following */
  get<T extends KubeObject>(ref: Ref, within: Within = {}): Promise<T> {
    return this.#object<T>({ ...at(ref), ...within, method: 'GET', verb: 'get' });
  }

  /** All of a kind, read in pages, as they were at one moment: `resourceVersion`. */
  async list<T extends KubeObject>(resource: Resource, of: Selection = {}): Promise<ListOf<T>> {
    try {
      return await this.#list<T>(resource, of);
    } catch (error) {
      // The pages are of a moment that the server keeps for minutes only.
      if (!isGone(error)) throw error;
      return this.#list<T>(resource, of);
    }
  }

  async #list<T extends KubeObject>(resource: Resource, of: Selection): Promise<ListOf<T>> {
    const items: T[] = [];
    for await (const page of this.pages<T>(resource, of)) {
      items.push(...page.items);
      if (page.last) return { items, resourceVersion: page.resourceVersion };
    }
    throw new ApiError(0, 'Unreadable', `the list of ${resource.plural} has no end`);
  }

  /** The pages of a list as they come, for those who keep only a part of each object. */
  async *pages<T extends KubeObject>(
    resource: Resource,
    { namespace, labelSelector }: Selection = {},
  ): AsyncGenerator<ListOf<T> & { readonly last: boolean }, void, void> {
    let more: string | undefined;
    do {
      const page = await this.#sender.send({
        method: 'GET',
        verb: 'list',
        resource,
        path: path(resource, { namespace }),
        query: { labelSelector, limit: `${PAGE}`, continue: more },
      });
      const { metadata, items } = page as Page<T>;
      more = metadata.continue || undefined;
      const { resourceVersion } = metadata;
      // A list says the kind once, for all.
      const kind = { apiVersion: apiVersionOf(resource), kind: resource.kind };
      const full = (items ?? []).map((item) => ({ ...kind, ...item }));
      yield { items: full, resourceVersion, last: more === undefined };
    } while (more !== undefined);
  }

  /**
   * Opens a watch; the caller reads its lines, or destroys it.
   *
   * @param signal ends it
   */
  watch(resource: Resource, from: WatchFrom, signal: AbortSignal): Promise<IncomingMessage> {
    const { namespace, labelSelector, resourceVersion, timeoutSeconds } = from;
    const call: Call = {
      method: 'GET',
      verb: 'watch',
      resource,
      path: path(resource, { namespace }),
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        labelSelector,
        resourceVersion,
        timeoutSeconds: `${timeoutSeconds}`,
      },
    };
    return this.#sender.open(call, signal);
  }

  /** @throws {ApiError} `isAlreadyExists` if there is one of that name */
  create<T extends KubeObject>(object: T, within: Within = {}): Promise<T> {
    const { resource, namespace } = refOf(object);
    return this.#object<T>({
      ...within,
      method: 'POST',
      verb: 'create',
      resource,
      path: path(resource, { namespace }),
      query: { fieldManager: FIELD_MANAGER },
      body: object,
    });
  }

  /**
   * Server-side apply: the object has these fields afterwards, and those that we applied before and left out now are
   * gone. Fields of others stay; where two want the same one, we get it.
   *
   * @param object only the fields that are ours
   */
  apply<T extends KubeObject>(
    object: T,
    { subresource }: { readonly subresource?: 'status' } = {},
  ): Promise<T> {
    return this.#object<T>({
      ...at(refOf(object), subresource),
      method: 'PATCH',
      verb: 'patch',
      query: { fieldManager: FIELD_MANAGER, force: 'true' },
      body: object,
      type: 'application/apply-patch+yaml',
    });
  }

  /**
   * A JSON merge patch (RFC 7386). With `metadata.resourceVersion` in it the patch is refused if the object has changed
   * since.
   */
  patch<T extends KubeObject>(
    ref: Ref,
    mergePatch: object,
    { subresource, timeoutMs }: Within & { readonly subresource?: string } = {},
  ): Promise<T> {
    return this.#object<T>({
      ...at(ref, subresource),
      method: 'PATCH',
      verb: 'patch',
      query: { fieldManager: FIELD_MANAGER },
      body: mergePatch,
      type: 'application/merge-patch+json',
      timeoutMs,
    });
  }

  /** Asks for the end of an object; finalizers, and of pods their grace, may make it last. */
  async remove(ref: Ref, { uid, propagation }: Removal = {}): Promise<void> {
    await this.#sender.send({
      ...at(ref),
      method: 'DELETE',
      verb: 'delete',
      body: {
        ...(uid === undefined ? {} : { preconditions: { uid } }),
        ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
      },
    });
  }

  async version(): Promise<ServerVersion> {
    const told = (await this.#sender.send({
      method: 'GET',
      verb: 'get',
      path: '/version',
    })) as Told;
    // Some clouds say "36+".
    return {
      major: Number.parseInt(told.major, 10),
      minor: Number.parseInt(told.minor, 10),
      text: told.gitVersion,
    };
  }

  /** Ends all that is under way, with errors. */
  close(): void {
    this.#sender.close();
  }

  async #object<T extends KubeObject>(call: Call): Promise<T> {
    return (await this.#sender.send(call)) as T;
  }
}

function at(
  { resource, namespace, name }: Ref,
  subresource?: string,
): Pick<Call, 'resource' | 'subresource' | 'path'> {
  return { resource, subresource, path: path(resource, { namespace, name, subresource }) };
}
