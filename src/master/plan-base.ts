import { EXIT } from '../contract.ts';
import type { Action, How, Phase, Slot, Timing, WorkerSpec } from './plan-types.ts';
import { killed, processes } from './plan-words.ts';
import { Procs } from './procs.ts';
import { fitted } from './slots.ts';

/** What every event of `plan.ts` needs: slots, processes, and the steps that follow from how they stand. */
export abstract class PlanBase {
  phase: Phase = 'starting';
  readonly procs: Procs;
  slots: readonly Slot[];
  protected workers: readonly WorkerSpec[];
  protected exitCode: number = EXIT.ok;
  protected actions: Action[] = [];
  private ended = false;

  constructor(workers: readonly WorkerSpec[], timing: Timing) {
    this.workers = workers;
    this.procs = new Procs(timing);
    this.slots = fitted([], workers, undefined).slots;
  }

  /** When a `tick` is wanted next; `undefined` if only events can change anything. */
  wakeAt(): number | undefined {
    const forks = this.filling() ? this.slots.flatMap((slot) => slot.forkAt ?? []) : [];
    const next = Math.min(this.procs.nextKill(), ...forks);
    return Number.isFinite(next) ? next : undefined;
  }

  /** Whether empty slots are to be filled. */
  protected filling(): boolean {
    return this.phase === 'starting' || this.phase === 'running';
  }

  protected over(): boolean {
    return this.phase === 'draining' || this.phase === 'stopping';
  }

  protected slotOf(id: number): Slot | undefined {
    return this.slots.find((slot) => slot.current === id || slot.incoming === id);
  }

  protected retire(id: number, how: How, now: number, reload = false): void {
    if (this.procs.leave(id, how, now)) this.actions.push({ do: 'retire', proc: id, how, reload });
  }

  protected isLast(worker: string): boolean {
    return this.workers.some(({ name, last }) => name === worker && last);
  }

  /** Kills what had its time. */
  protected overdue(now: number): void {
    for (const proc of this.procs.overdue(now)) {
      this.actions.push({ do: 'kill', proc: proc.id });
      this.say('error', killed(proc, now));
    }
  }

  protected fill(now: number): void {
    if (!this.filling()) return;
    for (const slot of this.slots) {
      if (slot.forkAt === undefined || slot.forkAt > now || slot.incoming !== undefined) continue;
      slot.forkAt = undefined;
      slot.current = this.newProc(slot, now);
    }
  }

  protected newProc(slot: Slot, now: number): number {
    const { id, worker } = this.procs.start(slot, now);
    this.actions.push({ do: 'fork', proc: id, worker, slot: slot.slot });
    return id;
  }

  protected settle(now: number): void {
    const isReady = ({ current }: Slot) =>
      current !== undefined && this.procs.get(current)?.state === 'ready';
    if (this.phase === 'starting' && this.slots.every(isReady)) {
      this.phase = 'running';
      this.say('info', `started: ${processes(this.slots.length)}`);
    }
    if (!this.over() || this.ended) return;
    const rest = [...this.procs.all.values()];
    if (rest.every(({ worker }) => this.isLast(worker))) {
      for (const { id, how } of rest) if (how !== 'now') this.retire(id, 'now', now);
    }
    if (rest.length > 0) return;
    this.ended = true;
    this.actions.push({ do: 'end', code: this.exitCode });
  }

  protected say(level: 'info' | 'error', text: string): void {
    this.actions.push({ do: 'say', level, text });
  }
}
