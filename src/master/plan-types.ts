/** What the supervision plan is about: see `plan.ts`. Times are milliseconds, on any clock that only goes forward. */

/** How a process is to leave. */
export type How = 'now' | 'graceful' | 'drain';

/** A Worker as the program declares it, with the overrides it was started with. */
export type WorkerSpec = {
  readonly name: string;
  readonly count: number;
  readonly reloadable: boolean;
  /** Others need it until their end, so it is told to leave when they are gone. */
  readonly last?: boolean;
};

/** Bounds of the plan. */
export type Timing = {
  /** From `fork` to `ready`. */
  readonly startMs: number;
  /** From "leave now" to SIGKILL. */
  readonly stopMs: number;
  /** From "leave gracefully" to SIGKILL. */
  readonly gracefulMs: number;
  /** From "drain" to SIGKILL. */
  readonly drainMs: number;
};

/** What happened. */
export type PlanEvent =
  | { readonly is: 'start' }
  | { readonly is: 'ready'; readonly proc: number }
  /** The process cannot do its work; it will exit. `never`: a second try would fail just the same. */
  | {
      readonly is: 'failed';
      readonly proc: number;
      readonly message: string;
      readonly never: boolean;
    }
  /** `status`: exit code × 256 + signal. */
  | { readonly is: 'exited'; readonly proc: number; readonly status: number }
  | { readonly is: 'reload'; readonly how: 'now' | 'graceful' }
  /** A process asks for a successor, to leave when it is there. */
  | { readonly is: 'recycle'; readonly proc: number }
  | { readonly is: 'stop'; readonly how: 'now' | 'drain' }
  /** Drain but stay, and take it back. */
  | { readonly is: 'hold' }
  | { readonly is: 'release' }
  /** The program declares other Workers than before, or other counts are wanted. `moved`: they listen elsewhere now. */
  | {
      readonly is: 'declare';
      readonly workers: readonly WorkerSpec[];
      readonly moved: readonly string[];
    }
  | { readonly is: 'tick' };

/** What should be done about it, in this order. */
export type Action =
  | { readonly do: 'fork'; readonly proc: number; readonly worker: string; readonly slot: number }
  /** `reload`: call `onWorkerReload` before. `killAt`: when the plan would kill it. */
  | { readonly do: 'retire'; readonly proc: number; readonly how: How; readonly reload: boolean }
  /** Only call `onWorkerReload`. */
  | { readonly do: 'notify'; readonly proc: number }
  | { readonly do: 'hold'; readonly proc: number }
  | { readonly do: 'release'; readonly proc: number }
  | { readonly do: 'kill'; readonly proc: number }
  | { readonly do: 'say'; readonly level: 'info' | 'error'; readonly text: string }
  /** Everything is over. */
  | { readonly do: 'end'; readonly code: number };

export type Phase = 'starting' | 'running' | 'held' | 'draining' | 'stopping';

/** One process, from the decision to fork it until its exit is known. */
export type Proc = {
  readonly id: number;
  readonly worker: string;
  readonly slot: number;
  state: 'starting' | 'ready' | 'leaving';
  /** When that state began. */
  since: number;
  /** When it is killed if it is still there. */
  killAt: number;
  /** How it was told to leave. */
  how?: How;
};

/** A place that is to be filled. */
export type Slot = {
  readonly worker: string;
  readonly slot: number;
  current: number | undefined;
  /** The next one, during a reload, until it is ready. */
  incoming: number | undefined;
  /** Early deaths in a row. */
  deaths: number;
  /** When to fork into it; `undefined` if it is filled. */
  forkAt: number | undefined;
};
