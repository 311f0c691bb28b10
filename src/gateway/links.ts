import type { ConnectionOptions } from 'node:tls';
import { peers } from '../child/peers.ts';
import { AsyncTcpConnection } from '../connections/client.ts';
import { failed } from '../connections/connection.ts';
import { nonce, proof, proves, secretOf } from '../inner/secret.ts';
import { log } from '../log.ts';
import { reconnectMs } from '../reconnect.ts';
import { gatewayProtocol, type Hello, KIND, type Package, WIRE_VERSION } from './format.ts';
import { PACKAGE_MAX } from './inner-server.ts';
import { ALIVE_MS, Link } from './link.ts';
import { writeAnswer } from './writing.ts';

export type LinksOptions = {
  /** `HOST:PORT`, `ssl://HOST:PORT` or `unix:///path` of each gateway process; default: those that are announced. */
  readonly gateways?: readonly string[] | undefined;
  readonly secret?: string | undefined;
  readonly tls?: ConnectionOptions | undefined;
};

/** Who wants to know. */
export type Listening = {
  opened?(link: Link): void;
  package(link: Link, one: Package): void;
  closed?(link: Link): void;
};

/** Longest wait for a gateway's next word in the handshake. */
const HANDSHAKE_MS = 10_000;
/** Where two addresses lead to one gateway, the second is tried again so much later. */
const DOUBLE_MS = 15_000;

/** One address, and the tries to be connected to it. */
type Dial = {
  readonly address: string;
  /** Opened or failed once. */
  tried: boolean;
  attempt: number;
  timer: NodeJS.Timeout | undefined;
  connection: AsyncTcpConnection | undefined;
  /** Not on the list any more. */
  dropped: boolean;
};

/** A process's connections to all gateway processes: found, opened, kept. */
export class Links {
  /** Open ones by the gateway's instance: see `ids.ts`. */
  readonly open: Map<string, Link> = new Map();
  readonly listeners: Listening[] = [];
  readonly #options: LinksOptions;
  readonly #dials = new Map<string, Dial>();
  readonly #ready = Promise.withResolvers<void>();
  #isReady = false;
  #unwatch: (() => void) | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #ended = false;

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** Settles once every gateway that is known has been reached or has failed to answer. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether anybody has said where gateways are. */
  get known(): boolean {
    return this.#dials.size > 0;
  }

