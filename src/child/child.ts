import { parseAddress } from '../address.ts';
import { callAsync, failed, leaving, tally } from '../connections/connection.ts';
import { ENV, EXIT } from '../contract.ts';
import { declaredOf } from '../declared.ts';
import { catalogue, codeOf, type ErrorCode, LongshoreError, messageOf } from '../errors.ts';
import { listening } from '../listeners/listener.ts';
import { log, surviveBrokenOutput } from '../log.ts';
import type { Assignment, Question, ToMaster, ToProcess } from '../master/messages.ts';
import { monotonicMs } from '../monotonic.ts';
import { control } from '../process-control.ts';
import { Timer } from '../timer.ts';
import type { AnyWorker } from '../worker.ts';
import { loaded } from './load-errors.ts';
import { peers } from './peers.ts';
import { dropPrivileges } from './privileges.ts';
import { connectionRows, descriptors, drainState, Reporter } from './reporter.ts';
import { type Retirement, retire } from './retirement.ts';

const REPORT_MS = 1000;
/** For work that is under way when a process has to leave at once; it is killed 5 s after the order. */
const FINISH_MS = 3000;

/** The process of one Worker: does what the master says and tells it how things stand. */
class Child {
  readonly #worker: AnyWorker;
  readonly #reporter = new Reporter();
  #order = new AbortController();
  #leaving = false;
  /** The master gave us a socket that it has bound. */
  #inherits = false;

  constructor(worker: AnyWorker) {
    this.#worker = worker;
  }

