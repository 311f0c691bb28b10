import type { ChannelStats } from '../channel/stats.ts';
import type { LagCounts } from '../child/lag.ts';
import type { Closes, Counts } from '../counters.ts';
import type { GatewayStats } from '../gateway/stats.ts';
import type { DataStats } from '../globaldata/stats.ts';
import type { LimitOptions } from '../worker-options.ts';
import type { RetireTimes } from './drain.ts';
import type { How, WorkerSpec } from './plan-types.ts';

/** What the master and its processes tell each other, as JSON over Node's IPC channel. Types only. */

/** Given at fork, in the environment. */
export type Assignment = {
  readonly worker: string;
  readonly slot: number;
  /** Processes of that Worker altogether. */
  readonly count: number;
  /** Address to listen on, if another than the program says; also the port that stands for 0. */
  readonly listen?: string;
  /** File descriptor of a socket that the master has bound; then nothing is bound here. */
  readonly fd?: number;
  readonly config: Config;
  /** Instead of what the Worker says. */
  readonly limits?: LimitOptions;
  readonly peers?: Peers;
  /** What runs on this machine. */
  readonly locals?: LocalPeers;
};

/** Hot configuration. */
export type Config = Readonly<Record<string, string>>;

/** What a program's processes find each other by. */
export type Service = 'channel' | 'gateway' | 'globaldata';

/** One server. The id is stable and unique in its list: the name of a pod, or the address itself. */
export type Member = { readonly id: string; readonly address: string };

/** Servers that the program's clients may use, as a versioned list; of a service that is missing nothing is known. */
export type Peers = { readonly version: number } & {
  readonly [S in Service]?: readonly Member[];
};

/** The same of this machine, where all is known. */
export type LocalPeers = Required<Peers>;

/** A Worker as the program declares it. */
export type Declared = WorkerSpec & {
  readonly address?: string;
  readonly backlog: number;
  readonly reusePort: boolean;
};

export type ToProcess =
  | {
      readonly t: 'retire';
      readonly how: How;
      readonly times: RetireTimes;
      readonly reload: boolean;
      readonly stay: boolean;
    }
  | { readonly t: 'release' }
  | { readonly t: 'notify' }
  | { readonly t: 'config'; readonly config: Config }
  | { readonly t: 'peers'; readonly peers: Peers }
  | { readonly t: 'ask'; readonly id: number; readonly what: Question; readonly limit: number }
  | { readonly t: 'locals'; readonly locals: LocalPeers };

export type Question = 'report' | 'connections' | 'descriptors';

export type ToMaster =
  | { readonly t: 'declared'; readonly workers: readonly Declared[] }
  | { readonly t: 'ready'; readonly listening: string }
  | {
      readonly t: 'failed';
      readonly code: string;
      readonly message: string;
      readonly never: boolean;
    }
  | { readonly t: 'report'; readonly report: Report }
  | { readonly t: 'answer'; readonly id: number; readonly answer: unknown }
  /** Please run a server of this service and say where it is. */
  | { readonly t: 'wants'; readonly service: Exclude<Service, 'gateway'> }
  /** This process serves it; please tell the others. */
  | { readonly t: 'serves'; readonly service: Service; readonly address: string }
  /** Please start my successor, then tell me to leave. */
  | { readonly t: 'recycle' };

/** What a process counted since its last report, and how things stand. */
export type Report = {
  readonly counts: Counts;
  readonly closes: Closes;
  readonly lag: LagCounts;
  readonly gauges: Gauges;
  /** From the process that runs the channel server. */
  readonly channel?: ChannelStats;
  /** From the process that runs the global data server. */
  readonly data?: DataStats;
  /** From a process of a Gateway. */
  readonly gateway?: GatewayStats;
};

export type Gauges = {
  readonly connections: number;
  /** Of these, those that were accepted. */
  readonly clients: number;
  readonly timers: number;
  /** Bytes. */
  readonly sendBuffer: number;
  /** Resident set, bytes. */
  readonly memory: number;
  /** Lines that could not be logged. */
  readonly lostLines: number;
  /** Whether a drain is under way, and how many connections it has closed. */
  readonly draining: boolean;
  readonly drained: number;
};

/** One line of `longshore connections`. */
export type ConnectionRow = {
  readonly id: number;
  readonly worker: string;
  readonly transport: string;
  readonly protocol: string;
  readonly ipv6: boolean;
  readonly recvQ: number;
  readonly sendQ: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly status: string;
  readonly local: string;
  readonly remote: string;
};

/** What a file descriptor is, as far as the process knows. */
export type Descriptor = { readonly fd: number; readonly what: string };
