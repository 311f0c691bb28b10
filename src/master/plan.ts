import { EXIT } from '../contract.ts';
import { backOffMs } from './back-off.ts';
import { PlanBase } from './plan-base.ts';
import type { Action, PlanEvent, Slot, WorkerSpec } from './plan-types.ts';
import { died, endedEarly, nameOf, processes, reloadFailed } from './plan-words.ts';
import { Reload, type ReloadState } from './reload.ts';
import { fitted, vacate } from './slots.ts';

/**
 * Supervision without a process in it: what happened goes in, what should be done comes out. Time is an argument.
 *
 *     starting ──all ready──► running ◄──release──┐
 *        │ a process can never start   │   │ hold─┴► held
 *        ▼                             ▼   ▼
 *     stopping ◄──── stop now ───── draining ──last process gone──► end
 *
 * A slot is to be filled in every phase but the last two and `held`. Each has at most one current process, and during
 * a reload one incoming: fork the incoming one, wait until it listens, let the old one leave, next slot. So at no time
 * do fewer processes accept than before; if the incoming one fails, the old one stays and the reload is over.
 *
 * Invariants: current and incoming are processes that exist; a process told to leave belongs to no slot and is never
 * called back; `end` is given once, when no process is left.
 */
export class Plan extends PlanBase {
  /** The reload or recycling under way, or the last one. */
  #reload: Reload | undefined = undefined;
  #lastReload: ReloadState | undefined = undefined;
  /** A reload that was asked for during one. */
  #again: 'now' | 'graceful' | undefined = undefined;
  /** Slots whose processes want to be replaced. */
  readonly #recycles = new Set<Slot>();
  /** Ended reloads by result; recycling does not count. */
  readonly reloads: Record<'done' | 'failed', number> = { done: 0, failed: 0 };

  /** The last reload, or the one under way. */
  get reload(): ReloadState | undefined {
    return this.#lastReload;
  }

  /** The id of the reload that does what was asked for last; it may have to wait for one under way. */
  get awaitedReload(): number {
    return (this.#lastReload?.id ?? 0) + (this.#again ? 1 : 0);
  }

  /** Takes one event; gives what to do, in order. */
  step(event: PlanEvent, now: number): Action[] {
    this.actions = [];
    this.#handle(event, now);
    this.overdue(now);
    this.#goOnReloading(now);
    this.fill(now);
    this.settle(now);
    return this.actions;
  }

  #handle(event: PlanEvent, now: number): void {
    switch (event.is) {
      case 'start':
        for (const slot of this.slots) slot.forkAt = now;
        break;
      case 'ready':
        this.#ready(event.proc, now);
        break;
      case 'failed':
        this.#failed(event.proc, event.message, event.never, now);
        break;
      case 'exited':
        this.#exited(event.proc, event.status, now);
        break;
      case 'reload':
        this.#beginReload(event.how, now);
        break;
      case 'recycle':
        this.#recycle(event.proc);
        break;
      case 'stop':
        this.#stop(event.how, now);
        break;
      case 'hold':
      case 'release':
        this.#hold(event.is === 'hold', now);
        break;
      case 'declare':
        this.#declare(event.workers, event.moved, now);
        break;
      case 'tick':
        break;
    }
  }

