import { CHANNEL_SERVER } from '../contract.ts';
import { messageOf } from '../errors.ts';
import { log } from '../log.ts';
import { monotonicMs } from '../monotonic.ts';
import { type DrainSettings, type RetireTimes, retireMs, retireTimes } from './drain.ts';
import { Forker } from './forker.ts';
import { Ledger } from './ledger.ts';
import type { Config, Declared, Peers, ToMaster, ToProcess } from './messages.ts';
import { Plan } from './plan.ts';
import type { Action, How, PlanEvent } from './plan-types.ts';
import type { Port, Ports } from './ports.ts';
import { Queries } from './queries.ts';
import { LAST_MS, type Override, overridden } from './settings.ts';

/** From fork to ready; a database that is slow to answer in `onWorkerStart` must fit in. */
const START_MS = 60_000;
/** A process that has not reported for this long is busy; it does so each second. */
const BUSY_MS = 1500;

export type FleetOptions = {
  readonly file: string;
  readonly declared: readonly Declared[];
  readonly overrides: readonly Override[];
  readonly drain: DrainSettings;
  readonly config: Config;
  readonly ports: Ports;
  /** File and address of the channel server that can be run here. */
  readonly channel: { readonly file: string; readonly worker: Declared };
  /** Everything is over. */
  ended(code: number): void;
};

/** The plan and its real processes: does what the plan says, tells it what happens. */
export class Fleet {
  readonly plan: Plan;
  readonly ledger: Ledger = new Ledger();
  readonly forker: Forker;
  readonly queries: Queries;
  /** Ended reloads by result. */
  readonly reloads: Record<'done' | 'failed', number> = { done: 0, failed: 0 };
  config: Config;
  peers: Peers | undefined = undefined;
  #declared: readonly Declared[];
  /** Changes of the Workers, one after the other. */
  #declaring: Promise<void> = Promise.resolve();
  #channelWanted = false;
  #channelAddress: string | undefined = undefined;
  #drain: DrainSettings;
  #drainUntil: number | undefined = undefined;
  readonly #options: FleetOptions;
  readonly #listens = new Map<string, Port>();
  /** Addresses as the processes call them: `wss://` instead of `websocket://` where there is TLS. */
  readonly #names = new Map<string, string>();
  readonly #forkedAt = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#drain = options.drain;
    this.#declared = overridden(options.declared, options.overrides);
    this.config = options.config;
    this.plan = new Plan(this.#declared, {
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

  /** Claims all addresses, then starts. */
  async start(): Promise<void> {
    for (const worker of this.#declared) await this.#claim(worker);
    this.step({ is: 'start' });
  }

  async #claim(worker: Declared): Promise<void> {
    const port = await this.#options.ports.claim(worker);
    if (port) this.#listens.set(worker.name, port);
  }

  /** Something happened. */
  step(event: PlanEvent): void {
    const before = this.plan.reload?.state;
    const actions = this.plan.step(event, monotonicMs());
    for (const action of actions) this.#do(action);
    const after = this.plan.reload?.state;
    if (before === 'running' && (after === 'done' || after === 'failed')) this.reloads[after] += 1;
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
    const port = this.#listens.get(worker);
    const declared = this.#declared.find(({ name }) => name === worker);
    this.ledger.open(proc, worker, slot, Date.now());
    this.#forkedAt.set(proc, Date.now());
    const file =
      worker === CHANNEL_SERVER && this.#channelWanted
        ? this.#options.channel.file
        : this.#options.file;
    const assignment = {
      worker,
      slot,
      count: declared?.count ?? 1,
      config: this.config,
      ...(port ? { listen: port.listen } : {}),
      ...(this.peers ? { peers: this.peers } : {}),
      ...(this.#channelAddress === undefined ? {} : { channel: this.#channelAddress }),
    };
    this.forker.fork(proc, { file, assignment, shared: port?.shared?.fd() });
  }

  #told(proc: number, message: ToMaster): void {
    switch (message.t) {
      case 'declared':
        void this.#redeclared(message.workers);
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
      case 'wants-channel':
        void this.#startChannel();
        break;
    }
  }

  #ready(proc: number, listening: string): void {
    const worker = this.plan.procs.get(proc)?.worker;
    if (worker !== undefined) this.#names.set(worker, listening);
    if (worker === CHANNEL_SERVER && this.#channelWanted) {
      this.#channelAddress = listening;
      this.tellAll({ t: 'channel', address: listening });
    }
    this.ledger.alive(proc, Date.now());
    // A process may have asked for a channel server just before: it is one of those that are to start.
    void this.#declaring.then(() => this.step({ is: 'ready', proc }));
  }

  #exited(proc: number, status: number): void {
    this.ledger.close(proc);
    this.#forkedAt.delete(proc);
    this.step({ is: 'exited', proc, status });
  }

  /** The program may have been changed: during a reload the new code says which Workers there are. */
  async #redeclared(workers: readonly Declared[]): Promise<void> {
    if (
      this.plan.reload?.state !== 'running' ||
      workers.some(({ name }) => name === CHANNEL_SERVER)
    )
      return;
    try {
      const known = this.#options.overrides.filter(({ name }) =>
        workers.some((worker) => worker.name === name),
      );
      await this.declare(overridden(workers, known));
    } catch (error) {
      log.error(`the program's Workers could not be changed: ${messageOf(error)}`);
    }
  }

  /** Makes the Workers those given; nothing happens if they are already. */
  declare(workers: readonly Declared[]): Promise<void> {
    const done = this.#declaring.then(() => this.#declareNow(workers));
    this.#declaring = done.catch(() => {});
    return done;
  }

  async #declareNow(workers: readonly Declared[]): Promise<void> {
    const all = this.#channelWanted ? [...workers, this.#options.channel.worker] : workers;
    if (JSON.stringify(all) === JSON.stringify(this.#declared)) return;
    for (const worker of all) await this.#claim(worker);
    this.#declared = all;
    this.step({ is: 'declare', workers: all });
  }

  async #startChannel(): Promise<void> {
    if (this.#channelWanted) return;
    this.#channelWanted = true;
    try {
      await this.declare(this.#declared.filter(({ name }) => name !== CHANNEL_SERVER));
    } catch (error) {
      log.error(`channel server: ${messageOf(error)}`);
      this.#channelWanted = false;
    }
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

  get declared(): readonly Declared[] {
    return this.#declared;
  }

  get drainUntil(): number | undefined {
    return this.plan.phase === 'running' ? undefined : this.#drainUntil;
  }

  forkedAt(proc: number): number {
    return this.#forkedAt.get(proc) ?? 0;
  }

  /** What a Worker listens on, as people write it. */
  listening(worker: string): string {
    return this.#names.get(worker) ?? this.#listens.get(worker)?.listen ?? 'none';
  }

  /** Whether each process of a Worker has a listening socket of its own. */
  ownSockets(worker: string): boolean {
    return this.#listens.get(worker)?.shared === undefined;
  }

  /** Whether a process has been silent for too long. */
  busy(proc: number): boolean {
    const reportedAt = this.ledger.procs.get(proc)?.reportedAt ?? 0;
    return this.plan.procs.get(proc)?.state !== 'starting' && Date.now() - reportedAt > BUSY_MS;
  }
}
