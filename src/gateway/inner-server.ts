import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Address, hostPort, parseAddress } from '../address.ts';
import { TcpConnection } from '../connections/tcp.ts';
import { runtimeDir } from '../control-path.ts';
import { codeOf, LongshoreError, messageOf, misuse } from '../errors.ts';
import { nonce, proof, proves, secretOf } from '../inner/secret.ts';
import { StreamServer } from '../listeners/stream-server.ts';
import { type SslOptions, TlsStage } from '../listeners/tls.ts';
import { log } from '../log.ts';
import { socketOf } from '../transport/sockets.ts';
import { StreamTransport } from '../transport/stream.ts';
import type { Transport } from '../transport/transport.ts';
import { makeRoom, removeSocket } from '../unix-socket.ts';
import { type Answer, gatewayProtocol, KIND, type Package, WIRE_VERSION } from './format.ts';
import { ALIVE_MS, Link } from './link.ts';
import { writeHello, writeRest } from './writing.ts';

/** Longest package from a BusinessWorker or GatewayClient. */
export const PACKAGE_MAX = 67_108_864;
const HANDSHAKE_MS = 10_000;
/** A named port and the next ones: each process of a Gateway takes the first that is free. */
const PORTS = 64;
const BACKLOG = 1024;
const LOOPBACK = /^(127\.|::1$|localhost$)/;

export type InnerOptions = {
  /** `HOST:PORT`, `unix:///path`, or nothing: a unix socket in the runtime folder. */
  readonly address: string | undefined;
  readonly secret: string | undefined;
  readonly ssl: SslOptions | undefined;
  /** Of this process: see `ids.ts`. */
  readonly instance: string;
  /** A package of a peer that has shown who it is. */
  package(link: Link, one: Package): void;
  /** That peer is gone. */
  closed(link: Link): void;
};

