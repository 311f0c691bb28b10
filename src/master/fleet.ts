import { LongshoreError, messageOf } from '../errors.ts';
import { log } from '../log.ts';
import { monotonicMs } from '../monotonic.ts';
import type { LimitOptions } from '../worker-options.ts';
import { type DrainSettings, type RetireTimes, retireMs, retireTimes } from './drain.ts';
import { Forker } from './forker.ts';
import { Ledger } from './ledger.ts';
import type { Config, Declared, Peers, ToMaster, ToProcess } from './messages.ts';
import { COMPANIONS, Neighbours } from './neighbours.ts';
import { Plan } from './plan.ts';
import type { Action, How, PlanEvent } from './plan-types.ts';
import { Queries } from './queries.ts';
import type { Change, Roster } from './roster.ts';
import { LAST_MS, type Override } from './settings.ts';

/** From fork to ready; a database that is slow to answer in `onWorkerStart` must fit in. */
const START_MS = 60_000;
/** A process that has not reported for this long is busy; it does so each second. */
const BUSY_MS = 1500;

export type FleetOptions = {
  readonly file: string;
  readonly roster: Roster;
  readonly drain: DrainSettings;
  readonly config: Config;
  readonly limits: LimitOptions;
  /** Programs of the companions by their Workers' names. */
  readonly companionFiles: Readonly<Record<string, string>>;
  readonly peers: Peers | undefined;
  /** Everything is over. */
  ended(code: number): void;
};

