import type { How, Proc, Slot, Timing } from './plan-types.ts';

/** The processes that exist, and how the ones that do not any more ended. Pure bookkeeping for `plan.ts`. */
export class Procs {
  readonly all: Map<number, Proc> = new Map();
  /** Exits so far, by Worker and raw status. */
  readonly exits: Map<string, Map<number, number>> = new Map();
  readonly #timing: Timing;
  #lastId = 0;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  get(id: number): Proc | undefined {
    return this.all.get(id);
  }

  /** A process is being forked into a slot. */
  start({ worker, slot }: Slot, now: number): Proc {
    this.#lastId += 1;
    const proc: Proc = {
      id: this.#lastId,
      worker,
      slot,
      state: 'starting',
      since: now,
      killAt: now + this.#timing.startMs,
    };
    this.all.set(proc.id, proc);
    return proc;
  }

  /** It listens; false if that is not news. */
  ready(id: number, now: number): boolean {
    const proc = this.all.get(id);
    // One that was killed for being late may still have a word in the pipe.
    if (proc?.state !== 'starting' || proc.killAt === Number.POSITIVE_INFINITY) return false;
    Object.assign(proc, { state: 'ready', since: now, killAt: Number.POSITIVE_INFINITY });
    return true;
  }

  /** It was told to leave; false if there is no such process. */
  leave(id: number, how: How, now: number): boolean {
    const proc = this.all.get(id);
    if (!proc) return false;
    const { stopMs, gracefulMs, drainMs } = this.#timing;
    const within = how === 'now' ? stopMs : how === 'graceful' ? gracefulMs : drainMs;
    Object.assign(proc, { state: 'leaving', since: now, how, killAt: now + within });
    return true;
  }

  /** It ended. */
  exited(id: number, status: number): Proc | undefined {
    const proc = this.all.get(id);
    if (!proc) return undefined;
    this.all.delete(id);
    const counts = this.exits.get(proc.worker) ?? new Map<number, number>();
    counts.set(status, (counts.get(status) ?? 0) + 1);
    this.exits.set(proc.worker, counts);
    return proc;
  }

  /** Those whose time is over; each is given once. */
  overdue(now: number): Proc[] {
    const late = [...this.all.values()].filter((proc) => proc.killAt <= now);
    for (const proc of late) proc.killAt = Number.POSITIVE_INFINITY;
    return late;
  }

  /** When the next one's time is over; infinity if none has a limit. */
  nextKill(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.all.values()].map((proc) => proc.killAt));
  }
}
