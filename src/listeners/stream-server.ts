import { createServer, type Server } from 'node:net';
import { type Address, hostPort } from '../address.ts';
import { codeOf, LongshoreError } from '../errors.ts';
import { monotonicMs } from '../monotonic.ts';
import type { StreamHandle } from '../transport/libuv.ts';
import { transportOfHandle, usesHandles } from '../transport/sockets.ts';
import { StreamTransport } from '../transport/stream.ts';
import type { Transport } from '../transport/transport.ts';

/** How to open a listening TCP or unix socket. */
export type StreamServerOptions = {
  readonly address: Address;
  /** Length of the accept queue that is asked for; the kernel gives at most `net.core.somaxconn`. */
  readonly backlog: number;
  /** Own socket with SO_REUSEPORT, so that several processes share the port and the kernel spreads connections. */
  readonly reusePort: boolean;
  /** File descriptor of a socket that the master has bound; then nothing is bound here. */
  readonly fd?: number | undefined;
  /** Accept as `net.Socket`, for code that wants one: `node:http` and `node:tls`. */
  readonly sockets: boolean;
};

/** Seconds after which the kernel asks a silent peer whether it is there; libuv then has it ask each second, 10 times. */
const KEEPALIVE_SECONDS = 55;
/** Longest that emptying the accept queue may take; clients that keep coming must not keep a process. */
const EMPTYING_MS = 500;

type ServerHandle = StreamHandle & {
  onconnection: (status: number, client: StreamHandle | undefined) => void;
};

/** A listening stream socket. It hands each accepted connection on as a transport that does not read yet. */
export class StreamServer {
  /** The address with the port that the kernel chose, if it was to choose. */
  readonly address: Address;
  readonly #server: Server;
  #accepted = 0;

  private constructor(server: Server, address: Address) {
    this.#server = server;
    this.address = address;
  }

  /**
   * @throws {LongshoreError} `PORT_TAKEN` or `START_FAILED`, with the address and what to do
   */
  static async open(
    options: StreamServerOptions,
    accept: (transport: Transport) => void,
  ): Promise<StreamServer> {
    const server = await listen(options);
    const bound = server.address();
    const port = typeof bound === 'object' && bound ? bound.port : 0;
    const opened = new StreamServer(server, { ...options.address, port });
    take(server, options.sockets, (transport) => {
      opened.#accepted += 1;
      accept(transport);
    });
    return opened;
  }

  /** The file descriptor; -1 when closed. */
  get fd(): number {
    return handleOf(this.#server)?.fd ?? -1;
  }

  /**
   * Stops accepting. What the kernel has queued for us is accepted first: one connection for each turn of the event
   * loop, until two turns bring none, since the first may be half over. What arrives between that and the close is lost
   * unless `net.ipv4.tcp_migrate_req` is 1.
   */
  async stop(): Promise<void> {
    const end = monotonicMs() + EMPTYING_MS;
    for (let idle = 0; idle < 2 && monotonicMs() < end; ) {
      const before = this.#accepted;
      await new Promise((resolve) => setImmediate(resolve));
      idle = this.#accepted === before ? idle + 1 : 0;
    }
    this.#server.close();
  }
}

const handleOf = (server: Server) =>
  (server as unknown as { _handle: ServerHandle | null })._handle;

function listen({ address, backlog, reusePort, fd }: StreamServerOptions): Promise<Server> {
  const server = createServer({ allowHalfOpen: true });
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  server.once('error', (error) => reject(listenError(error, address)));
  const own =
    address.path === undefined
      ? { host: address.host, port: address.port, reusePort }
      : { path: address.path };
  server.listen({ backlog, exclusive: true, ...(fd === undefined ? own : { fd }) }, () => {
    server.removeAllListeners('error');
    resolve(server);
  });
  return promise;
}

function take(server: Server, sockets: boolean, accept: (transport: Transport) => void): void {
  const handle = handleOf(server);
  // Accepted sockets inherit both from the listening one, which saves four system calls for each.
  handle?.setNoDelay?.(true);
  handle?.setKeepAlive?.(true, KEEPALIVE_SECONDS);
  if (sockets || !usesHandles || !handle) {
    server.on('connection', (socket) =>
      accept(new StreamTransport(socket, handle?.getsockname ? 'tcp' : 'unix')),
    );
    return;
  }
  handle.onconnection = (_status, client) => {
    // No client: out of file descriptors, which libuv answers by closing the connection.
    if (client) accept(transportOfHandle(client));
  };
}

/** What went wrong with listening, in words that say what to do. */
export function listenError(error: Error, address: Address): LongshoreError {
  const where = hostPort(address);
  const cause = { cause: error };
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new LongshoreError(
        'PORT_TAKEN',
        `${where} is taken: stop what listens there (ss -ltnp) or choose another port`,
        cause,
      );
    case 'EACCES':
      return new LongshoreError('START_FAILED', `${where}: ${denied(address)}`, cause);
    case 'EADDRNOTAVAIL':
      return new LongshoreError(
        'START_FAILED',
        `${where}: no network interface here has that address (ip addr)`,
        cause,
      );
    default:
      return new LongshoreError('START_FAILED', `${where}: ${error.message}`, cause);
  }
}

/** Why permission is denied. For a path libuv says so as well when there is no such folder. */
function denied({ path }: Address): string {
  return path === undefined
    ? 'permission denied; ports below 1024 need root or net.ipv4.ip_unprivileged_port_start'
    : 'no socket can be made there; the folder must exist and this user must be able to write into it';
}