  /** Begins; nothing happens if it has begun before. */
  start(): void {
    if (this.#timer || this.#ended) return;
    this.#timer = setInterval(() => {
      for (const link of this.open.values()) link.look();
    }, ALIVE_MS).unref();
    const { gateways } = this.#options;
    if (gateways) this.#list(gateways);
    else {
      this.#unwatch = peers.watch('gateway', () => this.#listPeers());
      this.#listPeers();
    }
  }

  #listPeers(): void {
    const known = peers.of('gateway');
    if (known) this.#list(known.members.map(({ address }) => address));
  }

  #list(addresses: readonly string[]): void {
    for (const [address, dial] of this.#dials) {
      if (addresses.includes(address)) continue;
      dial.dropped = true;
      clearTimeout(dial.timer);
      this.#dials.delete(address);
      // An open link stays until the gateway ends it.
      if (dial.connection?.status === 'connecting') dial.connection.destroy();
    }
    for (const address of addresses) {
      if (this.#dials.has(address)) continue;
      const none = { timer: undefined, connection: undefined };
      const dial: Dial = { address, tried: false, attempt: 0, dropped: false, ...none };
      this.#dials.set(address, dial);
      this.#connect(dial);
    }
    this.#lookReady();
  }

  #lookReady(): void {
    if (this.#isReady || this.#dials.size === 0) return;
    if (![...this.#dials.values()].every(({ tried }) => tried)) return;
    this.#isReady = true;
    this.#ready.resolve();
  }

  #connect(dial: Dial): void {
    const { tls } = this.#options;
    const { address } = dial;
    const scheme = tls ? 'ssl' : 'tcp';
    const full = address.includes('://') ? address : `${scheme}://${address}`;
    const connection = new AsyncTcpConnection(full, {
      protocol: gatewayProtocol,
      maxSendBufferSize: Number.POSITIVE_INFINITY,
      maxPackageSize: PACKAGE_MAX,
      ...(tls ? { tls } : {}),
    });
    dial.connection = connection;
    const handshake = new ClientHandshake(address, this.#options.secret);
    let late: NodeJS.Timeout | undefined;
    connection.onConnect = () => {
      late = setTimeout(() => connection.destroy(), HANDSHAKE_MS);
    };
    const link = new Link(connection, (_, one) => {
      if (handshake.done) this.#tell(link, one);
      else if (handshake.take(link, one)) {
        clearTimeout(late);
        this.#opened(dial, link, handshake.instance);
      }
    });
    connection.onError = (_, code, message) => this.#said(dial, `${code} ${message}`);
    connection.onClose = () => {
      clearTimeout(late);
      if (this.open.get(handshake.instance) === link) this.#closed(dial, link, handshake.instance);
      else this.#again(dial);
    };
    connection.connect();
  }

  /** Once for each row of failures: a gateway that is being restarted is nothing to write home about. */
  #said(dial: Dial, message: string): void {
    if (dial.attempt === 3) log.warn(`gateway ${dial.address}: ${message}`);
  }

  #tell(link: Link, one: Package): void {
    for (const listener of this.listeners) {
      try {
        listener.package(link, one);
      } catch (error) {
        failed('gateway link', error);
      }
    }
  }

  #opened(dial: Dial, link: Link, instance: string): void {
    if (this.open.has(instance) || this.#ended) {
      dial.attempt = -1;
      link.connection.destroy();
      return;
    }
    dial.attempt = 0;
    this.open.set(instance, link);
    for (const listener of this.listeners) listener.opened?.(link);
    dial.tried = true;
    this.#lookReady();
  }

  #closed(dial: Dial, link: Link, instance: string): void {
    this.open.delete(instance);
    for (const listener of this.listeners) listener.closed?.(link);
    this.#again(dial);
  }

  #again(dial: Dial): void {
    dial.tried = true;
    this.#lookReady();
    if (this.#ended || dial.dropped) return;
    const waitMs = dial.attempt < 0 ? DOUBLE_MS : reconnectMs(dial.attempt, Math.random());
    dial.attempt += 1;
    dial.timer = setTimeout(() => this.#connect(dial), waitMs);
  }

  /** Ends all of them; what was written goes out. */
  stop(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#unwatch?.();
    for (const dial of this.#dials.values()) {
      clearTimeout(dial.timer);
      if (dial.connection?.status === 'connecting') dial.connection.destroy();
    }
    for (const link of [...this.open.values()]) {
      link.flush();
      link.connection.close();
    }
  }
}

/** The connecting side of the handshake. */
class ClientHandshake {
  done = false;
  instance = '';
  readonly #address: string;
  readonly #secret: string | undefined;
  readonly #own = nonce();

  constructor(address: string, secret: string | undefined) {
    this.#address = address;
    this.#secret = secretOf(secret);
  }

  /** @returns whether it is through */
  take(link: Link, one: Package): boolean {
    if (one.kind === KIND.hello && this.instance === '') {
      const why = this.#objection(one);
      if (why !== undefined) return this.#give(link, why);
      this.instance = one.instance;
      const shown =
        one.guarded && this.#secret !== undefined
          ? proof(this.#secret, one.nonce, 'client')
          : Buffer.alloc(0);
      writeAnswer(link.out, this.#own, shown);
      link.wrote();
      return false;
    }
    if (one.kind === KIND.refused) return this.#give(link, one.why);
    if (one.kind !== KIND.welcome || this.instance === '')
      return this.#give(link, 'spoke out of turn');
    const local = this.#address.startsWith('unix:') && one.proof.length === 0;
    if (
      this.#secret !== undefined &&
      !local &&
      !proves(this.#secret, this.#own, 'server', one.proof)
    )
      return this.#give(link, 'the gateway does not know the secret');
    this.done = true;
    return true;
  }

  #objection(hello: Hello): string | undefined {
    if (hello.version !== WIRE_VERSION)
      return `the gateway speaks version ${hello.version}, this process ${WIRE_VERSION}`;
    if (hello.guarded && this.#secret === undefined)
      return 'the gateway wants a secret: LONGSHORE_SECRET';
    const open = !hello.guarded && this.#secret !== undefined;
    return open && !this.#address.startsWith('unix:') ? 'the gateway has no secret' : undefined;
  }

  #give(link: Link, why: string): false {
    log.error(`gateway ${this.#address}: ${why}`);
    link.connection.destroy();
    return false;
  }
}