/** The plan and its real processes: does what the plan says, tells it what happens. */
export class Fleet {
  readonly plan: Plan;
  readonly ledger: Ledger = new Ledger();
  readonly forker: Forker;
  readonly queries: Queries;
  config: Config;
  peers: Peers | undefined;
  readonly roster: Roster;
  readonly neighbours: Neighbours;
  /** Changes of the Workers, one after the other. */
  #declaring: Promise<void> = Promise.resolve();
  /** Reloads that were done when addresses were given back. */
  #settled = 0;
  #drain: DrainSettings;
  #drainUntil: number | undefined = undefined;
  readonly #options: FleetOptions;
  readonly #forkedAt = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#drain = options.drain;
    this.roster = options.roster;
    this.config = options.config;
    this.peers = options.peers;
    this.neighbours = new Neighbours(this.roster, {
      changed: (locals) => this.tellAll({ t: 'locals', locals }),
      declare: (change, failed) => this.declare(change, failed),
      failed: (proc, message) => this.step({ is: 'failed', proc, message, never: true }),
    });
    this.plan = new Plan(this.roster.declared, {
      startMs: START_MS,
      stopMs: LAST_MS,
      gracefulMs: retireMs('graceful', options.drain, LAST_MS),
      drainMs: retireMs('drain', options.drain, LAST_MS),
    });
    this.forker = new Forker({
      message: (proc, message) => this.#told(proc, message),
      exited: (proc, status) => this.#exited(proc, status),
    });
    this.queries = new Queries(this.forker);
  }

  /** Claims all addresses, then starts. @throws {LongshoreError} `PORT_TAKEN` or `START_FAILED` */
  async start(): Promise<void> {
    await this.roster.claim();
    this.step({ is: 'start' });
  }

  /** Something happened. */
  step(event: PlanEvent): void {
    const actions = this.plan.step(event, monotonicMs());
    for (const action of actions) this.#do(action);
    if (this.plan.reloads.done !== this.#settled) {
      // What that reload has left is free for others.
      this.#settled = this.plan.reloads.done;
      this.#declaring = this.#declaring.then(() => this.roster.settle());
    }
    clearTimeout(this.#timer);
    const at = this.plan.wakeAt();
    if (at !== undefined)
      this.#timer = setTimeout(() => this.step({ is: 'tick' }), Math.max(1, at - monotonicMs()));
  }

  #do(action: Action): void {
    switch (action.do) {
      case 'fork':
        this.#fork(action.proc, action.worker, action.slot);
        break;
      case 'retire':
        this.#retire(action);
        break;
      case 'hold':
        this.#send(action.proc, {
          t: 'retire',
          how: 'drain',
          times: this.#times('drain'),
          reload: false,
          stay: true,
        });
        break;
      case 'release':
        this.#drainUntil = undefined;
        this.#send(action.proc, { t: 'release' });
        break;
      case 'notify':
        this.#send(action.proc, { t: 'notify' });
        break;
      case 'kill':
        this.forker.kill(action.proc);
        break;
      case 'say':
        log[action.level](action.text);
        break;
      case 'end':
        clearTimeout(this.#timer);
        this.#options.ended(action.code);
        break;
    }
  }

  #retire({ proc, how, reload }: Extract<Action, { do: 'retire' }>): void {
    this.#send(proc, { t: 'retire', how, times: this.#times(how), reload, stay: false });
  }

  #times(how: How): RetireTimes {
    const times = retireTimes(how, this.#drain, monotonicMs());
    if (how === 'drain') this.#drainUntil = Date.now() + times.closeUntil - monotonicMs();
    return times;
  }

  #send(proc: number, message: ToProcess): void {
    this.forker.send(proc, message);
  }

  #fork(proc: number, worker: string, slot: number): void {
    const port = this.roster.port(worker);
    const { file: own, companionFiles, limits } = this.#options;
    const companion = this.roster.isCompanion(worker) ? companionFiles[worker] : undefined;
    const locals = this.neighbours.locals.value;
    this.ledger.open(proc, worker, slot, Date.now());
    this.#forkedAt.set(proc, Date.now());
    const assignment = {
      worker,
      slot,
      count: this.roster.find(worker)?.count ?? 1,
      config: this.config,
      // Limits are for clients, not for the program's own processes.
      ...(companion === undefined && !isInner(worker) ? { limits } : {}),
      ...(port ? { listen: port.listen } : {}),
      ...(this.peers ? { peers: this.peers } : {}),
      ...(locals ? { locals } : {}),
    };
    this.forker.fork(proc, { file: companion ?? own, assignment, shared: port?.shared?.fd() });
  }

  #told(proc: number, message: ToMaster): void {
    switch (message.t) {
      case 'declared':
        this.#redeclared(proc, message.workers);
        break;
      case 'ready':
        this.#ready(proc, message.listening);
        break;
      case 'failed':
        this.step({ is: 'failed', proc, message: message.message, never: message.never });
        break;
      case 'report':
        this.ledger.add(proc, message.report, Date.now());
        break;
      case 'answer':
        this.queries.answered(message.id, message.answer);
        break;
      case 'recycle':
        this.step({ is: 'recycle', proc });
        break;
      case 'wants':
        this.neighbours.wants(proc, message.service);
        break;
      case 'serves':
        this.neighbours.serves(proc, message.service, message.address);
        break;
    }
  }

  #ready(proc: number, listening: string): void {
    const worker = this.plan.procs.get(proc)?.worker;
    if (worker !== undefined) {
      this.roster.named(worker, listening);
      this.neighbours.ready(worker, listening);
    }
    this.ledger.alive(proc, Date.now());
    // A process may have asked for a channel server just before: it is one of those that are to start.
    void this.#declaring.then(() => this.step({ is: 'ready', proc }));
  }

  #exited(proc: number, status: number): void {
    this.ledger.close(proc);
    this.neighbours.gone(proc);
    this.#forkedAt.delete(proc);
    this.step({ is: 'exited', proc, status });
  }

  /** The program may have been changed: during a reload the new code says which Workers there are. */
  #redeclared(proc: number, workers: readonly Declared[]): void {
    const isProgram = workers.every(({ name }) => !this.roster.isCompanion(name));
    if (this.plan.reload?.state !== 'running' || !isProgram) return;
    this.declare({ program: workers }, (message) =>
      this.step({ is: 'failed', proc, message, never: true }),
    );
  }

  /** Changes which Workers there are, one change after the other. */
  declare(change: Change, failed: (why: string) => void): void {
    this.#declaring = this.#declaring.then(async () => {
      try {
        const moved = await this.roster.declare(change);
        if (moved) this.step({ is: 'declare', workers: this.roster.declared, moved });
      } catch (error) {
        failed(messageOf(error));
      }
    });
  }

  /**
   * Replaces the processes, with other overrides if they are given.
   *
   * @returns the id of the reload that does it
   * @throws {LongshoreError} `RELOAD_FAILED` if the overrides cannot be had; nothing is changed then
   */
  async reload(how: 'now' | 'graceful', overrides?: readonly Override[]): Promise<number> {
    if (overrides) {
      let failure: string | undefined;
      this.declare({ overrides }, (why) => {
        failure = why;
      });
      await this.#declaring;
      if (failure !== undefined) throw new LongshoreError('RELOAD_FAILED', failure);
    }
    this.step({ is: 'reload', how });
    return this.plan.awaitedReload;
  }

  /** Drains without stopping; `release` takes it back. */
  hold(times: Partial<DrainSettings>): void {
    this.#drain = { ...this.#options.drain, ...times };
    this.step({ is: 'hold' });
    this.#drain = this.#options.drain;
  }

  tellAll(message: ToProcess): void {
    for (const proc of this.plan.procs.all.keys()) this.#send(proc, message);
  }

  /** New hot configuration for every process, also for those that start later. */
  setConfig(config: Config): void {
    this.config = config;
    this.tellAll({ t: 'config', config });
  }

  setPeers(peers: Peers): void {
    if (this.peers && peers.version < this.peers.version) return;
    this.peers = peers;
    this.tellAll({ t: 'peers', peers });
  }

  get drainUntil(): number | undefined {
    return this.plan.phase === 'running' ? undefined : this.#drainUntil;
  }

  forkedAt(proc: number): number {
    return this.#forkedAt.get(proc) ?? 0;
  }

  /** Whether a process has been silent for too long. */
  busy(proc: number): boolean {
    const reportedAt = this.ledger.procs.get(proc)?.reportedAt ?? 0;
    return this.plan.procs.get(proc)?.state !== 'starting' && Date.now() - reportedAt > BUSY_MS;
  }
}

/** Whether a Worker serves the program's own processes. */
function isInner(worker: string): boolean {
  return Object.values(COMPANIONS).some((name) => name === worker);
}
