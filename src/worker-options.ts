import type { DeflateOptions } from './connections/deflate.ts';
import { misuse } from './errors.ts';
import type { SslOptions } from './listeners/tls.ts';
import { checkKinds, type KindsOf, type OptionKinds } from './option-checks.ts';

/** Bounds on what clients may do. 0 is no bound. */
export type LimitOptions = {
  /** Open connections of one process; more are closed right after they are accepted and counted as rejected. */
  readonly maxConnections?: number;
  /** Messages a second from one connection. Faster ones are not lost: reading pauses and TCP slows the peer. */
  readonly messagesPerSecond?: number;
  /** Seconds after which a connection is closed (WebSocket: 1012 with a reconnect hint), so that load can move. */
  readonly maxConnectionAge?: number;
  /** Share of that age by which connections differ, so that they do not all return at once. Default 0.1. */
  readonly maxConnectionAgeJitter?: number;
};

/** Signs of life. Seconds; 0 or absent is off. */
export type HeartbeatOptions = {
  /** Close what was silent for this long. */
  readonly idle?: number;
  /** Ping what was silent for this long: a WebSocket ping, or `data`. */
  readonly ping?: number;
  /** What to send as a ping on protocols without one. */
  readonly data?: string | Uint8Array;
};

export type WebSocketOptions = {
  /** Subprotocols this server speaks, the preferred one first; the first one that a client offers is agreed on. */
  readonly subprotocols?: readonly string[];
  /** permessage-deflate: off by default, because it costs memory for each connection. */
  readonly deflate?: boolean | DeflateOptions;
  /** Longest message in bytes, after inflating. Default: `maxPackageSize`. */
  readonly maxPayload?: number;
};

export type HttpOptions = {
  /** Seconds a keep-alive connection may be idle. Default 65. */
  readonly keepAlive?: number;
  /** Seconds for a whole request to arrive. Default 60. */
  readonly requestTimeout?: number;
};

/** What a `Worker` can be told. Besides this, `protocol`: one of your own. */
export type WorkerOptions = {
  /** Shown in `status` and on metrics; unique in a program. Default: scheme and port, as in `websocket-2346`. */
  readonly name?: string;
  /** Processes, 1 or more. Default 1. */
  readonly count?: number;
  /** Own listening socket in each process, balanced by the kernel. Default true where the platform can. */
  readonly reusePort?: boolean;
  /** Account that the processes run as; needs root. */
  readonly user?: string;
  /** Group, if it is not that user's own. */
  readonly group?: string;
  /** False: a reload only calls `onWorkerReload`. Default true. */
  readonly reloadable?: boolean;
  /** Length of the accept queue to ask for. Default 65,535, of which the kernel gives `net.core.somaxconn`. */
  readonly backlog?: number;
  /** Makes any stream scheme TLS: `websocket` becomes wss, `http` https. */
  readonly ssl?: SslOptions;
  readonly limits?: LimitOptions;
  readonly heartbeat?: HeartbeatOptions;
  /** Seconds within which `connection.authenticated` must be true. 0 or absent is off. */
  readonly closeUnauthenticatedAfter?: number;
  /** Seconds for a TLS or WebSocket handshake, a PROXY header, or the head of a request. Default 10. */
  readonly handshakeTimeout?: number;
  /** Bytes in a connection's send queue from which on messages are dropped. Default 1 MiB. */
  readonly maxSendBufferSize?: number;
  /** Longest message or request body in bytes. Default 10 MiB. */
  readonly maxPackageSize?: number;
  /** Addresses or networks (`10.0.0.0/8`) whose PROXY header and `X-Forwarded-For` are believed. */
  readonly trustedProxies?: readonly string[];
  /** Connections from `trustedProxies` begin with a PROXY protocol header. Default false. */
  readonly proxyProtocol?: boolean;
  readonly websocket?: WebSocketOptions;
  readonly http?: HttpOptions;
};

const OWN: KindsOf<WorkerOptions & { protocol: unknown }> = {
  name: 'name',
  count: 'whole',
  protocol: 'protocol',
  reusePort: 'flag',
  user: 'text',
  group: 'text',
  reloadable: 'flag',
  backlog: 'whole',
  ssl: 'group',
  limits: 'group',
  heartbeat: 'group',
  closeUnauthenticatedAfter: 'number',
  handshakeTimeout: 'number',
  maxSendBufferSize: 'whole',
  maxPackageSize: 'whole',
  trustedProxies: 'texts',
  proxyProtocol: 'flag',
  websocket: 'group',
  http: 'group',
};

