import type { ConnectionOptions } from 'node:tls';
import { LongshoreError, misuse } from '../errors.ts';
import { monotonicMs } from '../monotonic.ts';
import { checkKinds, type KindsOf } from '../option-checks.ts';
import { KIND, type Message } from './format.ts';
import { parseClientId } from './ids.ts';
import type { Link } from './link.ts';
import { Links } from './links.ts';
import type { Question } from './queries.ts';
import { NAME_MAX } from './registry.ts';
import { type Encoded, encoded, type Target, writeCommand, writeQuery } from './writing.ts';

/** How gateways are found and asked. */
export type GatewayClientOptions = {
  /**
   * `HOST:PORT`, `ssl://HOST:PORT` or `unix:///path` of each gateway process. Default: `LONGSHORE_GATEWAYS`, else those
   * that the operator or the master of this program knows.
   */
  readonly gateways?: readonly string[];
  /** Shared with the gateways. Default: `LONGSHORE_SECRET_FILE`, `LONGSHORE_SECRET`. */
  readonly secret?: string;
  /** Makes the connections TLS. */
  readonly tls?: ConnectionOptions;
  /** Seconds that a query waits for its answers. Default 5. */
  readonly timeout?: number;
};

/** Bytes that may wait for one gateway; beyond it sends say `false`. */
const QUEUE_MAX = 8_388_608;
/** Sends kept until the gateways are reached for the first time. */
const EARLY_MAX = 10_000;
export const NOTHING: Encoded = { form: 0, body: Buffer.alloc(0) };

const KINDS: KindsOf<GatewayClientOptions> = {
  gateways: 'texts',
  secret: 'text',
  tls: 'group',
  timeout: 'number',
};

type Asked = { readonly link: Link; settle(answer: unknown, error?: Error): void };

/** An answer, and the gateway that gave it. */
export type Answered<T> = { readonly instance: string; readonly answer: T };

/** What all calls of `GatewayClient` are made of: commands to one gateway or all, and questions. */
export class GatewayClientBase {
  /** @internal */
  readonly links: Links;
  readonly #timeoutMs: number;
  readonly #asked = new Map<number, Asked>();
  #early: (() => void)[] = [];
  #startedAt: number | undefined = undefined;
  #closed = false;
  #lastId = 0;

