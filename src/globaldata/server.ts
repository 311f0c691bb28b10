import type { TcpConnection } from '../connections/tcp.ts';
import { GLOBALDATA_PORT, GLOBALDATA_SERVER } from '../contract.ts';
import { misuse } from '../errors.ts';
import { receive } from '../inner/handshake.ts';
import { checkPositive, innerAddress, innerWorker } from '../inner/port.ts';
import { secretOf } from '../inner/secret.ts';
import type { ListenOptions } from '../listeners/listener.ts';
import type { SslOptions } from '../listeners/tls.ts';
import { log } from '../log.ts';
import { monotonicMs } from '../monotonic.ts';
import { checkKinds, type KindsOf } from '../option-checks.ts';
import { Worker } from '../worker.ts';
import { Desk, entryOf } from './desk.ts';
import { type DataMessage, dataProtocol, FORMAT_VERSION } from './format.ts';
import { type Fsync, Journal } from './journal.ts';
import type { Answer, Operation } from './operations.ts';
import { Session } from './session.ts';
import { type DataStats, dataStats, zeroDataStats } from './stats.ts';
import { Store } from './store.ts';

/** What a `GlobalDataServer` can be told. */
export type GlobalDataServerOptions = {
  /** What clients must know. Default: `LONGSHORE_SECRET_FILE` or `LONGSHORE_SECRET`; without any, everybody may. */
  readonly secret?: string;
  /** TLS on the port. */
  readonly ssl?: SslOptions;
  /** File that keeps the data over a restart. Without it the data ends with the server. */
  readonly file?: string;
  /**
   * When a change is on the disk. `always` (default): before it is answered, so that it survives a crash of the machine;
   * `second`: once a second; `no`: when the kernel likes. Whatever it is, an answered change survives the end of the
   * server process, also by kill -9.
   */
  readonly fsync?: Fsync;
  /** Bytes of all keys and values together, 150 for each entry included. What would go beyond is refused. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Seconds between signs of life; a client that was silent for three of them is gone. Default 10. */
  readonly heartbeat?: number;
};

const KINDS: KindsOf<GlobalDataServerOptions> = {
  secret: 'text',
  ssl: 'group',
  file: 'name',
  fsync: 'text',
  maxBytes: 'number',
  heartbeat: 'number',
};

const DEFAULTS = { maxBytes: 268_435_456, heartbeat: 10, fsync: 'always' as Fsync };
const POLICIES: readonly unknown[] = ['always', 'second', 'no'];
/** How often what has ended is forgotten, and what was written is put on the disk. */
const TICK_MS = 1000;
const ANSWER_BYTES = 100;

type Client = TcpConnection<DataMessage, DataMessage>;

/**
 * Data that all processes share: a Worker with one process, which does one operation after the other, so that each is
 * atomic. With `file` it keeps what it has over a restart.
 *
 * A program need not make one: the master runs one for a `GlobalDataClient` that was given no address. Make one to reach
 * it from other machines, or to keep its data.
 *
 * @example
 * new GlobalDataServer('0.0.0.0:2207', { secret: 'known to both', file: 'shared.data' });
 */
export class GlobalDataServer extends Worker<string, typeof dataProtocol> {
  readonly #options: GlobalDataServerOptions & typeof DEFAULTS;
  readonly #store: Store;
  readonly #stats: DataStats = zeroDataStats();
  #journal: Journal | undefined = undefined;
  #desk: Desk | undefined = undefined;

  /**
   * @param address `HOST:PORT` or `unix:///path`. Default: port 2207 of 127.0.0.1.
   * @throws {RangeError|TypeError} `OPTION_INVALID`
   */
  constructor(
    address: string = `127.0.0.1:${GLOBALDATA_PORT}`,
    options: GlobalDataServerOptions = {},
  ) {
    checkKinds(options, KINDS);
    const known = { ...DEFAULTS, ...options };
    check(known);
    super(innerAddress(address), innerWorker(GLOBALDATA_SERVER, dataProtocol, known));
    this.#options = known;
    this.#store = new Store(known.maxBytes);
    this.onConnect = (connection) => {
      const { secret } = options;
      const reception = { name: 'global data', version: FORMAT_VERSION, secret };
      receive(connection, { ...reception, leaving: () => false }, () => this.#admit(connection));
    };
    this.onError = (connection, code, message) =>
      log.warn(`global data: ${connection.getRemoteAddress()}: ${code} ${message}`);
  }

  override async listen(how: ListenOptions = {}): Promise<void> {
    // One that cannot be read is told now, not to each client.
    secretOf(this.#options.secret);
    if (!this.#desk) await this.#begin();
    await super.listen(how);
  }

  async #begin(): Promise<void> {
    const { file, fsync } = this.#options;
    const [now, date] = [monotonicMs(), Date.now()];
    if (file !== undefined) {
      this.#journal = await Journal.open(file, fsync, (record) =>
        this.#store.load(record.key, entryOf(record, now, date)),
      );
    }
    this.#desk = new Desk(this.#store, this.#journal);
    dataStats.current = this.#stats;
    setInterval(() => this.#tick(), TICK_MS).unref();
    this.#count();
  }

  #tick(): void {
    this.#store.sweep(monotonicMs());
    this.#desk?.tidy();
    void this.#journal?.sync();
    this.#count();
  }

  #count(): void {
    this.#stats.keys = this.#store.size;
    this.#stats.bytes = this.#store.bytes;
    this.#stats.fileBytes = this.#journal?.length ?? 0;
  }

  #admit(connection: Client): void {
    const session = new Session(connection);
    connection.onMessage = (_, message) => {
      if (message.kind === 'alive') session.send(message);
      else if (isRequest(message)) this.#run(session, message);
      else
        connection.close({
          kind: 'refused',
          reason: `a ${message.kind} is not for this server`,
        });
    };
  }

  #run(session: Session, request: Operation & { readonly id: number }): void {
    let owed = 0;
    const later = this.#desk?.run(request, (answer) => {
      this.#stats.operations += 1;
      if (answer.kind === 'refusal') this.#stats.refused += 1;
      if (owed > 0) session.owe(-owed);
      session.send({ ...answer, id: request.id });
    });
    if (!later) return;
    owed = sizeOf(later);
    session.owe(owed);
  }

  /** @internal Answers what it was asked, and puts it on the disk. */
  override async beforeLeave(): Promise<void> {
    await this.#desk?.idle();
    await this.#journal?.sync();
  }
}

const REQUESTS: readonly string[] = [
  'get',
  'has',
  'keys',
  'set',
  'add',
  'cas',
  'increment',
  'expire',
  'delete',
];

function isRequest(message: DataMessage): message is Extract<DataMessage, Operation> {
  return REQUESTS.includes(message.kind);
}

/** About what an answer takes until it is sent. */
function sizeOf(answer: Answer): number {
  if (answer.kind === 'names') return ANSWER_BYTES + answer.names.join().length;
  return ANSWER_BYTES + (answer.kind === 'value' ? (answer.value?.length ?? 0) : 0);
}

function check(options: GlobalDataServerOptions & typeof DEFAULTS): void {
  checkPositive(options, ['maxBytes', 'heartbeat']);
  if (!POLICIES.includes(options.fsync))
    throw misuse('OPTION_INVALID', `"fsync" is ${options.fsync}, expected always, second or no`);
}
