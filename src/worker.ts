import { basename } from 'node:path';
import { type Address, parseAddress } from './address.ts';
import type { Callbacks } from './connections/callbacks.ts';
import type { HttpConnection } from './connections/http.ts';
import { misuse } from './errors.ts';
import type { Request } from './http/request.ts';
import { Listener, type ListenOptions } from './listeners/listener.ts';
import { trusting } from './listeners/trust.ts';
import { control } from './process-control.ts';
import { run } from './run.ts';
import { checkOptions, type WorkerOptions } from './worker-options.ts';
import type { AnyProtocol, ConnectionOf, MessageOf } from './worker-types.ts';

const SCHEMES = ['tcp', 'udp', 'unix', 'text', 'frame', 'websocket', 'http'];

/** How `Worker.runAll` starts. Options of the `longshore` command come in the same way. */
export type RunOptions = {
  /** `HOST:PORT` of the admin port, or `off`. Default: 9464 on 127.0.0.1. */
  readonly admin?: string;
};

// biome-ignore lint/suspicious/noExplicitAny: any Worker, whatever it speaks
export type AnyWorker = Worker<any, any>;

/**
 * A service: an address, a protocol, callbacks, and how many processes run it.
 *
 * The program is loaded in the master and again in each process. In the master, `Worker.runAll()` only supervises; a
 * process runs exactly one of the program's Workers, in one of its slots. So open databases and timers in
 * `onWorkerStart`, not at the top of the program.
 *
 * @example
 * const echo = new Worker('text://0.0.0.0:2347', { count: 4 });
 * echo.onMessage = (connection, line) => connection.send(line);
 * await Worker.runAll();
 */