  constructor(options: GatewayClientOptions = {}) {
    checkKinds(options, KINDS);
    const { gateways, secret, tls, timeout = 5 } = options;
    if (!(timeout > 0)) throw misuse('OPTION_INVALID', `timeout is ${timeout}, expected seconds`);
    if (gateways?.length === 0)
      throw misuse('GATEWAY_INVALID', 'the list "gateways" is empty; leave it out, or name one');
    this.#timeoutMs = timeout * 1000;
    this.links = new Links({ gateways, secret, tls });
    this.links.listeners.push({
      package: (link, one) => {
        if (one.kind !== KIND.reply) return;
        const asked = this.#asked.get(one.id);
        if (asked?.link !== link) return;
        const error = one.good ? undefined : new LongshoreError('GATEWAY_INCOMPLETE', one.body);
        asked.settle(one.good ? JSON.parse(one.body) : undefined, error);
      },
      // Its clients are gone, so it has nothing to say about any.
      closed: (link) => {
        for (const asked of this.#asked.values()) if (asked.link === link) asked.settle(undefined);
      },
    });
    void this.links.ready.then(() => {
      for (const send of this.#early.splice(0)) send();
    });
  }

  /**
   * Begins to connect; every call does it as well. Settles when all gateways that are known were tried, or within the
   * timeout where nobody has named one.
   */
  async connect(): Promise<void> {
    this.#start();
    if (this.links.isReady) return;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, this.#timeoutMs);
    await Promise.race([this.links.ready, late.promise]);
    clearTimeout(timer);
  }

  #start(): void {
    this.links.start();
    this.#startedAt ??= monotonicMs();
  }

  /** Gateway processes that are connected. */
  get connected(): number {
    return this.links.open.size;
  }

  /** Ends all connections; what was sent goes out. */
  close(): void {
    this.#closed = true;
    for (const asked of this.#asked.values()) asked.settle(undefined, isClosed());
    this.links.stop();
  }

  /** What is sent before the gateways are reached waits, within bounds. */
  protected whenReady(send: () => boolean): boolean {
    if (this.#closed) return false;
    this.#start();
    if (this.links.isReady) return send();
    // After that time it is not that they are late: nobody knows of any.
    const isLate = monotonicMs() - (this.#startedAt ?? 0) > this.#timeoutMs;
    if (this.#early.length >= EARLY_MAX || (isLate && !this.links.known)) return false;
    this.#early.push(send);
    return true;
  }

  /** @internal a command about one client */
  protected toOne(
    id: string,
    what: number,
    names: readonly string[],
    body: Encoded = NOTHING,
  ): boolean {
    const key = parseClientId(id);
    if (!key) return false;
    return this.whenReady(() => {
      const link = this.links.open.get(key.instance);
      return link !== undefined && write(link, what, { clients: [key.number], names }, body);
    });
  }

  /** @internal a command to all gateways */
  protected toAll(
    what: number,
    target: (instance: string) => Target | undefined,
    body: Encoded & { readonly raw?: boolean },
  ): boolean {
    return this.whenReady(() => {
      let good = this.links.open.size > 0;
      for (const [instance, link] of this.links.open) {
        const there = target(instance);
        if (there && !write(link, what, there, body)) good = false;
      }
      return good;
    });
  }

  /** @internal a question about one client; `undefined`: its gateway is not there */
  protected async askOne<T>(
    id: string,
    what: 'session' | 'uid' | 'online',
  ): Promise<T | undefined> {
    const key = parseClientId(id);
    if (!key) return undefined;
    await this.#reached();
    const link = this.links.open.get(key.instance);
    return link && (await this.#ask<T>(link, { what, client: key.number }));
  }

  /**
   * @internal a question to all gateways
   * @throws {LongshoreError} `GATEWAY_INCOMPLETE`, with `partial`: made of the answers that came
   */
  protected async askAll<T, R>(
    question: Question,
    made: (answers: readonly Answered<T>[]) => R,
  ): Promise<R> {
    await this.#reached();
    const answers: Answered<T>[] = [];
    const failures: Error[] = [];
    const asking = [...this.links.open].map(async ([instance, link]) => {
      try {
        const answer = await this.#ask<T>(link, question);
        if (answer !== undefined) answers.push({ instance, answer });
      } catch (error) {
        failures.push(error as Error);
      }
    });
    await Promise.all(asking);
    const [first] = failures;
    if (!first) return made(answers);
    const found = `${failures.length} of ${asking.length} gateways gave no answer: ${first.message}`;
    const error = new LongshoreError('GATEWAY_INCOMPLETE', found, { cause: first });
    throw Object.assign(error, { partial: made(answers) });
  }

  async #reached(): Promise<void> {
    if (this.#closed) throw isClosed();
    await this.connect();
    if (this.links.open.size === 0)
      throw new LongshoreError(
        'GATEWAY_INCOMPLETE',
        'no gateway is connected: does one run, and does LONGSHORE_GATEWAYS or the option "gateways" name it?',
      );
  }

  #ask<T>(link: Link, question: Question): Promise<T | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
    this.#lastId = (this.#lastId + 1) >>> 0;
    const id = this.#lastId;
    const settle = (answer: unknown, error?: Error) => {
      clearTimeout(timer);
      this.#asked.delete(id);
      if (error) reject(error);
      else resolve(answer as T | undefined);
    };
    const timer = setTimeout(
      () =>
        settle(
          undefined,
          new LongshoreError('GATEWAY_INCOMPLETE', `no answer within ${this.#timeoutMs} ms`),
        ),
      this.#timeoutMs,
    );
    this.#asked.set(id, { link, settle });
    writeQuery(link.out, id, JSON.stringify(question));
    link.wrote();
    return promise;
  }
}

const isClosed = (): LongshoreError =>
  new LongshoreError('GATEWAY_INCOMPLETE', 'the GatewayClient was closed');

function write(
  link: Link,
  what: number,
  target: Target,
  body: Encoded & { readonly raw?: boolean },
): boolean {
  if (link.pending >= QUEUE_MAX) return false;
  writeCommand(link.out, what, target, body);
  link.wrote();
  return true;
}

/** One or several, as a list. */
export function listOf<T>(one: T | readonly T[]): readonly T[] {
  return Array.isArray(one) ? one : [one as T];
}

/**
 * Names of groups or uids as they travel.
 *
 * @throws {RangeError} `GATEWAY_INVALID` for an empty or too long one
 * @throws {TypeError} `GATEWAY_INVALID` for what is neither text nor a number, as the uid of somebody who has none
 */
export function names(given: Name | readonly Name[]): string[] {
  return listOf(given).map((one) => {
    if (typeof one !== 'string' && !Number.isFinite(one)) {
      const found = `a group's name and a uid are text or a number, this is ${String(one)}`;
      throw misuse('GATEWAY_INVALID', found);
    }
    const name = String(one);
    const length = Buffer.byteLength(name);
    if (length >= 1 && length <= NAME_MAX) return name;
    const found = `a group's name and a uid have 1 to ${NAME_MAX} bytes, this one has ${length}`;
    throw misuse('GATEWAY_INVALID', found, 'range');
  });
}

/** A group's name, or a user's id. */
export type Name = string | number;

/**
 * @throws {TypeError} `GATEWAY_INVALID` for what cannot travel
 */
export function bodyOf(message: Message): Encoded {
  try {
    return encoded(message);
  } catch (error) {
    throw misuse('GATEWAY_INVALID', (error as Error).message);
  }
}