  #ready(id: number, now: number): void {
    if (!this.procs.ready(id, now)) return;
    const slot = this.slotOf(id);
    if (slot?.incoming === id) this.#promote(slot, id, now);
    if (this.phase === 'held') this.actions.push({ do: 'hold', proc: id });
  }

  /** The incoming process listens: it takes the slot, the old one leaves. */
  #promote(slot: Slot, id: number, now: number): void {
    const old = slot.current;
    slot.current = id;
    slot.incoming = undefined;
    slot.deaths = 0;
    slot.forkAt = undefined;
    if (!this.#reload) return;
    const { how, kind } = this.#reload.state;
    if (old !== undefined) this.retire(old, how, now, kind === 'reload');
    this.#reload.replaced(old);
  }

  #failed(id: number, message: string, never: boolean, now: number): void {
    const proc = this.procs.get(id);
    if (!proc || proc.state === 'leaving') return;
    if (this.slotOf(id)?.incoming === id) {
      this.#failReload(message, now);
      return;
    }
    if (!never || this.phase !== 'starting') {
      this.say('error', `${nameOf(proc)}: ${message}`);
      return;
    }
    this.say('error', `${nameOf(proc)} can never start: ${message}`);
    this.exitCode = EXIT.neverStarts;
    this.#stop('now', now);
  }

  #exited(id: number, status: number, now: number): void {
    const proc = this.procs.exited(id, status);
    if (!proc) return;
    const slot = this.slotOf(id);
    this.#reload?.exited(id);
    if (!slot) return;
    if (slot.incoming === id) {
      this.#failReload(endedEarly(proc, status), now);
      return;
    }
    const waitMs = vacate(slot, proc.state === 'starting' ? undefined : now - proc.since, status);
    if (slot.incoming === undefined) slot.forkAt = now + waitMs;
    if (status !== 0) this.say('error', died(proc, status, waitMs));
  }

  #stop(how: 'now' | 'drain', now: number): void {
    if (this.phase === 'stopping' || (this.phase === 'draining' && how === 'drain')) return;
    this.phase = how === 'now' ? 'stopping' : 'draining';
    this.#forgetPlans();
    if (this.#reload?.running) this.#endReload('the service stops');
    for (const slot of this.slots) slot.current = slot.incoming = slot.forkAt = undefined;
    for (const proc of this.procs.all.values()) {
      if (proc.how !== 'now' && !this.isLast(proc.worker)) this.retire(proc.id, how, now);
    }
  }

  #hold(on: boolean, now: number): void {
    if (on ? !this.filling() : this.phase !== 'held') return;
    this.#forgetPlans();
    if (on && this.#reload?.running) this.#failReload('the service drains', now);
    this.phase = on ? 'held' : 'running';
    for (const slot of this.slots) {
      if (slot.current !== undefined)
        this.actions.push({ do: on ? 'hold' : 'release', proc: slot.current });
      else if (!on && slot.incoming === undefined) slot.forkAt = now;
    }
  }

  #declare(workers: readonly WorkerSpec[], moved: readonly string[], now: number): void {
    if (this.over()) return;
    this.workers = workers;
    const { slots, gone } = fitted(this.slots, workers, now);
    this.slots = slots;
    this.#reload?.drop(gone);
    for (const { current, incoming } of gone) {
      if (incoming !== undefined) this.retire(incoming, 'now', now);
      if (current !== undefined) this.retire(current, 'graceful', now, true);
    }
    // What told us of the new address was itself started with the old one.
    for (const slot of slots) {
      if (slot.incoming === undefined || !moved.includes(slot.worker)) continue;
      this.retire(slot.incoming, 'now', now);
      slot.incoming = this.newProc(slot, now);
    }
  }

  #beginReload(how: 'now' | 'graceful', now: number): void {
    if (!this.filling()) {
      this.say('error', `no reload while ${this.phase}`);
      return;
    }
    if (this.#reload?.running) {
      // The slots done so far may run code that is older than this call.
      this.#again = how;
      return;
    }
    const stays = ({ worker }: Slot) =>
      this.workers.some(({ name, reloadable }) => name === worker && !reloadable);
    for (const { current } of this.slots.filter(stays)) {
      if (current !== undefined) this.actions.push({ do: 'notify', proc: current });
    }
    const slots = this.slots.filter((slot) => !stays(slot));
    const id = (this.#lastReload?.id ?? 0) + 1;
    this.#reload = new Reload({ id, kind: 'reload', how, startedAt: now }, slots);
    this.#lastReload = this.#reload.state;
    this.say('info', `reload begins: ${processes(slots.length)}, one after the other`);
  }

  /** A process wants to be replaced: as in a reload, its successor comes first. */
  #recycle(id: number): void {
    const slot = this.slotOf(id);
    if (slot?.current === id && this.filling()) this.#recycles.add(slot);
  }

  #forgetPlans(): void {
    this.#again = undefined;
    this.#recycles.clear();
  }

  #goOnReloading(now: number): void {
    if (!this.#reload?.running) this.#nextRecycle(now);
    const next = this.#reload?.next() ?? 'wait';
    if (next === 'wait') return;
    if (next === 'done') {
      const { kind, replaced } = (this.#reload as Reload).state;
      if (kind === 'reload') {
        this.reloads.done += 1;
        this.say('info', `reload complete: ${processes(replaced)} replaced`);
      }
      this.#reloadAgain(now);
      this.#goOnReloading(now);
    } else {
      this.#recycles.delete(next);
      next.incoming = this.newProc(next, now);
      next.forkAt = undefined;
    }
  }

  #nextRecycle(now: number): void {
    const [slot] = [...this.#recycles].filter((each) => this.slots.includes(each));
    if (!slot || !this.filling()) return;
    this.#reload = new Reload({ id: 0, kind: 'recycle', how: 'now', startedAt: now }, [slot]);
  }

  #failReload(reason: string, now: number): void {
    for (const slot of this.slots) {
      if (slot.incoming === undefined) continue;
      this.retire(slot.incoming, 'now', now);
      slot.incoming = undefined;
      if (slot.current === undefined) slot.forkAt = now + backOffMs(slot.deaths + 1);
    }
    const { kind = 'reload', replaced = 0 } = this.#reload?.state ?? {};
    this.#endReload(reason);
    this.say('error', reloadFailed(kind, replaced, reason));
    this.#reloadAgain(now);
  }

  #endReload(reason: string): void {
    if (this.#reload?.state.kind === 'reload') this.reloads.failed += 1;
    this.#reload?.fail(reason);
  }

  #reloadAgain(now: number): void {
    const how = this.#again;
    this.#again = undefined;
    if (how) this.#beginReload(how, now);
  }
}
