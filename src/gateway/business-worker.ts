import { setTimeout as sleep } from 'node:timers/promises';
import type { Request } from '../http/request.ts';
import type { ListenOptions } from '../listeners/listener.ts';
import { log } from '../log.ts';
import { Worker } from '../worker.ts';
import type { WorkerOptions } from '../worker-options.ts';
import { GatewayClient } from './client.ts';
import type { GatewayClientOptions } from './client-base.ts';
import { KIND, type Package } from './format.ts';
import type { Link } from './link.ts';
import { type BusinessClient, Seats } from './seats.ts';
import { writeBare, writeJoin, writeNumbered } from './writing.ts';

/** What a `BusinessWorker` can be told: how it runs, and where the gateways are. */
export type BusinessWorkerOptions = Pick<
  WorkerOptions,
  'name' | 'count' | 'user' | 'group' | 'reloadable'
> &
  GatewayClientOptions;

/** Longest wait for gateways at the start; those that are late join later. */
const START_MS = 5000;
/** For a gateway's word while leaving. */
const WORD_MS = 1000;

/**
 * The application behind gateways. It holds no connection of a client, so its processes can be replaced while all
 * clients stay: a reload brings new code, and messages that arrive meanwhile wait at the gateway.
 *
 * Each client stays with one BusinessWorker process. Its callbacks run one after the other, in the order in which things
 * happened, also when they are async; callbacks of several clients run beside each other.
 *
 * @example
 * const business = new BusinessWorker({ count: 4 });
 * business.onMessage = (client, message) => business.gateway.sendToAll(`${client.id}: ${message}`);
 */
export class BusinessWorker extends Worker {
  /** All that can be done to clients, wherever they are connected. */
  readonly gateway: GatewayClient;
  /** A client has connected. */
  override onConnect: ((client: BusinessClient) => unknown) | undefined = undefined;
  /** Its WebSocket request: path, query, headers, cookies. After `onConnect`. */
  override onWebSocketConnect: ((client: BusinessClient, request: Request) => unknown) | undefined =
    undefined;
  /**
   * A message: text or bytes, as the gateway's protocol has it. A handler that is killed in the middle has lost its
   * message; nothing is delivered twice.
   */
  // biome-ignore lint/suspicious/noExplicitAny: what a client says depends on the gateway's protocol
  override onMessage: ((client: BusinessClient, message: any) => unknown) | undefined = undefined;
  /** A client is gone, or its gateway is; `client.session` and `client.uid` are what they were. Sends go nowhere. */
  override onClose: ((client: BusinessClient) => unknown) | undefined = undefined;

  readonly #seats: Seats = new Seats(this);
  readonly #waiting = new Map<string, (link: Link) => void>();
  #joined = false;
  #leaving: Promise<void> | undefined = undefined;
  #lastPing = 0;

  /** @throws {TypeError|RangeError} `OPTION_INVALID` */
  constructor(options: BusinessWorkerOptions = {}) {
    const { gateways, secret, tls, timeout, ...own } = options;
    super({ name: 'BusinessWorker', ...own });
    this.last = true;
    this.gateway = new GatewayClient({
      ...(gateways === undefined ? {} : { gateways }),
      ...(secret === undefined ? {} : { secret }),
      ...(tls === undefined ? {} : { tls }),
      ...(timeout === undefined ? {} : { timeout }),
    });
    this.gateway.onSession = (id, session, replaces) =>
      this.#seats.sessionSet(id, session, replaces);
    this.gateway.onUid = (id, uid) => {
      const seat = this.#seats.find(id);
      if (seat) seat.client.uid = uid;
    };
    const { links } = this.gateway;
    links.listeners.push({
      opened: (link) => this.#opened(link),
      package: (link, one) => this.#take(link, one),
      closed: (link) => this.#closed(link),
    });
  }

  /** Clients that this process has at the moment. */
  get clients(): number {
    return this.#seats.size;
  }

  /** @internal the program is ready: gateways may hand clients over */
  override async listen({ hold = false }: ListenOptions = {}): Promise<void> {
    const { links } = this.gateway;
    links.start();
    if (!hold) this.accept();
    if (!links.known) return;
    const late = new AbortController();
    await Promise.race([
      links.ready,
      sleep(START_MS, undefined, { signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
  }

  /** @internal */
  override accept(): void {
    if (this.#joined) return;
    this.#joined = true;
    for (const link of this.gateway.links.open.values()) this.#join(link);
  }

  #join(link: Link): void {
    writeJoin(link.out, `${this.name}#${this.id}`);
    link.wrote();
  }

  #opened(link: Link): void {
    for (const [instance, open] of this.gateway.links.open)
      if (open === link) this.#seats.opened(link, instance);
    if (this.#joined && !this.#leaving) this.#join(link);
  }

  #closed(link: Link): void {
    this.#seats.closed(link);
    for (const heard of this.#waiting.values()) heard(link);
  }

  #take(link: Link, one: Package): void {
    if (one.kind === KIND.event) this.#seats.event(link, one);
    else if (one.kind === KIND.left) this.#waiting.get('left')?.(link);
    else if (one.kind === KIND.ping) {
      writeNumbered(link.out, KIND.pong, one.id);
      link.wrote();
    } else if (one.kind === KIND.pong) this.#waiting.get(`pong ${one.id}`)?.(link);
  }

  /**
   * @internal Hands its clients to others: no more events, finish those that are here, make sure that all they have
   * caused has been carried out, then let the gateways go on.
   */
  override beforeLeave(ms: number): Promise<void> {
    this.#leaving ??= this.#leave(ms);
    return this.#leaving;
  }

  async #leave(ms: number): Promise<void> {
    await this.#heardFromAll('left', (link) => writeBare(link.out, KIND.leaving));
    if (!(await this.#seats.idle(ms)))
      log.warn(`${this.name}: handlers are not through after ${Math.round(ms)} ms; leaving`);
    await this.#barrier();
    for (const link of this.gateway.links.open.values()) {
      writeBare(link.out, KIND.done);
      link.flush();
    }
    this.#seats.forget();
  }

  /** @internal what `onWorkerStop` has sent is carried out before the process ends */
  override async lastWords(): Promise<void> {
    await this.#barrier();
    this.gateway.close();
  }

  /** Settles when every gateway has carried out all that this process has sent so far. */
  #barrier(): Promise<void> {
    this.#lastPing += 1;
    const id = this.#lastPing;
    return this.#heardFromAll(`pong ${id}`, (link) => writeNumbered(link.out, KIND.ping, id));
  }

  /** Says something to all gateways and waits until each has answered or is gone, a second at most. */
  async #heardFromAll(word: string, say: (link: Link) => void): Promise<void> {
    const silent = new Set(this.gateway.links.open.values());
    if (silent.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(word, (link) => {
      silent.delete(link);
      if (silent.size === 0) resolve();
    });
    for (const link of silent) {
      say(link);
      link.flush();
    }
    const timer = setTimeout(resolve, WORD_MS);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(word);
  }
}