export class Worker<A extends string = string, P extends AnyProtocol | undefined = undefined>
  implements Callbacks<ConnectionOf<A, P>, MessageOf<A, P>>
{
  /** Every Worker that this program has made, in order. */
  static readonly all: AnyWorker[] = [];

  /** Which of the `count` processes this is: 0 … count-1, stable over restarts. Read it in `onWorkerStart` or later. */
  id = 0;
  count: number;
  name: string;
  /** `undefined`: what the scheme says. */
  protocol: P | undefined;
  reusePort: boolean;
  user: string;
  group: string;
  reloadable: boolean;
  backlog: number;
  /** Open connections of this process by their id. */
  readonly connections: Map<number, ConnectionOf<A, P>> = new Map();
  /** Values that can change while processes run; `onWorkerReload` tells when they did. */
  config: Readonly<Record<string, string>> = {};
  /** Whether this process has been told to stop. */
  stopping = false;
  /** The rest of what the constructor was given. */
  options: WorkerOptions;
  /** The address, taken apart; `undefined` for a Worker that listens nowhere. */
  address: Address | undefined;
  /** @internal the address as it was given */
  readonly addressText: A | undefined;

  /** In each process, once, before it listens. It may be async; the process listens when it is done. */
  onWorkerStart: ((worker: Worker<A, P>) => unknown) | undefined;
  /** New configuration is there, or a reload begins. For `reloadable: false` it is all that a reload does. */
  onWorkerReload: ((worker: Worker<A, P>) => unknown) | undefined;
  /** The process is about to end; what is still open is closed after it. Not after a crash. */
  onWorkerStop: ((worker: Worker<A, P>) => unknown) | undefined;
  /** A drain begins: clients may be told; new ones still come for the propagation delay. */
  onDrain: ((worker: Worker<A, P>) => unknown) | undefined;
  /** WebSocket Workers only: plain HTTP requests on the same port. Without it they are answered with 426. */
  onRequest: ((connection: HttpConnection, request: Request) => unknown) | undefined;
  onConnect: Callbacks<ConnectionOf<A, P>, MessageOf<A, P>>['onConnect'];
  onWebSocketConnect: Callbacks<ConnectionOf<A, P>, MessageOf<A, P>>['onWebSocketConnect'];
  onMessage: Callbacks<ConnectionOf<A, P>, MessageOf<A, P>>['onMessage'];
  onClose: Callbacks<ConnectionOf<A, P>, MessageOf<A, P>>['onClose'];
  onBufferFull: Callbacks<ConnectionOf<A, P>, MessageOf<A, P>>['onBufferFull'];
  onBufferDrain: Callbacks<ConnectionOf<A, P>, MessageOf<A, P>>['onBufferDrain'];
  onError: Callbacks<ConnectionOf<A, P>, MessageOf<A, P>>['onError'];
  onPing: Callbacks<ConnectionOf<A, P>, MessageOf<A, P>>['onPing'];
  onPong: Callbacks<ConnectionOf<A, P>, MessageOf<A, P>>['onPong'];

  /** @internal others of the program need it until their end */
  last = false;
  #listener: Listener | undefined;

  /**
   * @param address `scheme://host:port`, `scheme://[::]:port` (IPv6 and IPv4) or `unix:///path`; schemes: tcp, udp,
   *                unix, text, frame, websocket, http. Port 0 lets the kernel choose one for all processes. Without an
   *                address the Worker listens nowhere: timers, clients, queues.
   * @param options see `WorkerOptions`; `protocol`, for tcp, unix and udp, is one of your own
   * @throws {TypeError|RangeError} `ADDRESS_INVALID` or `OPTION_INVALID`
   */
  constructor(address: A, options?: WorkerOptions & { readonly protocol?: P });
  constructor(options?: WorkerOptions);
  constructor(first?: A | WorkerOptions, second: WorkerOptions & { readonly protocol?: P } = {}) {
    const address = typeof first === 'string' ? first : undefined;
    const options = typeof first === 'object' ? (first as typeof second) : second;
    checkOptions(options);
    // Throws for what is no address or network, before anything starts.
    trusting(options.trustedProxies ?? []);
    this.addressText = address;
    this.address = address === undefined ? undefined : parseAddress(address);
    this.options = options;
    this.name = options.name ?? defaultName(this.address);
    this.count = options.count ?? 1;
    this.protocol = options.protocol;
    this.reusePort = options.reusePort ?? process.platform === 'linux';
    this.user = options.user ?? '';
    this.group = options.group ?? '';
    this.reloadable = options.reloadable ?? true;
    this.backlog = options.backlog ?? 65_535;
    if (this.address) checkScheme(this.address, options);
    Worker.all.push(this as AnyWorker);
  }

  /** What carries the bytes. */
  get transport(): 'tcp' | 'udp' | 'unix' | 'ssl' {
    if (this.address?.scheme === 'udp' || this.address?.scheme === 'unix')
      return this.address.scheme;
    return this.options.ssl ? 'ssl' : 'tcp';
  }

  /** Whether this process is listening. */
  get listening(): boolean {
    return this.#listener !== undefined;
  }

  /** The address as listened on, with the port that the kernel chose; before that, as it was given. */
  getSocketName(): string {
    return this.#listener?.name ?? Listener.nameOf(this as AnyWorker);
  }

  /**
   * Listens now, in this process: for a Worker made in `onWorkerStart`, or in a program without `runAll`. It gets no
   * processes of its own. Nothing happens if it listens already.
   *
   * @throws {LongshoreError} `PORT_TAKEN` or `START_FAILED`
   */
  async listen(how: ListenOptions = {}): Promise<void> {
    if (!this.address || this.#listener) return;
    this.#listener = await Listener.open(this as AnyWorker, how);
  }

  /** @internal after `listen({ hold: true })`: takes what was accepted meanwhile */
  accept(): void {
    this.#listener?.accept();
  }

  /** @internal before this process retires; `ms` is what it may take */
  async beforeLeave(_ms: number): Promise<void> {}

  /** @internal after `onWorkerStop`, right before the process ends */
  async lastWords(): Promise<void> {}

  /** Stops accepting; open connections stay. */
  async unlisten(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.stop();
  }

  /**
   * Runs every Worker of the program in processes of its own and supervises them. In the master it settles when all
   * have stopped; in a process of a Worker it never does.
   */
  static async runAll(options: RunOptions = {}): Promise<void> {
    const workers = [...Worker.all];
    checkNames(workers);
    await run(workers, options);
  }

  /**
   * In a process: has just this process replaced; its successor listens before it leaves in good order. So "at most N
   * requests a process" is counting them and calling this. In the master: stops the service.
   */
  static stopAll(): void {
    control.stop();
  }
}

function defaultName(address: Address | undefined): string {
  if (!address) return 'none';
  return `${address.scheme}-${address.path === undefined ? address.port : basename(address.path)}`;
}

function checkScheme(
  { scheme }: Address,
  { protocol, ssl }: WorkerOptions & { readonly protocol?: AnyProtocol | undefined },
): void {
  if (!SCHEMES.includes(scheme)) {
    const known = SCHEMES.join(', ');
    const hint = `known: ${known}; for a protocol of your own use tcp:// and the option "protocol"`;
    throw misuse('ADDRESS_INVALID', `scheme "${scheme}" is unknown; ${hint}`);
  }
  if (ssl && scheme === 'udp')
    throw misuse('OPTION_INVALID', 'the option "ssl" goes with streams, not with udp://');
  if (protocol && !['tcp', 'unix', 'udp'].includes(scheme)) {
    throw misuse(
      'OPTION_INVALID',
      `the option "protocol" goes with tcp://, unix:// or udp://, not with ${scheme}://`,
    );
  }
}

function checkNames(workers: readonly AnyWorker[]): void {
  const seen = new Set<string>();
  for (const { name } of workers) {
    if (seen.has(name))
      throw misuse('OPTION_INVALID', `two Workers are named "${name}"; give one another name`);
    seen.add(name);
  }
}