/** Where a gateway process is reached by BusinessWorkers and GatewayClients. */
export class InnerServer {
  /** As others connect to it. */
  readonly address: string;
  readonly #server: StreamServer;
  readonly #tls: TlsStage | undefined;
  readonly #options: InnerOptions;
  /** Of peers that have shown who they are. */
  readonly #links = new Map<TcpConnection, Link>();
  readonly #connections = new Set<TcpConnection>();
  readonly #timer: NodeJS.Timeout;
  /** A process that is told to leave at once does not wait for `stop`. */
  readonly #atExit = () => {
    const { path } = this.#server.address;
    if (path !== undefined) removeSocket(path);
  };
  readonly #owner = {
    worker: undefined,
    callbacks: {},
    maxSendBufferSize: Number.POSITIVE_INFINITY,
    maxPackageSize: PACKAGE_MAX,
    messagesPerSecond: 0,
    closed: (connection: TcpConnection) => void this.#connections.delete(connection),
  };

  /** @throws {LongshoreError|TypeError} `PORT_TAKEN`, `START_FAILED`; `OPTION_INVALID` for a port without a secret */
  static async open(options: InnerOptions): Promise<InnerServer> {
    const tls =
      options.ssl && new TlsStage({ ssl: options.ssl, alpn: [], timeoutMs: HANDSHAKE_MS });
    let accept: (transport: Transport) => void = () => {};
    const server = await listen(options, tls !== undefined, (transport) => accept(transport));
    const inner = new InnerServer(options, server, tls);
    accept = (transport) => inner.#accept(transport);
    return inner;
  }

  private constructor(options: InnerOptions, server: StreamServer, tls: TlsStage | undefined) {
    this.#options = options;
    this.#server = server;
    this.#tls = tls;
    const { path } = server.address;
    const scheme = tls ? 'ssl://' : '';
    this.address = path === undefined ? scheme + hostPort(server.address) : `unix://${path}`;
    process.once('exit', this.#atExit);
    this.#timer = setInterval(() => {
      for (const link of this.#links.values()) link.look();
    }, ALIVE_MS).unref();
  }

  #accept(transport: Transport): void {
    if (!this.#tls) {
      this.#greet(transport);
      return;
    }
    const socket = socketOf(transport, Buffer.alloc(0));
    if (socket)
      this.#tls.secure(socket, (secured) => this.#greet(new StreamTransport(secured, 'ssl')));
  }

  #greet(transport: Transport): void {
    const connection = new TcpConnection(this.#owner, gatewayProtocol);
    this.#connections.add(connection);
    const guarded = secretOf(this.#options.secret) !== undefined;
    const own = nonce();
    const timer = setTimeout(() => this.#refuse(link, 'no answer in time'), HANDSHAKE_MS);
    const link = new Link(connection, (_, one) => {
      if (this.#links.has(connection)) this.#options.package(link, one);
      else if (this.#admit(link, own, one)) clearTimeout(timer);
    });
    connection.onError = (_, code, message) => log.warn(`gateway, inner port: ${code} ${message}`);
    connection.onClose = () => {
      clearTimeout(timer);
      if (this.#links.delete(connection)) this.#options.closed(link);
    };
    connection.attach(transport);
    connection.announce();
    writeHello(link.out, { guarded, nonce: own, instance: this.#options.instance });
    link.wrote();
    connection.start();
  }

  /** The first package decides. */
  #admit(link: Link, own: Buffer, one: Package): boolean {
    const secret = secretOf(this.#options.secret);
    const why = objection(one, own, secret);
    if (why !== undefined) {
      this.#refuse(link, why);
      return false;
    }
    this.#links.set(link.connection, link);
    const theirs = (one as Answer).nonce;
    const shown = secret === undefined ? Buffer.alloc(0) : proof(secret, theirs, 'server');
    writeRest(link.out, KIND.welcome, shown);
    link.wrote();
    return true;
  }

  #refuse(link: Link, why: string): void {
    log.warn(`gateway, inner port: ${link.connection.getRemoteAddress()} refused: ${why}`);
    writeRest(link.out, KIND.refused, why);
    link.flush();
    link.connection.close();
  }

  /** Stops listening and ends all links. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#server.stop();
    process.removeListener('exit', this.#atExit);
    this.#tls?.stop();
    for (const connection of [...this.#connections]) connection.destroy();
  }
}

function objection(one: Package, own: Buffer, secret: string | undefined): string | undefined {
  if (one.kind !== KIND.answer) return 'spoke before it answered the hello';
  if (one.version !== WIRE_VERSION)
    return `it speaks version ${one.version}, this gateway ${WIRE_VERSION}`;
  if (secret === undefined || proves(secret, own, 'client', one.proof)) return undefined;
  return one.proof.length === 0 ? 'a secret is needed: LONGSHORE_SECRET' : 'the secret is wrong';
}

async function listen(
  options: InnerOptions,
  sockets: boolean,
  accept: (transport: Transport) => void,
): Promise<StreamServer> {
  const address = addressOf(options.address);
  // A process of a killed container may have had our pid.
  if (address.path !== undefined) await makeRoom(address.path);
  if (address.path === undefined && !LOOPBACK.test(address.host) && !secretOf(options.secret)) {
    const hint = 'give the option "secret" or LONGSHORE_SECRET, or listen on 127.0.0.1';
    throw misuse('OPTION_INVALID', `the inner port ${hostPort(address)} needs a secret: ${hint}`);
  }
  for (let more = 0; ; more += 1) {
    const port = address.port === 0 ? 0 : address.port + more;
    try {
      const how = { backlog: BACKLOG, reusePort: false, sockets };
      return await StreamServer.open({ address: { ...address, port }, ...how }, accept);
    } catch (error) {
      const next = codeOf(error) === 'PORT_TAKEN' && address.port > 0 && more + 1 < PORTS;
      if (!next || address.path !== undefined || port >= 65_535) throw error;
    }
  }
}

let sockets = 0;

function addressOf(given: string | undefined): Address {
  if (given !== undefined) return parseAddress(given.includes('://') ? given : `tcp://${given}`);
  const folder = runtimeDir();
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    sweep(folder);
  } catch (error) {
    throw new LongshoreError(
      'START_FAILED',
      `the gateway's inner socket, in ${folder}: ${messageOf(error)}; see LONGSHORE_RUNTIME_DIR`,
    );
  }
  sockets += 1;
  return parseAddress(`unix://${join(folder, `gateway-${process.pid}-${sockets}`)}`);
}

/** Removes sockets of processes that were killed. Other processes may be doing the same. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(/^gateway-(\d+)-\d+$/.exec(name)?.[1]);
    if (Number.isInteger(pid) && !isAlive(pid)) removeSocket(join(folder, name));
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
