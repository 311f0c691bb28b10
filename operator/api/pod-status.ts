/**
 * What a pod tells of itself on its admin port: the part of `Status` in `src/master/status.ts` that the operator reads.
 * Types only. A pod of an older Longshore does not tell everything.
 */
export type PodReport = {
  readonly version: string;
  readonly pid: number;
  /** Milliseconds since 1970 on the pod's clock, as `now`. */
  readonly startedAt: number;
  readonly now: number;
  /** `starting`, `running`, `held` (drained, waiting), `draining` or `stopping`. */
  readonly phase: string;
  /** The last reload or the one under way. */
  readonly reload?: ReloadReport;
  /** When the drain under way will be over at the latest, on the pod's clock. */
  readonly drainUntil?: number;
  /** Digest of the hot configuration. */
  readonly config?: string;
  /** Digest of the code that all processes run, where it is mounted. */
  readonly code?: string;
  /** Effective kernel settings. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Version of the list of peers that was pushed last. */
  readonly peers?: number;
  /** Inner addresses of the gateways in it. */
  readonly gateways?: readonly string[];
  readonly workers: readonly WorkerReport[];
  readonly processes: readonly ProcessReport[];
};

export type ReloadReport = {
  readonly id: number;
  /** `running`, `done` or `failed`. */
  readonly state: string;
  /** Processes replaced so far, of `total`. */
  readonly replaced: number;
  readonly total: number;
  /** Why it failed. */
  readonly reason?: string;
};

export type WorkerReport = {
  readonly name: string;
  /** Processes. */
  readonly count: number;
};

export type ProcessReport = {
  readonly pid: number;
  readonly worker_name: string;
  readonly worker_id: number;
  /** `starting`, `ready` or `leaving`. */
  readonly state: string;
  /** Open ones, those included that the program has opened itself. */
  readonly connections: number;
  /** Accepted ones of the program's own Workers; not there in older images. */
  readonly clients?: number;
  /** It did not answer in time; its numbers are those of its last report. */
  readonly busy: boolean;
};
