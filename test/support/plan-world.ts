import { Plan } from '../../src/master/plan.ts';
import type { Action, How, PlanEvent, WorkerSpec } from '../../src/master/plan-types.ts';
import { TIMING } from './plan-scenes.ts';

/** A process as the operating system would know it. */
type Known = { ready: boolean; told: How | undefined; killed: boolean };

/**
 * Processes that only do what a plan says, and a watch over every action and every state of that plan.
 * What is not as the header of `plan.ts` promises is thrown, with all that happened before.
 */
export class PlanWorld {
  readonly plan: Plan;
  readonly live: Map<number, Known> = new Map();
  now = 0;
  ended = 0;
  #stopping = false;
  #recycled = false;
  #lastId = 0;
  readonly #story: string[] = [];

  constructor(workers: readonly WorkerSpec[]) {
    this.plan = new Plan(workers, TIMING);
    this.step({ is: 'start' });
  }

  /** Something happens. The plan gets the ticks that were due before. */
  step(event: PlanEvent, afterMs = 0): void {
    const until = this.now + afterMs;
    let ticks = 0;
    for (let at = this.plan.wakeAt(); at !== undefined && at <= until; at = this.plan.wakeAt()) {
      this.now = Math.max(this.now, at);
      this.#take({ is: 'tick' });
      ticks += 1;
      this.#expect(ticks < 100, 'it wants to be woken at once for ever');
    }
    this.now = until;
    this.#take(event);
  }

  #take(event: PlanEvent): void {
    if (event.is !== 'tick') this.#story.push(`${this.now} ${JSON.stringify(event)}`);
    if (event.is === 'stop') this.#stopping = true;
    if (event.is === 'recycle') this.#recycled = true;
    const accepting = this.#accepting();
    if (event.is === 'exited') this.live.delete(event.proc);
    const known = event.is === 'ready' ? this.live.get(event.proc) : undefined;
    if (known) known.ready = true;
    for (const action of this.plan.step(event, this.now)) {
      this.#story.push(`${this.now}   -> ${JSON.stringify(action)}`);
      this.#obey(action, event);
    }
    this.#look();
    if (this.plan.phase === 'stopping') this.#stopping = true;
    const mayShrink = ['exited', 'declare'].includes(event.is) || this.#stopping;
    this.#expect(mayShrink || this.#accepting() >= accepting, 'fewer processes accept than before');
  }

  #obey(action: Action, event: PlanEvent): void {
    if (action.do === 'say') return;
    this.#expect(this.ended === 0, 'something happens after the end');
    if (action.do === 'end') {
      this.ended += 1;
      this.#expect(this.live.size === 0, 'it ends while there are processes');
      this.#expect(this.#stopping || action.code === 78, 'it ends although nobody wants it to');
      return;
    }
    if (action.do === 'fork') {
      this.#expect(action.proc > this.#lastId, 'a number is used twice');
      this.#expect(!this.#stopping, 'a process starts while the service stops');
      this.#lastId = action.proc;
      this.live.set(action.proc, { ready: false, told: undefined, killed: false });
      return;
    }
    const proc = this.live.get(action.proc);
    this.#expect(proc !== undefined, 'an action is about a process that is gone');
    if (proc) this.#tell(proc, action, event);
  }

  #tell(proc: Known, action: Exclude<Action, { do: 'fork' | 'say' | 'end' }>, event: PlanEvent) {
    if (action.do === 'retire') {
      const sooner = proc.told === undefined || (this.#stopping && proc.told !== 'now');
      this.#expect(sooner || event.is === 'failed', 'a process is told twice to leave');
      proc.told = action.how;
      proc.killed = false;
    } else if (action.do === 'kill') {
      this.#expect(!proc.killed, 'a process is killed twice');
      proc.killed = true;
    } else this.#expect(proc.told === undefined, 'a process that leaves is called back');
  }

  /** The state between two events. */
  #look(): void {
    const { slots, phase } = this.plan;
    const ids = slots.flatMap(({ current, incoming }) => [current ?? [], incoming ?? []].flat());
    this.#expect(new Set(ids).size === ids.length, 'a process has two places');
    for (const id of ids) {
      const proc = this.live.get(id);
      this.#expect(proc !== undefined, 'a slot refers to a process that is gone');
      this.#expect(proc?.told === undefined, 'a slot refers to a process that was told to leave');
    }
    const incoming = slots.filter((slot) => slot.incoming !== undefined);
    this.#expect(incoming.length <= 1, 'a reload works on two slots at once');
    const asked = this.reloading || this.#recycled;
    this.#expect(incoming.length === 0 || asked, 'a process comes in though nobody asked');
    const stopped = phase === 'draining' || phase === 'stopping';
    this.#expect(!stopped || ids.length === 0, 'a slot is filled while the service stops');
    const { done, failed } = this.plan.reloads;
    const begun = (this.plan.reload?.id ?? 0) - (this.reloading ? 1 : 0);
    this.#expect(done + failed === begun, 'a reload is not counted, or counted twice');
    this.#expect(this.plan.procs.all.size === this.live.size, 'the plan miscounts its processes');
    for (const [id, proc] of this.live)
      if (proc.told === undefined && !stopped)
        this.#expect(ids.includes(id), 'a process is neither in a slot nor told to leave');
  }

  get reloading(): boolean {
    return this.plan.reload?.state === 'running';
  }

  /** Processes that take connections: ready, not killed, and nobody told them to leave. */
  #accepting(): number {
    const all = [...this.live.values()];
    return all.filter(({ ready, told, killed }) => ready && !killed && told === undefined).length;
  }

  /** Everybody does what is expected: who starts becomes ready, who is told to leave leaves. */
  calm(): void {
    for (let round = 0; round < 1000; round += 1) {
      const leaving = [...this.live].find(([, { told, killed }]) => told !== undefined || killed);
      const starting = [...this.live].find(([, { ready }]) => !ready);
      const wakeAt = this.plan.wakeAt();
      if (leaving) this.step({ is: 'exited', proc: leaving[0], status: 0 });
      else if (starting) this.step({ is: 'ready', proc: starting[0] });
      else if (wakeAt !== undefined && this.ended === 0)
        this.step({ is: 'tick' }, Math.max(0, wakeAt - this.now));
      else return;
    }
    this.#expect(false, 'it never comes to rest');
  }

  /** Left alone, all slots are filled and no reload is under way. */
  expectRest(): void {
    const filled = this.plan.slots.every(({ current }) => current && this.live.get(current)?.ready);
    this.#expect(filled, 'a slot stays empty');
    this.#expect(!this.reloading, 'a reload does not come to its end');
    this.#expect(this.live.size === this.plan.slots.length, 'there are more processes than slots');
  }

  expectEnd(): void {
    this.#expect(this.ended === 1, 'it does not end');
  }

  #expect(good: boolean, broken: string): void {
    if (!good) throw new Error(`${broken}, after\n${this.#story.slice(-30).join('\n')}`);
  }
}
