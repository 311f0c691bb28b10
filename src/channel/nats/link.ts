import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import {
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  type Status,
} from '@nats-io/transport-node';
import { messageOf } from '../../errors.ts';
import { reconnectMs } from '../../reconnect.ts';
import type { EngineOptions } from '../engine.ts';
import type { NatsPlace } from './address.ts';

/** Seconds between signs of life. */
const HEARTBEAT = 10;
/** So many that were not answered are too many. */
const MISSING_MAX = 2;
const CONNECT_MS = 5_000;
/** What is on its way when a connection is closed has that long to arrive. */
const FAREWELL_MS = 2_000;

/** What a link tells. */
export type LinkEvents = {
  /** Connected: the first time, or again; `fresh`: with a connection that knows no subscriptions. */
  up(connection: NatsConnection, fresh: boolean): void;
  down(): void;
  error(message: string): void;
};

/**
 * One connection to a cluster, for ever: the first time by trying again and again, then by the client's own reconnecting,
 * both with jitter.
 */
export class NatsLink {
  /** While connected. */
  connection: NatsConnection | undefined = undefined;
  readonly #place: NatsPlace;
  readonly #options: EngineOptions;
  readonly #events: LinkEvents;
  readonly #ended = new AbortController();
  /** Also while it connects again by itself. */
  #client: NatsConnection | undefined = undefined;
  #attempt = 0;
  #waiting = Promise.withResolvers<NatsConnection>();
  #lost = Promise.withResolvers<void>();

  constructor(place: NatsPlace, options: EngineOptions, events: LinkEvents) {
    this.#place = place;
    this.#options = options;
    this.#events = events;
    this.#waiting.promise.catch(() => {});
  }

  /** Begins. Called once. */
  start(): void {
    void this.#run();
  }

  /** Settles when there is a connection. @throws when the link is ended */
  up(): Promise<NatsConnection> {
    return this.#waiting.promise;
  }

  /** Settles when the connection that is there now is lost. */
  get lost(): Promise<void> {
    return this.#lost.promise;
  }

  /** Waits, but not beyond the end of the link. @throws when it is ended */
  async pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#ended.signal });
  }

  /** How many servers are known: those that are named, or those that they tell of, whichever are more. */
  get servers(): number {
    const told = this.connection?.info?.connect_urls?.length ?? 0;
    return Math.max(told, this.#place.servers.length);
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      try {
        const connection = await connect(this.#connectionOptions());
        if (this.#ended.signal.aborted) await connection.close();
        else await this.#live(connection);
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        this.#events.error(`${this.#place.servers.join(', ')}: ${messageOf(error)}`);
      }
      await this.pause(this.#nextWait()).catch(() => {});
    }
  }

  #nextWait(): number {
    this.#attempt += 1;
    return reconnectMs(this.#attempt - 1, Math.random());
  }

  #connectionOptions(): NodeConnectionOptions {
    const { servers, user, pass, token, creds, tls: must } = this.#place;
    const { tls, heartbeat = HEARTBEAT } = this.#options;
    let tried = false;
    return {
      name: 'longshore',
      servers: [...servers],
      ...(user !== undefined && { user }),
      ...(pass !== undefined && { pass }),
      ...(token !== undefined && { token }),
      ...(creds !== undefined && { authenticator: credsAuthenticator(readFileSync(creds)) }),
      ...((must || tls) && { tls: tls === true || tls === undefined ? {} : (tls as object) }),
      timeout: CONNECT_MS,
      pingInterval: heartbeat * 1000,
      maxPingOut: MISSING_MAX,
      noAsyncTraces: true,
      // Endless, and also when the server does not know us any more: its users may be about to change.
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: () => 0,
      reconnectToServer: ([next]) => {
        if (!tried) {
          tried = true;
          return null;
        }
        return next ? { server: next, delay: this.#nextWait() } : null;
      },
    };
  }

  async #live(connection: NatsConnection): Promise<void> {
    this.#client = connection;
    // Those that did not answer the first time were forgotten.
    const known = connection.getServers().map(({ listen }) => listen);
    const forgotten = this.#place.servers.filter((each) => !known.includes(each));
    if (forgotten.length > 0) connection.setServers([...known, ...forgotten]);
    this.#up(connection, true);
    try {
      for await (const status of connection.status()) this.#follow(connection, status);
    } finally {
      this.#down();
    }
  }

  #follow(connection: NatsConnection, status: Status): void {
    if (status.type === 'disconnect') this.#down();
    if (status.type === 'reconnect') this.#up(connection, false);
    if (status.type === 'error') this.#events.error(messageOf(status.error));
  }

  #up(connection: NatsConnection, fresh: boolean): void {
    if (this.#ended.signal.aborted) return;
    this.#attempt = 0;
    this.connection = connection;
    this.#waiting.resolve(connection);
    this.#events.up(connection, fresh);
  }

  #down(): void {
    if (!this.connection) return;
    this.connection = undefined;
    this.#waiting = Promise.withResolvers();
    this.#waiting.promise.catch(() => {});
    this.#lost.resolve();
    this.#lost = Promise.withResolvers();
    if (!this.#ended.signal.aborted) this.#events.down();
  }

  /**
   * Ends it for good, with what was sent.
   *
   * @param last settles when nothing more is to be sent; it has 2 s
   */
  async stop(last: Promise<unknown>): Promise<void> {
    const { connection } = this;
    const client = this.#client;
    const late = pause(FAREWELL_MS, undefined, { ref: false });
    if (connection) await Promise.race([last, late]);
    this.#ended.abort();
    this.#waiting.reject(new Error('closed'));
    this.#waiting.promise.catch(() => {});
    if (connection) await Promise.race([connection.flush().catch(() => {}), late]);
    await client?.close();
  }
}