  async start(assignment: Assignment): Promise<void> {
    const worker = this.#worker;
    this.#inherits = assignment.fd !== undefined;
    this.#listenToMaster();
    setInterval(() => this.report(), REPORT_MS).unref();
    // NB: ports below 1024 must be bound while we are root, and the program's own code must not run as root.
    const early = worker.user !== '' || worker.group !== '';
    if (early) await worker.listen({ fd: assignment.fd, hold: true });
    dropPrivileges(worker.user, worker.group);
    await worker.onWorkerStart?.(worker);
    if (this.#leaving) return;
    if (early) worker.accept();
    else await worker.listen({ fd: assignment.fd });
    process.title = `longshore: ${worker.name}#${worker.id} ${worker.getSocketName()}`;
    tell({ t: 'ready', listening: worker.getSocketName() });
  }

  #listenToMaster(): void {
    process.on('message', (message: ToProcess) => this.#obey(message));
    // The master is gone: without it nobody would replace or stop us.
    process.on('disconnect', () => {
      log.error('the master is gone; leaving');
      void this.leave({ how: 'now', times: rightNow(), reload: false });
    });
    control.stop = () => tell({ t: 'recycle' });
  }

  #obey(message: ToProcess): void {
    switch (message.t) {
      case 'retire':
        void (message.stay ? this.#hold(message) : this.leave(message));
        break;
      case 'release':
        void this.#release();
        break;
      case 'notify':
        void callAsync('onWorkerReload', this.#worker.onWorkerReload, this.#worker);
        break;
      case 'config':
        this.#worker.config = message.config;
        void callAsync('onWorkerReload', this.#worker.onWorkerReload, this.#worker);
        break;
      case 'peers':
        peers.set(message.peers);
        break;
      case 'locals':
        peers.setLocals(message.locals);
        break;
      case 'ask':
        tell({ t: 'answer', id: message.id, answer: this.#answer(message.what, message.limit) });
        break;
    }
  }

  #answer(what: Question, limit: number): unknown {
    const worker = this.#worker;
    if (what === 'report') return this.#reporter.take();
    if (what === 'connections') return connectionRows(worker.name, limit);
    return descriptors(listening());
  }

  /** Drains but stays: a later order decides. */
  async #hold(order: Retirement): Promise<void> {
    const signal = this.#newOrder();
    await retire(this.#worker, order, signal).catch(ifAborted);
  }

  async #release(): Promise<void> {
    this.#newOrder();
    Object.assign(drainState, { draining: false, closed: 0 });
    leaving.now = false;
    if (this.#worker.listening) return;
    // An inherited socket went with its listener; a successor inherits it again.
    if (this.#inherits) tell({ t: 'recycle' });
    else await this.#worker.listen().catch((error) => log.error(messageOf(error)));
  }

  /** Ends this process in good order. */
  async leave(order: Retirement): Promise<void> {
    const worker = this.#worker;
    const signal = this.#newOrder();
    this.#leaving = true;
    if (order.reload) await callAsync('onWorkerReload', worker.onWorkerReload, worker);
    await worker.beforeLeave(Math.max(0, order.times.closeUntil - monotonicMs()) + FINISH_MS);
    if (signal.aborted) return;
    // Whoever only wants to say goodbye does it while connections are open; after a drain there are none.
    if (order.how === 'now') await this.#stopping();
    try {
      await retire(worker, order, signal);
    } catch (error) {
      ifAborted(error);
      return;
    }
    await this.#stopping();
    await worker.lastWords();
    this.exit(EXIT.ok);
  }

  async #stopping(): Promise<void> {
    if (this.#worker.stopping) return;
    this.#worker.stopping = true;
    await callAsync('onWorkerStop', this.#worker.onWorkerStop, this.#worker);
  }

  #newOrder(): AbortSignal {
    this.#order.abort();
    this.#order = new AbortController();
    return this.#order.signal;
  }

  report(): void {
    tell({ t: 'report', report: this.#reporter.take() });
  }

  /** Ends now; the last counts reach the master first. */
  exit(code: number): void {
    Timer.delAll();
    const last: ToMaster = { t: 'report', report: this.#reporter.take() };
    if (!process.connected || !process.send) process.exit(code);
    process.send(last, () => process.exit(code));
    setTimeout(() => process.exit(code), 500);
  }
}

/** Becomes the process of one of the program's Workers. Never settles: the process ends by order of the master. */
export async function runChild(workers: readonly AnyWorker[]): Promise<void> {
  loaded();
  surviveBrokenOutput();
  // The terminal and init systems signal the whole group; what happens is for the master to say.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'] as const)
    process.on(signal, () => {});
  tell({ t: 'declared', workers: workers.map(declaredOf) });
  const assignment = JSON.parse(process.env[ENV.child] ?? '{}') as Assignment;
  const worker = workers.find(({ name }) => name === assignment.worker);
  if (!worker) {
    refuse('START_FAILED', `the program has no Worker "${assignment.worker}" any more`, false);
    return;
  }
  prepare(worker, assignment);
  const child = new Child(worker);
  surviveNothingElse(child);
  try {
    await child.start(assignment);
  } catch (error) {
    const never = error instanceof LongshoreError || isMisuse(error);
    if (!never) failed('onWorkerStart', error);
    refuse(codeOf(error) ?? 'START_FAILED', messageOf(error), never);
  }
}

/** The program asks for something impossible, and would each time. */
function isMisuse(error: unknown): boolean {
  const code = codeOf(error) ?? '';
  return Object.hasOwn(catalogue, code) && catalogue[code as ErrorCode] === 'misuse';
}

function prepare(worker: AnyWorker, assignment: Assignment): void {
  worker.id = assignment.slot;
  worker.count = assignment.count;
  worker.config = assignment.config;
  worker.options = {
    ...worker.options,
    limits: { ...worker.options.limits, ...assignment.limits },
  };
  if (assignment.listen !== undefined) worker.address = parseAddress(assignment.listen);
  if (assignment.peers) peers.set(assignment.peers);
  if (assignment.locals) peers.setLocals(assignment.locals);
}

/** An error that nobody caught leaves the program in a state that nobody knows: say so and end. */
function surviveNothingElse(child: Child): void {
  process.on('uncaughtException', (error, origin) => {
    tally.counts.throw_exception += 1;
    log.error(`${origin}: ${error?.stack ?? messageOf(error)}`);
    child.exit(EXIT.uncaught);
  });
}

/** This process cannot do its work: the master is told why, then it ends. */
function refuse(code: string, message: string, never: boolean): void {
  const exit = () => process.exit(never ? EXIT.neverStarts : EXIT.uncaught);
  process.send?.({ t: 'failed', code, message, never } satisfies ToMaster, exit);
}

function tell(message: ToMaster): void {
  // A master that has just gone is noticed by `disconnect`.
  if (process.connected) process.send?.(message, () => {});
}

const rightNow = () => ({ acceptUntil: 0, closeFrom: 0, closeUntil: 0 });

function ifAborted(error: unknown): void {
  if (codeOf(error) !== 'ABORT_ERR' && (error as Error | undefined)?.name !== 'AbortError')
    throw error;
}
