import { peers } from '../child/peers.ts';
import { call } from '../connections/connection.ts';
import { codeOf, LongshoreError, messageOf, misuse } from '../errors.ts';
import { CLIENT_KINDS, checkSeconds } from '../inner/port.ts';
import { log } from '../log.ts';
import { checkKinds } from '../option-checks.ts';
import { Calls } from './calls.ts';
import type { DataEngine, EngineOptions } from './engine.ts';
import { engineFor } from './engines.ts';
import type { Answer, Operation } from './operations.ts';
import { checkedKey, decodeValue, encodeValue } from './value.ts';

/** What a `GlobalDataClient` can be told. */
export type GlobalDataClientOptions = EngineOptions & {
  /** Seconds within which every operation settles, by an answer or an error. Default 5. */
  readonly timeout?: number;
};

/** How long a value lives. */
export type LifeOptions = {
  /** Seconds, also fractions. Default: for ever. */
  readonly seconds?: number;
};

type Key<T> = keyof T & string;

const TIMEOUT = 5;
/** Longest life that can be given, in seconds: about 285 years, what Redis can still count. */
const LIFE_MAX = 9_000_000_000;

/**
 * A process's way to shared data. Make one in `onWorkerStart` and keep it; it connects when it is first asked, and again
 * whenever the connection is lost.
 *
 * Each operation is atomic. Its promise settles within `timeout`; errors have a `code`:
 * - `GLOBALDATA_UNAVAILABLE`: no server; it was not carried out.
 * - `GLOBALDATA_LOST`: the connection or the answer was lost; a change may have been carried out.
 * - `GLOBALDATA_REFUSED`: the server would not: full, no number, disk full.
 * - `GLOBALDATA_INVALID`: a key or value that cannot be stored.
 *
 * T says which keys there are, and the types of their values.
 *
 * @example
 * const data = new GlobalDataClient<{ online: number; motd: string }>();
 * const online = await data.increment('online');
 * const motd = await data.get('motd'); // string | undefined
 */
export class GlobalDataClient<T extends object = Record<string, unknown>> {
  /** Operations go out at once from now on. */
  onConnect: (() => unknown) | undefined = undefined;
  /** The connection is lost; it will be tried again. */
  onClose: (() => unknown) | undefined = undefined;
  /** Connecting has failed, or the server refused us, as with a wrong secret. It is logged too, and tried again. */
  onError: ((code: string, message: string) => unknown) | undefined = undefined;

  readonly #address: string | undefined;
  readonly #options: GlobalDataClientOptions;
  readonly #calls: Calls;
  #engine: DataEngine | undefined = undefined;
  /** Where the engine goes, or will when it is loaded. */
  #target: string | undefined = undefined;
  #unwatch: (() => void) | undefined = undefined;
  #begun = false;
  #ended = false;

  /**
   * @param address `HOST:PORT` or `unix:///path` of a server, or `redis://HOST:PORT`. Without it: the one that the
   *                environment or the operator names, else one that the master starts and shares between all processes
   *                of this program.
   * @throws {RangeError} `OPTION_INVALID`
   */
  constructor(address?: string, options?: GlobalDataClientOptions);
  constructor(options?: GlobalDataClientOptions);
  constructor(first?: string | GlobalDataClientOptions, second: GlobalDataClientOptions = {}) {
    this.#address = typeof first === 'string' ? first : undefined;
    this.#options = typeof first === 'object' ? first : second;
    checkKinds(this.#options, { ...CLIENT_KINDS, timeout: 'number' });
    checkSeconds(this.#options, ['timeout', 'heartbeat']);
    this.#calls = new Calls((this.#options.timeout ?? TIMEOUT) * 1000);
  }

  /** Whether operations go out at once. */
  get connected(): boolean {
    return this.#engine?.isOpen === true;
  }

  /**
   * Begins to connect; the first operation does it too.
   *
   * @throws {TypeError} `GLOBALDATA_INVALID` without an address outside of a process of `Worker.runAll()`
   */
  connect(): void {
    if (this.#begun || this.#ended) return;
    if (this.#address !== undefined) {
      this.#begun = true;
      this.#go(this.#address);
      return;
    }
    if (!this.#look()) peers.want('globaldata');
    this.#begun = true;
    this.#unwatch = peers.watch('globaldata', () => this.#look());
  }

  /** @returns whether it is known where the server is */
  #look(): boolean {
    const members = peers.of('globaldata')?.members ?? [];
    const [first, second] = members;
    if (second)
      log.warn(
        `global data: one server writes, ${members.length} are named; ${first?.address} it is`,
      );
    if (first) this.#go(first.address);
    return first !== undefined;
  }

  #go(address: string): void {
    if (this.#ended || address === this.#target) return;
    this.#target = address;
    this.#drop('another server is to be asked');
    const events = {
      open: () => this.#opened(),
      down: () => {
        this.#calls.down('the connection is lost');
        call('GlobalDataClient.onClose', this.onClose);
      },
      error: (code: string, message: string) => this.#trouble(code, message),
    };
    const made = engineFor(address, events, this.#options);
    if (!(made instanceof Promise)) this.#adopt(made, address);
    else
      made
        .then((engine) => this.#adopt(engine, address))
        .catch((error) => this.#trouble(codeOf(error) ?? 'GLOBALDATA_INVALID', messageOf(error)));
  }

  #adopt(engine: DataEngine, address: string): void {
    // Another one may have been named while the engine was loaded.
    if (this.#ended || this.#target !== address) return;
    this.#engine = engine;
    engine.connect();
  }

  #opened(): void {
    if (!this.#engine) return;
    this.#calls.opened(this.#engine);
    call('GlobalDataClient.onConnect', this.onConnect);
  }

  #trouble(code: string, message: string): void {
    this.#calls.trouble = message;
    log.warn(`global data: ${code} ${message}; it is tried again`);
    call('GlobalDataClient.onError', this.onError, code as never, message as never);
  }

  #drop(why: string): void {
    this.#calls.down(why);
    this.#engine?.close();
    this.#engine = undefined;
  }

  /** The value, or `undefined` if there is none. */
  async get<K extends Key<T>>(key: K): Promise<T[K] | undefined> {
    const { value } = await this.#ask('value', { kind: 'get', key: checkedKey(key) });
    if (!value) return undefined;
    try {
      return decodeValue(value) as T[K];
    } catch (error) {
      const why = `get "${key}": it was not stored by Longshore: ${messageOf(error)}`;
      throw new LongshoreError('GLOBALDATA_REFUSED', why);
    }
  }

  /** Stores a value, in place of one that is there and of its life. Bytes stay bytes, everything else travels as JSON. */
  async set<K extends Key<T>>(key: K, value: T[K], life: LifeOptions = {}): Promise<void> {
    await this.#yes({
      kind: 'set',
      key: checkedKey(key),
      ms: msOf(life),
      value: encodeValue(value),
    });
  }

  /** Stores a value where there is none. @returns whether it did */
  async add<K extends Key<T>>(key: K, value: T[K], life: LifeOptions = {}): Promise<boolean> {
    return this.#yes({
      kind: 'add',
      key: checkedKey(key),
      ms: msOf(life),
      value: encodeValue(value),
    });
  }