const GROUPS = {
  limits: {
    maxConnections: 'whole',
    messagesPerSecond: 'number',
    maxConnectionAge: 'number',
    maxConnectionAgeJitter: 'number',
  } satisfies KindsOf<LimitOptions>,
  heartbeat: { idle: 'number', ping: 'number', data: 'bytes' } satisfies KindsOf<HeartbeatOptions>,
  websocket: {
    subprotocols: 'texts',
    deflate: 'flagOrGroup',
    maxPayload: 'whole',
  } satisfies KindsOf<WebSocketOptions>,
  http: { keepAlive: 'number', requestTimeout: 'number' } satisfies KindsOf<HttpOptions>,
  ssl: {
    cert: 'name',
    key: 'name',
    passphrase: 'text',
    ca: 'name',
  } satisfies KindsOf<SslOptions>,
};

const inGroup = (name: string): OptionKinds | undefined =>
  (GROUPS as Record<string, OptionKinds>)[name];

/** Every option, those of a group with its name in front: `limits.maxConnections`. */
export const OPTIONS: readonly string[] = Object.keys(OWN).flatMap((name) => {
  const inner = inGroup(name);
  return inner ? Object.keys(inner).map((each) => `${name}.${each}`) : [name];
});

/** Bounds of the numbers: [lowest, highest]. */
const NUMBERS: Record<string, readonly [number, number]> = {
  count: [1, 1024],
  backlog: [1, 2 ** 31 - 1],
  closeUnauthenticatedAfter: [0, 86_400],
  handshakeTimeout: [0.1, 3600],
  maxSendBufferSize: [1, 2 ** 31 - 1],
  maxPackageSize: [1, 2 ** 31 - 1],
  'limits.maxConnections': [0, 2 ** 31 - 1],
  'limits.messagesPerSecond': [0, 1_000_000],
  'limits.maxConnectionAge': [0, 31_536_000],
  'limits.maxConnectionAgeJitter': [0, 1],
  'heartbeat.idle': [0, 86_400],
  'heartbeat.ping': [0, 86_400],
  'websocket.maxPayload': [1, 2 ** 31 - 1],
  'http.keepAlive': [0, 86_400],
  'http.requestTimeout': [0, 86_400],
};

/**
 * Finds what is wrong with options before anything starts.
 *
 * @throws {RangeError|TypeError} `OPTION_INVALID`, naming option, value and bound
 */
export function checkOptions(options: WorkerOptions & { readonly protocol?: unknown }): void {
  checkKinds(options, OWN);
  for (const [name, kinds] of Object.entries(GROUPS)) {
    const group = options[name as keyof typeof GROUPS];
    if (group) checkKinds(group, kinds, `${name}.`);
  }
  if (options.ssl) checkSsl(options.ssl);
  const values = flat(options);
  for (const [name, [lowest, highest]] of Object.entries(NUMBERS)) {
    const value = values.get(name) as number | undefined;
    if (value !== undefined && (value < lowest || value > highest))
      throw misuse(
        'OPTION_INVALID',
        `${name} is ${value}, allowed: ${lowest} to ${highest}`,
        'range',
      );
  }
  const rate = values.get('limits.messagesPerSecond');
  if (typeof rate === 'number' && rate > 0 && rate < 1) {
    throw misuse(
      'OPTION_INVALID',
      `limits.messagesPerSecond is ${rate}, allowed: 0 (no limit) or 1 and more`,
      'range',
    );
  }
  const { proxyProtocol, trustedProxies } = options;
  if (proxyProtocol && !trustedProxies?.length) {
    throw misuse(
      'OPTION_INVALID',
      'proxyProtocol needs trustedProxies: the addresses that may send the header',
    );
  }
}

function checkSsl({ cert, key }: Partial<SslOptions>): void {
  if (cert === undefined || key === undefined)
    throw misuse('OPTION_INVALID', 'ssl needs cert and key: files with certificate and key in PEM');
}

/** Options and the members of their groups, by dotted name; absent ones are left out. */
function flat(options: object): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    values.set(name, value);
    if (inGroup(name) === undefined || typeof value !== 'object' || value === null) continue;
    for (const [inner, innerValue] of Object.entries(value)) {
      if (innerValue !== undefined) values.set(`${name}.${inner}`, innerValue);
    }
  }
  return values;
}
