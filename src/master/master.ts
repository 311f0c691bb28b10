import type { Server } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHANNEL_SERVER, ENV, EXIT, GLOBALDATA_SERVER, VERSION } from '../contract.ts';
import { controlPath, runtimeDir } from '../control-path.ts';
import { declaredOf } from '../declared.ts';
import { codeOf, messageOf } from '../errors.ts';
import { log, surviveBrokenOutput } from '../log.ts';
import { control } from '../process-control.ts';
import type { AnyWorker, RunOptions } from '../worker.ts';
import { adminServer, openAdminPort } from './admin.ts';
import { openControlSocket } from './control-socket.ts';
import { Fleet } from './fleet.ts';
import { KernelWatch } from './kernel.ts';
import type { Declared } from './messages.ts';
import { operations } from './operations.ts';
import { processes } from './plan-words.ts';
import { Ports } from './ports.ts';
import { Roster } from './roster.ts';
import { settingsOf } from './settings.ts';
import { watchFiles } from './watch.ts';

/** Tells the `longshore` command, which may be another copy of this package, that the program has a master. */
export const RUNNING: unique symbol = Symbol.for('longshore.running') as never;

/**
 * Becomes the master of the program: claims addresses, opens the control socket and the admin port, starts the
 * processes and supervises them. It serves no client itself.
 *
 * @returns when everything is over; the exit code is set then
 */
export async function runMaster(workers: readonly AnyWorker[], options: RunOptions): Promise<void> {
  (process as unknown as Record<symbol, boolean>)[RUNNING] = true;
  surviveBrokenOutput();
  const ports = new Ports();
  try {
    if (workers.length === 0) throw new Error('the program has no Worker');
    process.exitCode = await new Master(workers, options, ports).run();
  } catch (error) {
    ports.release();
    log.error(messageOf(error));
    process.exit(codeOf(error) === 'ALREADY_RUNNING' ? EXIT.failed : EXIT.neverStarts);
  }
  // Whatever else the program keeps open must not keep a stopped service alive.
  setTimeout(() => process.exit(), 2000).unref();
}

class Master {
  readonly #file = resolve(process.argv[1] ?? '');
  readonly #startedAt = Date.now();
  readonly #settings: ReturnType<typeof settingsOf>;
  readonly #ports: Ports;
  readonly #fleet: Fleet;
  readonly #kernel: KernelWatch;
  readonly #over = Promise.withResolvers<number>();
  #admin: string | undefined = undefined;

  constructor(workers: readonly AnyWorker[], options: RunOptions, ports: Ports) {
    const env =
      options.admin === undefined ? process.env : { ...process.env, [ENV.admin]: options.admin };
    this.#settings = settingsOf(env);
    this.#ports = ports;
    const { drain, config, limits, peers, sysctlWanted, workers: overrides } = this.#settings;
    const companions = [
      companion(CHANNEL_SERVER, 'channel'),
      companion(GLOBALDATA_SERVER, 'globaldata'),
    ];
    this.#fleet = new Fleet({
      file: this.#file,
      roster: new Roster(workers.map(declaredOf), overrides, ports, companions),
      drain,
      config,
      limits,
      companionFiles: {
        [CHANNEL_SERVER]: ownFile('../channel/main'),
        [GLOBALDATA_SERVER]: ownFile('../globaldata/main'),
      },
      peers,
      ended: (code) => this.#over.resolve(code),
    });
    this.#kernel = new KernelWatch(() => this.#pids(), Object.keys(sysctlWanted));
  }

  *#pids(): Iterable<readonly [proc: number, pid: number]> {
    for (const proc of this.#fleet.plan.procs.all.keys()) {
      const pid = this.#fleet.forker.pid(proc);
      if (pid !== undefined) yield [proc, pid];
    }
  }

  async run(): Promise<number> {
    process.title = `longshore: master ${this.#file}`;
    const actions = operations({
      fleet: this.#fleet,
      kernel: this.#kernel,
      file: this.#file,
      startedAt: this.#startedAt,
      sysctlWanted: this.#settings.sysctlWanted,
      admin: () => this.#admin,
    });
    const socket = adminServer(actions, true);
    const port = adminServer(actions, false);
    await openControlSocket(socket, controlPath(this.#file));
    const code = await this.#lead(port).finally(() => {
      for (const server of [socket, port]) {
        server.close();
        server.closeAllConnections();
      }
      this.#kernel.stop();
      this.#ports.release();
    });
    log.info('stopped');
    return code;
  }

  /** From the first process to the last. @param port where the admin port is to be */
  async #lead(port: Server): Promise<number> {
    this.#admin = await openAdminPort(port, this.#settings.admin);
    this.#obeySignals();
    control.stop = () => this.#fleet.step({ is: 'stop', how: 'now' });
    await this.#fleet.start();
    void this.#kernel.read();
    this.#greet();
    if (process.env[ENV.dev] !== undefined) this.#watch();
    return this.#over.promise;
  }

  /** SIGTERM drains, SIGINT stops; whoever repeats himself is in a hurry. */
  #obeySignals(): void {
    const { plan, forker } = this.#fleet;
    const now = () => {
      if (plan.phase === 'stopping') for (const proc of plan.procs.all.keys()) forker.kill(proc);
      this.#fleet.step({ is: 'stop', how: 'now' });
    };
    const gently = () => {
      if (plan.phase === 'draining') log.info('second signal: stopping now');
      this.#fleet.step({ is: 'stop', how: plan.phase === 'draining' ? 'now' : 'drain' });
    };
    process.on('SIGINT', now).on('SIGHUP', now);
    process.on('SIGTERM', gently).on('SIGQUIT', gently);
    process.on('SIGUSR2', () => this.#fleet.step({ is: 'reload', how: 'now' }));
  }

  #watch(): void {
    const folder = dirname(this.#file);
    watchFiles(folder, (file) => {
      log.info(`${file} changed`);
      this.#fleet.step({ is: 'reload', how: 'now' });
    });
    log.info(`watching ${folder}`);
  }

  #greet(): void {
    const widest = Math.max(...this.#fleet.roster.declared.map(({ name }) => name.length), 6);
    const lines = this.#fleet.roster.declared.map(({ name, count }) => {
      return `${name.padEnd(widest)}  ${this.#fleet.roster.listening(name)}  ${processes(count)}`;
    });
    log.info(`Longshore ${VERSION} on Node ${process.version}, ${this.#file}`);
    for (const line of lines) log.info(line);
    if (this.#admin !== undefined) log.info(`metrics: http://${this.#admin}/metrics`);
  }
}

/** A server that programs can ask for: on a unix socket that only this user can reach. */
function companion(name: string, service: string): Declared {
  const path = join(runtimeDir(), `${service}-${process.pid}.inner`);
  return {
    name,
    count: 1,
    reloadable: false,
    last: true,
    backlog: 511,
    reusePort: false,
    address: `unix://${path}`,
  };
}

/** A file of ours, as TypeScript where we run from the sources. */
function ownFile(name: string): string {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(`${name}${extension}`, import.meta.url));
}
