/**
 * The names that more than one program has to agree on: the framework, the operator, charts, dashboards.
 * Constants only. Every name here is public from its first release and is never given another meaning.
 */

/** The framework's version; equal to the package's, which a test checks. */
export const VERSION = '0.1.0';

/** Port of `/livez`, `/readyz`, `/metrics` and the admin calls; on 127.0.0.1, in the image on all addresses. */
export const ADMIN_PORT = 9464;
/** Port of a channel server. */
export const CHANNEL_PORT = 2206;
/** Port of a global data server. */
export const GLOBALDATA_PORT = 2207;

/** Where the inner ports of gateways begin in a pod, and how many are tried. */
export const GATEWAY_PORT = 2900;
export const GATEWAY_PORTS = 64;

/** Environment variables that are read, each by the master unless its comment says otherwise. */
export const ENV = {
  /** `HOST:PORT` of the admin port, or `off`. */
  admin: 'LONGSHORE_ADMIN',
  /** Bearer token of the admin calls. */
  adminToken: 'LONGSHORE_ADMIN_TOKEN',
  /** File with that token; read again at every call, so a rotated Secret is picked up. */
  adminTokenFile: 'LONGSHORE_ADMIN_TOKEN_FILE',
  /** `HOST:PORT`, `unix:///path` or `nats://HOST:PORT` of channel servers, with commas between them (worker processes). */
  channel: 'LONGSHORE_CHANNEL',
  /** Bytes of history that a channel server keeps of all its channels (worker processes). */
  channelHistory: 'LONGSHORE_CHANNEL_HISTORY_BYTES',
  /** JSON given by the master to each of its processes: which worker, which slot. Not for people. */
  child: 'LONGSHORE_CHILD',
  /** Hot configuration at start: a JSON object of strings, or a folder with one file per key. */
  config: 'LONGSHORE_CONFIG',
  /** `1`: the `longshore` command shows the stack of an error that it did not expect. */
  debug: 'LONGSHORE_DEBUG',
  /** Set by `start --dev`: reload when a file beside the program changes. */
  dev: 'LONGSHORE_DEV',
  /** Seconds to keep accepting after a drain was announced. */
  drainPropagation: 'LONGSHORE_DRAIN_PROPAGATION_SECONDS',
  /** Seconds over which a drain spreads its closes. */
  drainWindow: 'LONGSHORE_DRAIN_WINDOW_SECONDS',
  /** `HOST:PORT` at which gateways begin to look for a free inner port, see `GATEWAY_PORTS` (worker processes). */
  gatewayListen: 'LONGSHORE_GATEWAY_LISTEN',
  /** Inner addresses of gateways, with commas between them (worker processes). */
  gateways: 'LONGSHORE_GATEWAYS',
  /** `HOST:PORT`, `unix:///path` or `redis://…` of the global data server (worker processes). */
  globaldata: 'LONGSHORE_GLOBALDATA',
  /** Seconds from SIGTERM to SIGKILL that the outside gives; the drain is cut to fit. */
  grace: 'LONGSHORE_GRACE_SECONDS',
  /** Seconds the old processes' connections may live on after `reload -g`. */
  graceful: 'LONGSHORE_GRACEFUL_SECONDS',
  /** JSON object of `maxConnections`, `messagesPerSecond`, `maxConnectionAge`: instead of what the Workers say. */
  limits: 'LONGSHORE_LIMITS',
  /** `json` or `text`; how log lines are written (both kinds of process). */
  logFormat: 'LONGSHORE_LOG',
  /** Name of this server among the members of a service; default: its address (worker processes). */
  member: 'LONGSHORE_MEMBER',
  /** File with what `POST /peers` takes: where the servers are at start. It may be missing. */
  peers: 'LONGSHORE_PEERS',
  /** Folder of the control sockets. */
  runtimeDir: 'LONGSHORE_RUNTIME_DIR',
  /** Shared secret of the inner ports: channel, global data, gateway (worker processes). */
  secret: 'LONGSHORE_SECRET',
  /** File with that secret; read again for every connection, so a rotated Secret is picked up. */
  secretFile: 'LONGSHORE_SECRET_FILE',
  /** JSON object of wanted sysctl values; only reported, see `longshore_sysctl_wanted`. */
  sysctlWanted: 'LONGSHORE_SYSCTL_WANTED',
  /** `handle` (default) or `stream`: which transport carries plain sockets (worker processes). */
  transport: 'LONGSHORE_TRANSPORT',
  /** JSON list of `{name, count?, listen?}` that overrides what the program declares, or a file with it. */
  workers: 'LONGSHORE_WORKERS',
} as const;

/** Exit codes of the `longshore` command and of a program that calls `Worker.runAll()`. */
export const EXIT = {
  ok: 0,
  /** Something failed that a second try may cure, or a command found nothing running. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The program can never start as it is: file missing, syntax error, port taken. */
  neverStarts: 78,
  /** A worker process ended by an uncaught error; shown in `status` as the raw status 64000. */
  uncaught: 250,
} as const;

/** WebSocket close codes that we send (RFC 6455 section 7.4.1). */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  noStatus: 1005,
  abnormal: 1006,
  invalidPayload: 1007,
  policy: 1008,
  tooBig: 1009,
  internal: 1011,
  /** The server restarts or drains; the reason carries a reconnect hint. */
  serviceRestart: 1012,
  tryAgainLater: 1013,
} as const;

/** Names of the servers that the master runs when a program asks for one. */
export const CHANNEL_SERVER = 'ChannelServer';
export const GLOBALDATA_SERVER = 'GlobalDataServer';
