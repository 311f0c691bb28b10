import { ADMIN_PORT } from '../../src/contract.ts';
import type { PodReport } from '../api/pod-status.ts';
import { type Answer, type ExchangeError, exchange } from './exchange.ts';
import { Limit } from './limit.ts';
import { Nonsense, reloadIdOf, reportOf } from './pod-answers.ts';

const TIMEOUT_MS = 2000;
const AT_ONCE = 64;
/** Longest answer; a pod with a hundred processes sends some 50 KB. */
const ANSWER_MAX = 1_048_576;

/**
 * Why a pod did not do what it was asked.
 * - `unreachable`: no answer, or one that says that it cannot just now (5xx)
 * - `unauthorized`: it knows none of the tokens
 * - `conflict`: in order, but not yet; the sentence says what for
 * - `refused`: it will never do this
 * - `nonsense`: the answer is not what it should be
 */
export type PodErrorKind = 'unreachable' | 'unauthorized' | 'refused' | 'nonsense' | 'conflict';

/** A pod did not do what it was asked; the message is its own where it gave one, and never holds a token. */
export class PodError extends Error {
  override readonly name = 'PodError';
  readonly kind: PodErrorKind;

  constructor(kind: PodErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** What `reload` can be told. */
export type ReloadBody = {
  /** Old processes keep their connections until a deadline. */
  readonly graceful?: boolean;
  /** Digest of the code that is to be loaded; a `conflict` if it is not mounted yet. */
  readonly code?: string;
  /** Counts and addresses from now on. */
  readonly workers?: readonly {
    readonly name: string;
    readonly count?: number;
    readonly listen?: string;
  }[];
};

export type DrainBody = { readonly propagationSeconds?: number; readonly windowSeconds?: number };

/** A version, and lists of members by service. */
export type PeersBody = { readonly version: number };

export type PodAdminOptions = {
  /** Default: the admin port. */
  readonly port?: number;
  /** Default: 2 s for a call, all of it. */
  readonly timeoutMs?: number;
};

/**
 * Speaks to the admin ports of pods. Of several tokens the first that a pod knows counts, so that a token can be
 * changed while pods still have the old one. At most 64 calls are under way at the same time.
 */
export class PodAdmin {
  readonly #port: number;
  readonly #timeoutMs: number;
  readonly #limit = new Limit(AT_ONCE);
  readonly #closing = new AbortController();

  constructor({ port = ADMIN_PORT, timeoutMs = TIMEOUT_MS }: PodAdminOptions = {}) {
    this.#port = port;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws {PodError} as all of the following */
  async status(ip: string, tokens: readonly string[]): Promise<PodReport> {
    return understood(reportOf, await this.#call('GET', '/status', ip, tokens));
  }

  /**
   * Asks for new processes.
   *
   * @returns the reload's number, which `status` shows as it goes on
   */
  async reload(ip: string, tokens: readonly string[], body: ReloadBody = {}): Promise<number> {
    return understood(reloadIdOf, await this.#call('POST', '/reload', ip, tokens, body));
  }

  /** Asks for the end of all connections, over a window of time; the pod goes on and waits. */
  async drain(ip: string, tokens: readonly string[], body: DrainBody = {}): Promise<void> {
    await this.#call('POST', '/drain', ip, tokens, body);
  }

  /** Takes connections again after a drain. */
  async undrain(ip: string, tokens: readonly string[]): Promise<void> {
    await this.#call('POST', '/undrain', ip, tokens);
  }

  /** Gives all processes this hot configuration, in place of the one before. */
  async config(
    ip: string,
    tokens: readonly string[],
    values: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.#call('POST', '/config', ip, tokens, values);
  }

  /** Says where the servers are that its programs may use; an older list than it has is ignored. */
  async peers(ip: string, tokens: readonly string[], peers: PeersBody): Promise<void> {
    await this.#call('POST', '/peers', ip, tokens, peers);
  }

  /** Ends all calls, with errors. */
  close(): void {
    this.#closing.abort();
  }

  #call(
    method: 'GET' | 'POST',
    path: string,
    ip: string,
    tokens: readonly string[],
    body?: object,
  ): Promise<string> {
    return this.#limit.run(async () => {
      let answer: Answer = { status: 401, body: 'there is no token for it' };
      for (const token of tokens) {
        answer = await this.#ask(method, path, ip, token, body);
        if (answer.status !== 401) break;
      }
      if (answer.status === 200) return answer.body;
      throw new PodError(kindOf(answer.status), sentence(answer));
    });
  }

  async #ask(
    method: string,
    path: string,
    ip: string,
    token: string,
    body: object | undefined,
  ): Promise<Answer> {
    try {
      return await exchange({
        url: new URL(`http://${ip.includes(':') ? `[${ip}]` : ip}:${this.#port}${path}`),
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: body && JSON.stringify(body),
        timeoutMs: this.#timeoutMs,
        maxBytes: ANSWER_MAX,
        signal: this.#closing.signal,
      });
    } catch (error) {
      const { code, message } = error as ExchangeError;
      throw new PodError(kindOfFailure(code), message);
    }
  }
}

/** @param code of `exchange` */
function kindOfFailure(code: string): PodErrorKind {
  // A token that no header can hold is none that a pod knows.
  if (code === 'ERR_INVALID_CHAR') return 'unauthorized';
  return code === 'TooLarge' || code.startsWith('HPE_') ? 'nonsense' : 'unreachable';
}

function kindOf(status: number): PodErrorKind {
  if (status === 401) return 'unauthorized';
  if (status === 409) return 'conflict';
  if (status >= 500) return 'unreachable';
  return status >= 400 ? 'refused' : 'nonsense';
}

/** One line of the pod's own words. */
function sentence({ status, body }: Answer): string {
  const [line = ''] = body.trim().split('\n');
  return line === '' ? `it answered ${status}` : line.slice(0, 500);
}

function understood<T>(read: (body: string) => T, body: string): T {
  try {
    return read(body);
  } catch (error) {
    if (error instanceof Nonsense) throw new PodError('nonsense', error.message);
    throw error;
  }
}
