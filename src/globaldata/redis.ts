import { createClient, ErrorReply, RESP_TYPES } from '@redis/client';
import { messageOf } from '../errors.ts';
import { reconnectMs } from '../reconnect.ts';
import type { DataEngine, EngineEvents, EngineOptions } from './engine.ts';
import { type Answer, NAMES_MAX, type Operation, tooManyNames } from './operations.ts';
import {
  answerOf,
  commandOf,
  keysOf,
  matchOf,
  type RedisPlace,
  redisPlace,
} from './redis-words.ts';

const CONNECT_MS = 5000;
const HEARTBEAT = 10;
const SCAN_COUNT = '1000';
/** Values are bytes. */
const AS_BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } as const;

type Done = (answer: Answer | undefined) => void;
type Client = ReturnType<typeof newClient>;

/** The engine on Redis: the same operations, each one command or one script, so each is atomic there too. */
export class RedisEngine implements DataEngine {
  readonly #place: RedisPlace;
  readonly #events: EngineEvents;
  readonly #options: EngineOptions;
  #client: Client | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #beat: NodeJS.Timeout | undefined = undefined;
  #attempt = 0;
  #ended = false;
  isOpen = false;

  /** @throws {TypeError} `GLOBALDATA_INVALID` for an address that cannot be read */
  constructor(address: string, events: EngineEvents, options: EngineOptions) {
    this.#place = redisPlace(address);
    this.#events = events;
    this.#options = options;
  }

  connect(): void {
    const client = newClient(this.#place, this.#options);
    this.#client = client;
    // Every failure ends here too; it is told below, once.
    client.on('error', (error) => this.#down(client, messageOf(error)));
    client.on('end', () => this.#down(client, 'the connection was closed'));
    client.connect().then(
      () => this.#up(client),
      (error) => this.#down(client, messageOf(error)),
    );
  }

  #up(client: Client): void {
    if (client !== this.#client) return;
    this.isOpen = true;
    this.#attempt = 0;
    let answered = true;
    this.#beat = setInterval(
      () => {
        if (!answered) this.#down(client, 'nothing heard for too long');
        answered = false;
        client.ping().then(
          () => {
            answered = true;
          },
          () => {},
        );
      },
      (this.#options.heartbeat ?? HEARTBEAT) * 1000,
    ).unref();
    this.#events.open();
  }

  #down(client: Client, why: string): void {
    if (client !== this.#client) return;
    const wasOpen = this.isOpen;
    this.#drop();
    if (this.#ended) return;
    this.#events.error('CONNECT_FAILED', `${this.#place.shown}: ${why}`);
    this.#timer = setTimeout(() => this.connect(), reconnectMs(this.#attempt, Math.random()));
    this.#attempt += 1;
    if (wasOpen) this.#events.down();
  }

  /** Whatever is under way is rejected. */
  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    this.isOpen = false;
    clearInterval(this.#beat);
    client?.on('error', () => {});
    try {
      client?.destroy();
    } catch {
      // It was never open.
    }
  }

  close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    this.isOpen = false;
    clearInterval(this.#beat);
    // What was sent is answered.
    if (client?.isOpen) client.close().catch(() => client.destroy());
  }

  send(operation: Operation, done: Done): void {
    const client = this.#client;
    if (!client) {
      done(undefined);
      return;
    }
    this.#ask(client, operation).then(done, (error) =>
      done(error instanceof ErrorReply ? { kind: 'refusal', reason: error.message } : undefined),
    );
  }

  async #ask(client: Client, operation: Operation): Promise<Answer> {
    if (operation.kind === 'keys') return this.#keys(client, operation.pattern);
    const command = commandOf(operation, this.#place.prefix);
    return answerOf(operation, await client.sendCommand(command, AS_BYTES));
  }

  /** Part by part, so that others are served in between. */
  async #keys(client: Client, pattern: string): Promise<Answer> {
    const { prefix } = this.#place;
    const names = new Set<string>();
    let bytes = 0;
    let cursor = '0';
    do {
      const match = matchOf(prefix, pattern);
      const reply = await client.sendCommand(['SCAN', cursor, 'MATCH', match, 'COUNT', SCAN_COUNT]);
      const page = keysOf(reply, prefix);
      for (const name of page.names) {
        if (!names.has(name)) bytes += Buffer.byteLength(name) + 1;
        names.add(name);
      }
      if (bytes > NAMES_MAX) return tooManyNames(pattern);
      cursor = page.cursor;
    } while (cursor !== '0');
    return { kind: 'names', names: [...names].sort() };
  }
}

function newClient({ url }: RedisPlace, { tls }: EngineOptions) {
  const secure = tls === undefined ? {} : { tls: true as const, ...(tls === true ? {} : tls) };
  return createClient({
    url,
    RESP: 2,
    name: 'longshore',
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false, ...secure } as object,
  });
}
