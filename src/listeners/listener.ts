import { type Address, hostPort } from '../address.ts';
import { keepTime } from '../clock.ts';
import { type Deadlines, sweep } from '../connections/sweep.ts';
import { TcpConnection } from '../connections/tcp.ts';
import { frame } from '../protocols/frame.ts';
import { raw } from '../protocols/raw.ts';
import { text } from '../protocols/text.ts';
import type { AnyWorker } from '../worker.ts';
import type { AnyProtocol } from '../worker-types.ts';
import { StreamPort } from './stream-port.ts';
import { StreamServer } from './stream-server.ts';
import { UdpServer } from './udp.ts';
import { serverProtocol } from './websocket.ts';

/** How a process listens. */
export type ListenOptions = {
  /** A socket that the master has bound for several processes. */
  readonly fd?: number | undefined;
  /** Accept but do not serve, until `accept` is called. */
  readonly hold?: boolean;
};

/** All that listens in this process: its Worker, and those that it opened with `listen()`. */
const here = new Set<Listener>();

/** Stops accepting everywhere in this process. */
export async function stopListening(): Promise<void> {
  await Promise.all([...here].map((listener) => listener.stop()));
}

/** What listens in this process, with its file descriptors. */
export function listening(): { name: string; fds: readonly number[] }[] {
  return [...here].map(({ name, fds }) => ({ name, fds }));
}

/** What a Worker listens with in this process. */
export class Listener {
  /** The address with the real port, as `status` shows it. */
  readonly name: string;
  readonly #server: StreamServer | UdpServer;
  readonly #port: StreamPort | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  private constructor(worker: AnyWorker, server: StreamServer | UdpServer, port?: StreamPort) {
    this.name = Listener.nameOf(worker, server.address);
    this.#server = server;
    this.#port = port;
    this.#timer = sweeper(worker, port?.pages);
    here.add(this);
  }

  /** @throws {LongshoreError} `PORT_TAKEN` or `START_FAILED` */
  static async open(
    worker: AnyWorker,
    { fd, hold = false }: ListenOptions = {},
  ): Promise<Listener> {
    const { address, backlog, reusePort } = worker;
    if (!address) throw new TypeError('a Worker without an address cannot listen');
    const sizes = sizesOf(worker);
    const protocol = protocolOf(worker, address);
    if (address.scheme === 'udp') {
      return new Listener(
        worker,
        await UdpServer.open({ worker, address, protocol, ...sizes, hold }),
      );
    }
    const port = new StreamPort(worker, address.scheme, protocol, { ...sizes, hold });
    const options = { address, backlog, reusePort, fd };
    const server = await StreamServer.open(
      { ...options, sockets: port.wantsSockets },
      (transport) => port.accept(transport),
    );
    return new Listener(worker, server, port);
  }

  /** `scheme://host:port` as it is listened on; `none` for a Worker without an address. */
  static nameOf({ address, options }: AnyWorker, bound: Address | undefined = address): string {
    if (!bound) return 'none';
    const scheme = options.ssl ? (SECURE[bound.scheme] ?? bound.scheme) : bound.scheme;
    return `${scheme}://${hostPort(bound)}`;
  }

  /** Serves what was held back, and all that comes. */
  accept(): void {
    this.#port?.release();
    if (this.#server instanceof UdpServer) this.#server.receive();
  }

  get fds(): readonly number[] {
    return [this.#server.fd];
  }

  async stop(): Promise<void> {
    here.delete(this);
    clearInterval(this.#timer);
    await this.#server.stop();
    this.#port?.stop();
  }
}

const SECURE: Record<string, string> = { websocket: 'wss', http: 'https' };

function protocolOf(worker: AnyWorker, { scheme }: Address): AnyProtocol {
  if (worker.protocol) return worker.protocol;
  if (scheme === 'websocket') return serverProtocol;
  return scheme === 'text' ? text : scheme === 'frame' ? frame : raw;
}

function sizesOf({ options }: AnyWorker): { maxPackageSize: number; maxSendBufferSize: number } {
  return {
    maxPackageSize: options.maxPackageSize ?? TcpConnection.defaultMaxPackageSize,
    maxSendBufferSize: options.maxSendBufferSize ?? TcpConnection.defaultMaxSendBufferSize,
  };
}

/** Watches over the connections' ages and silences, as often as the shortest of the times needs. */
function sweeper(worker: AnyWorker, pages?: StreamPort['pages']): NodeJS.Timeout {
  keepTime();
  const deadlines = deadlinesOf(worker);
  const { idle, ping, unauthenticated, handshake, age } = deadlines;
  const shortest = Math.min(
    ...[idle, ping, unauthenticated, handshake, age].filter((time) => time > 0),
  );
  const everyMs = Math.min(1000, Math.max(100, shortest * 10));
  const data = worker.options.heartbeat?.data;
  const timer = setInterval(() => {
    sweep(worker.connections.values(), deadlines, data);
    if (pages) sweep(pages.values(), deadlines, data);
  }, everyMs);
  timer.unref();
  return timer;
}

function deadlinesOf({ options }: AnyWorker): Deadlines {
  const tenths = (seconds: number | undefined) => Math.ceil((seconds ?? 0) * 10);
  const { heartbeat, limits } = options;
  return {
    idle: tenths(heartbeat?.idle),
    ping: tenths(heartbeat?.ping),
    unauthenticated: tenths(options.closeUnauthenticatedAfter),
    handshake: tenths(options.handshakeTimeout ?? HANDSHAKE_SECONDS),
    age: tenths(limits?.maxConnectionAge),
    ageJitter: limits?.maxConnectionAgeJitter ?? 0.1,
  };
}

/** Default of `handshakeTimeout`. */
export const HANDSHAKE_SECONDS = 10;
