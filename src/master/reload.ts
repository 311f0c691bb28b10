import type { Slot } from './plan-types.ts';

/** The last reload or the one under way, as `status` shows it. */
export type ReloadState = {
  /** 1, 2, 3 … in the order in which they begin; 0 for a recycling. */
  readonly id: number;
  /** `recycle`: one process that asked for it; not shown in `status`. */
  readonly kind: 'reload' | 'recycle';
  readonly how: 'now' | 'graceful';
  readonly startedAt: number;
  state: 'running' | 'done' | 'failed';
  /** Processes replaced so far, of `total`. */
  replaced: number;
  readonly total: number;
  reason?: string;
};

/** The same with its time as milliseconds since 1970, for who asks from outside. */
export function dated(
  state: ReloadState | undefined,
  epochOf: (planMs: number) => number,
): ReloadState | undefined {
  return state && { ...state, startedAt: epochOf(state.startedAt) };
}

/**
 * Which slot a reload is to do next: one at a time, the new process first. Pure; `plan.ts` does what it says.
 */
export class Reload {
  readonly state: ReloadState;
  #queue: Slot[];
  /** The slot whose incoming process is not ready yet. */
  #slot: Slot | undefined = undefined;
  /** A process told to leave now, whose exit is waited for. */
  #awaited: number | undefined = undefined;

  constructor(
    begun: Pick<ReloadState, 'id' | 'kind' | 'how' | 'startedAt'>,
    slots: readonly Slot[],
  ) {
    this.#queue = [...slots];
    this.state = { ...begun, state: 'running', replaced: 0, total: slots.length };
  }

  get running(): boolean {
    return this.state.state === 'running';
  }

  /** The slot to fork into now; `wait`; or `done`, once. */
  next(): Slot | 'wait' | 'done' {
    if (!this.running || this.#slot || this.#awaited !== undefined) return 'wait';
    this.#slot = this.#queue.shift();
    if (this.#slot) return this.#slot;
    this.state.state = 'done';
    return 'done';
  }

  /** The incoming process of the slot is ready, and `old` has been told to leave. */
  replaced(old: number | undefined): void {
    this.#slot = undefined;
    this.state.replaced += 1;
    // A graceful leave may take minutes; the others need not wait for it.
    if (this.state.how === 'now') this.#awaited = old;
  }

  exited(proc: number): void {
    if (this.#awaited === proc) this.#awaited = undefined;
  }

  /** Slots that are not wanted any more. */
  drop(gone: readonly Slot[]): void {
    this.#queue = this.#queue.filter((slot) => !gone.includes(slot));
    if (this.#slot && gone.includes(this.#slot)) this.#slot = undefined;
  }

  fail(reason: string): void {
    this.#queue = [];
    this.#slot = undefined;
    this.state.state = 'failed';
    this.state.reason = reason;
  }
}
