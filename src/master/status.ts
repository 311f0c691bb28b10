import { VERSION } from '../contract.ts';
import { type Counts, successShare } from '../counters.ts';
import type { Ledger } from './ledger.ts';
import type { Plan } from './plan.ts';
import { dated, type ReloadState } from './reload.ts';

/** What `longshore status --json` and `GET /status` give. Times are milliseconds since 1970, sizes bytes. */
export type Status = {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly file: string;
  readonly startedAt: number;
  readonly now: number;
  readonly loadAverage: readonly number[];
  /** `starting`, `running`, `held` (drained, waiting), `draining` or `stopping`. */
  readonly phase: string;
  readonly reload: ReloadState | undefined;
  /** When the drain under way will be over at the latest. */
  readonly drainUntil: number | undefined;
  /** Digest of the hot configuration, see `digest.ts`. */
  readonly config: string;
  /** Digest of the code that the processes run, where it is mounted from a ConfigMap. */
  readonly code: string | undefined;
  /** Version of the list of peers that was pushed last. */
  readonly peers: number | undefined;
  /** Inner addresses of the gateways that run here. */
  readonly gateways: readonly string[];
  /** Effective kernel settings. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** Admin address, if there is one. */
  readonly admin: string | undefined;
  readonly workers: readonly WorkerStatus[];
  readonly processes: readonly ProcessStatus[];
};

export type WorkerStatus = {
  readonly name: string;
  readonly count: number;
  readonly listening: string;
  /** Raw exit status to how often: see `docs/status-and-metrics.md`. */
  readonly exits: Readonly<Record<string, number>>;
};

export type ProcessStatus = Counts & {
  readonly pid: number;
  readonly worker_name: string;
  readonly worker_id: number;
  readonly state: 'starting' | 'ready' | 'leaving';
  readonly listening: string;
  /** When the process was started. */
  readonly timestamp: number;
  readonly memory: number;
  readonly connections: number;
  /** Of these, those that somebody from outside has opened: what a drain empties. */
  readonly clients: number;
  readonly timers: number;
  readonly send_buffer: number;
  /** `null` where nothing can be observed: a listening socket that several processes share. */
  readonly thunder_herd: number | null;
  readonly suc_total: string;
  /** It did not answer in time; its numbers are those of its last report. */
  readonly busy: boolean;
};

/** What the plan and the ledger do not know. */
export type Surroundings = {
  readonly file: string;
  readonly startedAt: number;
  readonly now: number;
  /** A time of the plan's clock, in milliseconds since 1970. */
  readonly epochOf: (planMs: number) => number;
  readonly loadAverage: readonly number[];
  readonly admin: string | undefined;
  readonly drainUntil: number | undefined;
  readonly config: string;
  readonly code: string | undefined;
  readonly peers: number | undefined;
  readonly gateways: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly workers: readonly {
    readonly name: string;
    readonly count: number;
    readonly listening: string;
    readonly ownSockets: boolean;
    /** The master runs it for the program. */
    readonly isCompanion: boolean;
  }[];
  readonly pid: (proc: number) => number | undefined;
  readonly forkedAt: (proc: number) => number;
  readonly busy: (proc: number) => boolean;
};

/** Puts it all together. Processes are ordered by Worker as declared, then by slot. */
export function statusOf(plan: Plan, ledger: Ledger, around: Surroundings): Status {
  const { file, startedAt, now, loadAverage, admin, drainUntil, config, code, sysctls } = around;
  return {
    version: VERSION,
    node: process.version,
    pid: process.pid,
    file,
    startedAt,
    now,
    loadAverage,
    phase: plan.phase,
    reload: dated(plan.reload, around.epochOf),
    admin,
    drainUntil,
    config,
    code,
    peers: around.peers,
    gateways: around.gateways,
    sysctls,
    workers: around.workers.map(({ name, count, listening }) => ({
      name,
      count,
      listening,
      exits: Object.fromEntries(plan.procs.exits.get(name) ?? []),
    })),
    processes: processesOf(plan, ledger, around),
  };
}

function processesOf(plan: Plan, ledger: Ledger, around: Surroundings): ProcessStatus[] {
  const order = around.workers.map(({ name }) => name);
  const procs = [...plan.procs.all.values()].sort(
    (a, b) => order.indexOf(a.worker) - order.indexOf(b.worker) || a.slot - b.slot || a.id - b.id,
  );
  return procs.flatMap((proc) => {
    const totals = ledger.procs.get(proc.id);
    const worker = around.workers.find(({ name }) => name === proc.worker);
    if (!totals || !worker) return [];
    return {
      pid: around.pid(proc.id) ?? 0,
      worker_name: proc.worker,
      worker_id: proc.slot,
      state: proc.state,
      listening: worker.listening,
      timestamp: around.forkedAt(proc.id),
      memory: totals.gauges.memory,
      connections: totals.gauges.connections,
      clients: worker.isCompanion ? 0 : totals.gauges.clients,
      timers: totals.gauges.timers,
      send_buffer: totals.gauges.sendBuffer,
      thunder_herd: worker.ownSockets ? 0 : null,
      suc_total: successShare(totals.counts),
      busy: around.busy(proc.id),
      ...totals.counts,
    };
  });
}