  /**
   * Compare and swap: stores `value` if what is there equals `expected`. It lives as long as what it replaces.
   *
   * @param expected compared as JSON, the order of an object's keys does not matter; `undefined`: there is none
   * @returns whether it did
   */
  async cas<K extends Key<T>>(key: K, expected: T[K] | undefined, value: T[K]): Promise<boolean> {
    return this.#yes({
      kind: 'cas',
      key: checkedKey(key),
      expected: expected === undefined ? undefined : encodeValue(expected),
      value: encodeValue(value),
    });
  }

  /**
   * Adds to a whole number; none counts as 0. Its life stays as it is.
   *
   * @param step a whole number, also a negative one
   * @returns the sum
   * @throws {LongshoreError} `GLOBALDATA_REFUSED` if there is something else, or the sum is beyond 2^53
   */
  async increment<K extends Key<T>>(key: K, step: number = 1): Promise<number> {
    if (!Number.isSafeInteger(step))
      throw misuse('GLOBALDATA_INVALID', `the step is ${step}, expected a whole number`, 'range');
    const { number } = await this.#ask('number', { kind: 'increment', key: checkedKey(key), step });
    return number;
  }

  /**
   * Gives what is there another life.
   *
   * @param seconds from now on, also fractions; `Infinity`: for ever
   * @returns false if there is nothing
   */
  async expire(key: Key<T>, seconds: number): Promise<boolean> {
    const ms = seconds === Number.POSITIVE_INFINITY ? undefined : msOf({ seconds });
    return this.#yes({ kind: 'expire', key: checkedKey(key), ms });
  }

  /** @returns whether there was something */
  async delete(key: Key<T>): Promise<boolean> {
    return this.#yes({ kind: 'delete', key: checkedKey(key) });
  }

  async has(key: Key<T>): Promise<boolean> {
    return this.#yes({ kind: 'has', key: checkedKey(key) });
  }

  /**
   * The keys that there are, in order.
   *
   * @param pattern `*` stands for any characters, also none; everything else for itself
   * @throws {LongshoreError} `GLOBALDATA_REFUSED` for more than 8 MiB of names
   */
  async keys(pattern: string = '*'): Promise<Key<T>[]> {
    const { names } = await this.#ask('names', { kind: 'keys', pattern });
    return [...names] as Key<T>[];
  }

  async #yes(operation: Operation): Promise<boolean> {
    return (await this.#ask('yes', operation)).flag;
  }

  async #ask<K extends Answer['kind']>(
    kind: K,
    operation: Operation,
  ): Promise<Extract<Answer, { kind: K }>> {
    if (this.#ended)
      throw new LongshoreError(
        'GLOBALDATA_UNAVAILABLE',
        `${operation.kind}: the client was closed`,
      );
    this.connect();
    const answer = await this.#calls.run(operation);
    if (answer.kind === kind) return answer as Extract<Answer, { kind: K }>;
    throw new LongshoreError(
      'GLOBALDATA_LOST',
      `${operation.kind}: a ${answer.kind} is no answer to it`,
    );
  }

  /** Ends it for good. What is not answered is rejected. */
  close(): void {
    this.#ended = true;
    this.#unwatch?.();
    this.#calls.close();
    this.#engine?.close();
  }
}

function msOf({ seconds, ...others }: LifeOptions): number | undefined {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw misuse('GLOBALDATA_INVALID', `"${unknown}" is not known of a value's life, only seconds`);
  if (seconds === undefined) return undefined;
  if (seconds > 0 && seconds <= LIFE_MAX) return seconds * 1000;
  throw misuse(
    'GLOBALDATA_INVALID',
    `"seconds" is ${seconds}, expected more than 0 and at most ${LIFE_MAX}`,
    'range',
  );
}
