import { randomBytes } from 'node:crypto';
import { peers } from '../child/peers.ts';
import type { Callbacks } from '../connections/callbacks.ts';
import type { TcpConnection } from '../connections/tcp.ts';
import { ENV } from '../contract.ts';
import { misuse } from '../errors.ts';
import type { ListenOptions } from '../listeners/listener.ts';
import type { SslOptions } from '../listeners/tls.ts';
import { checkKinds, type OptionKinds } from '../option-checks.ts';
import { Worker } from '../worker.ts';
import type { WorkerOptions } from '../worker-options.ts';
import type { Message } from './format.ts';
import { Hall } from './hall.ts';
import { INSTANCE_BYTES } from './ids.ts';
import { InnerServer } from './inner-server.ts';
import { gatewayStats, zeroGatewayStats } from './stats.ts';

/** What a `Gateway` can be told besides what every Worker can. */
export type GatewayOptions = WorkerOptions & {
  /**
   * Where BusinessWorkers and GatewayClients reach this gateway: `HOST:PORT`, of which each process takes the first free
   * port of 64, or `unix:///path` for one process. Default: `LONGSHORE_GATEWAY_LISTEN`, else a unix socket that only
   * this user can reach.
   */
  readonly inner?: string;
  /** What the other ends must know, too. Default: `LONGSHORE_SECRET_FILE`, `LONGSHORE_SECRET`. */
  readonly secret?: string;
  /** Makes the inner port TLS. */
  readonly innerSsl?: SslOptions;
  /** Seconds that a new client waits where no BusinessWorker is there; then it is told to come again. Default 30. */
  readonly patience?: number;
  /** Bytes of one client that may wait for a BusinessWorker before its connection is not read any more. Default 64 KiB. */
  readonly maxWaiting?: number;
  /** Groups that one client may be in. Default 1000. */
  readonly maxGroups?: number;
};

const KINDS: OptionKinds = { inner: 'text', secret: 'text', innerSsl: 'group' };

const LOOK_MS = 1000;

/**
 * A Worker that holds clients and has no application code: what they say is handed to BusinessWorkers, whose code can
 * be replaced while the clients stay connected. A reload does not touch it.
 *
 * Its own callbacks are free for what belongs at the edge, for example refusing an origin in `onWebSocketConnect`.
 *
 * @example
 * new Gateway('websocket://0.0.0.0:7272', { count: 2 });
 */
export class Gateway<A extends string = string> extends Worker<A> {
  readonly #inner: Pick<GatewayOptions, 'inner' | 'secret' | 'innerSsl'>;
  readonly #hall: Hall;
  #server: InnerServer | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;

  /**
   * @param address any stream scheme but http: websocket, text, frame, tcp, unix
   * @throws {TypeError|RangeError} `ADDRESS_INVALID` or `OPTION_INVALID`
   */
  constructor(address: A, options: GatewayOptions = {}) {
    const { inner, secret, innerSsl, patience, maxWaiting, maxGroups, ...own } = options;
    checkKinds({ inner, secret, innerSsl }, KINDS);
    super(address, { reloadable: false, ...own });
    const scheme = this.address?.scheme ?? '';
    if (scheme === 'http' || scheme === 'udp')
      throw misuse('ADDRESS_INVALID', `a Gateway has clients that stay; ${scheme}:// has none`);
    this.#inner = {
      ...(inner === undefined ? {} : { inner }),
      ...(secret === undefined ? {} : { secret }),
      ...(innerSsl === undefined ? {} : { innerSsl }),
    };
    this.#hall = new Hall(
      {
        maxWaiting: checked('maxWaiting', maxWaiting ?? 65_536, 1),
        maxGroups: checked('maxGroups', maxGroups ?? 1000, 1),
        patienceMs: checked('patience', patience ?? 30, 0) * 1000,
      },
      zeroGatewayStats(),
    );
  }

  /** Where BusinessWorkers and GatewayClients reach this process; `undefined` while it does not listen. */
  get innerAddress(): string | undefined {
    return this.#server?.address;
  }

  override async listen(how: ListenOptions = {}): Promise<void> {
    if (!this.#server) {
      this.#wire();
      this.#server = await this.#open();
      gatewayStats.current = this.#hall.stats;
      this.#timer = setInterval(() => this.#hall.look(), LOOK_MS).unref();
      peers.announce('gateway', this.#server.address);
    }
    await super.listen(how);
  }

  #open(): Promise<InnerServer> {
    const { inner, secret, innerSsl } = this.#inner;
    return InnerServer.open({
      address: inner ?? (process.env[ENV.gatewayListen] || undefined),
      secret,
      ssl: innerSsl,
      instance: randomBytes(INSTANCE_BYTES).toString('base64url'),
      package: (link, one) => this.#hall.package(link, one),
      closed: (link) => this.#hall.linkClosed(link),
    });
  }

  /** The program's own callbacks come first; a connection that they end was never a client. */
  #wire(): void {
    const hall = this.#hall;
    const edge = this as unknown as Callbacks<TcpConnection, Message>;
    const { onConnect, onWebSocketConnect, onClose } = edge;
    if (this.address?.scheme === 'websocket') {
      edge.onWebSocketConnect = (connection, request) => {
        const enter = () => {
          if (isOver(connection)) return;
          hall.connected(connection);
          hall.shookHands(connection, request);
        };
        const result = onWebSocketConnect?.(connection, request);
        if (result instanceof Promise) return result.then(enter);
        enter();
        return undefined;
      };
    } else {
      edge.onConnect = (connection) => {
        const result = onConnect?.(connection);
        if (!isOver(connection)) hall.connected(connection);
        return result;
      };
    }
    edge.onMessage = (connection, message) => hall.received(connection, message);
    edge.onClose = (connection) => {
      hall.closed(connection);
      return onClose?.(connection);
    };
  }

  /** Ends the inner port too; clients stay until they are closed. For programs without `runAll`. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.unlisten();
    for (const connection of this.connections.values()) (connection as TcpConnection).close();
    const server = this.#server;
    this.#server = undefined;
    await server?.stop();
  }
}

const isOver = ({ status }: TcpConnection): boolean => status === 'closing' || status === 'closed';

function checked(name: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least && value <= 2 ** 31 - 1) return value;
  throw misuse('OPTION_INVALID', `${name} is ${value}, allowed: ${least} to 2147483647`, 'range');
}
