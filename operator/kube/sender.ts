import type { IncomingMessage } from 'node:http';
import { VERSION } from '../../src/contract.ts';
import { ApiError, errorOf } from './api-error.ts';
import type { Credentials } from './credentials.ts';
import { ExchangeError, exchange, type Outgoing, open, read } from './exchange.ts';
import type { Resource } from './resources.ts';

const TIMEOUT_MS = 10_000;
/** Longest answer: a page of objects of the usual size is some megabytes. */
const ANSWER_MAX = 67_108_864;
/** Longest error of a watch that was refused. */
const ERROR_MAX = 65_536;

/** As RBAC names them. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete';

/** A request, free of connections and credentials. */
export type Call = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly verb: Verb;
  /** Without one: no resource, so nothing that RBAC rules name. */
  readonly resource?: Resource;
  readonly subresource?: string | undefined;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
  /** Of the body. */
  readonly type?: string;
  /** Default: 10 s. */
  readonly timeoutMs?: number | undefined;
};

/** A request that is over; for metrics. */
export type RequestDone = {
  readonly verb: Verb;
  /** Plural, with a sub-resource behind a slash; `version` for the version. */
  readonly resource: string;
  /** HTTP status; 0 if there was no answer. Of a watch: the status it began with. */
  readonly status: number;
  /** Of a watch: until it began. */
  readonly seconds: number;
};

/** Sends calls to the API server and counts them. */
export class Sender {
  /** See `Client.made`. */
  readonly made: Map<string, number> = new Map();
  onRequest: ((done: RequestDone) => void) | undefined = undefined;
  readonly #credentials: Credentials;
  readonly #closing = new AbortController();

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /**
   * The answer, as JSON.
   *
   * @throws {ApiError}
   */
  async send(call: Call): Promise<unknown> {
    const { status, body } = await this.#told(call, async () => {
      const outgoing = await this.#outgoing(call, this.#closing.signal);
      return exchange(outgoing).catch((error) => again(error, call, outgoing));
    });
    if (status >= 300) throw this.#refusal(status, body, call);
    // An apply that creates needs the right to do that too.
    if (status === 201 && call.method === 'PATCH') this.#count({ ...call, verb: 'create' });
    try {
      return JSON.parse(body);
    } catch (error) {
      throw new ApiError(0, 'Unreadable', `${said(call)}: ${(error as Error).message}`);
    }
  }

  /**
   * An answer without an end. `signal` ends it.
   *
   * @throws {ApiError}
   */
  async open(call: Call, signal: AbortSignal): Promise<IncomingMessage> {
    const { response, status } = await this.#told(call, async () => {
      const both = AbortSignal.any([signal, this.#closing.signal]);
      const opened = await open(await this.#outgoing(call, both));
      return { response: opened, status: opened.statusCode ?? 0 };
    });
    if (status === 200) return response;
    const body = await read(response, ERROR_MAX).catch((error) => String(error));
    throw this.#refusal(status, body, call);
  }

  /** Ends all that is under way, with errors. */
  close(): void {
    this.#closing.abort();
    this.#credentials.close();
  }

  /** Counts and times a request; whatever kept it from being answered becomes an `ApiError`. */
  async #told<T extends { readonly status: number }>(
    call: Call,
    does: () => Promise<T>,
  ): Promise<T> {
    this.#count(call);
    const startedAt = performance.now();
    let status = 0;
    try {
      const answer = await does();
      status = answer.status;
      return answer;
    } catch (error) {
      const reason = error instanceof ExchangeError ? error.code : 'Credentials';
      throw new ApiError(0, reason, `${said(call)}: ${(error as Error).message}`);
    } finally {
      const resource = nameOf(call) ?? 'version';
      const seconds = (performance.now() - startedAt) / 1000;
      this.onRequest?.({ verb: call.verb, resource, status, seconds });
    }
  }

  #refusal(status: number, body: string, call: Call): ApiError {
    if (status === 401) this.#credentials.forget();
    return errorOf(status, body, said(call));
  }

  async #outgoing(call: Call, signal: AbortSignal): Promise<Outgoing> {
    const { server, headers, agent, watchAgent } = await this.#credentials.current();
    const url = new URL(server);
    url.pathname = `${server.pathname.replace(/\/$/, '')}${call.path}`;
    for (const [name, value] of Object.entries(call.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, value);
    return {
      url,
      method: call.method,
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': `longshore-operator/${VERSION}`,
        ...(call.body ? { 'content-type': call.type ?? 'application/json' } : {}),
      },
      body: call.body && JSON.stringify(call.body),
      agent: call.verb === 'watch' ? watchAgent : agent,
      timeoutMs: call.timeoutMs ?? TIMEOUT_MS,
      maxBytes: ANSWER_MAX,
      signal,
    };
  }

  #count({ verb, resource, subresource }: Pick<Call, 'verb' | 'resource' | 'subresource'>): void {
    if (!resource) return;
    const key = `${verb} ${resource.group}/${nameOf({ resource, subresource })}`;
    this.made.set(key, (this.made.get(key) ?? 0) + 1);
  }
}

/** Once more if a kept connection was being closed as we wrote to it; not what would then be done twice. */
function again(error: unknown, call: Call, outgoing: Outgoing): ReturnType<typeof exchange> {
  if (error instanceof ExchangeError && error.stale && call.method !== 'POST')
    return exchange(outgoing);
  throw error;
}

function nameOf({
  resource,
  subresource,
}: Pick<Call, 'resource' | 'subresource'>): string | undefined {
  if (!resource) return undefined;
  return subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
}

const said = (call: Call): string => `${call.method} ${call.path}`;
