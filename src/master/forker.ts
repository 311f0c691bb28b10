import { type ChildProcess, fork } from 'node:child_process';
import { constants } from 'node:os';
import { ENV } from '../contract.ts';
import type { Assignment, ToMaster, ToProcess } from './messages.ts';

/** What the master is told of its processes. */
export type ForkEvents = {
  message(proc: number, message: ToMaster): void;
  exited(proc: number, status: number): void;
};

/** Descriptors 0 to 2 and the IPC channel come first. */
const SHARED_FD = 4;

/**
 * Semi-space of 4 MiB: V8 would grow it to 16 during a wave of connections and keep it, some 45 MB a process. Measured:
 * no loss of throughput, 0.7 KB less for each of 10,000 connections. Options given to the master win.
 */
const V8_DEFAULTS = ['--max-semi-space-size=4'];

/** Tells us why a program cannot be loaded. */
const LOAD_ERRORS = import.meta.url.replace(/master\/forker\.([jt]s)$/, 'child/load-errors.$1');

export type Start = {
  readonly file: string;
  readonly assignment: Assignment;
  readonly shared: number | undefined;
};

/** The real processes behind the plan's numbers. */
export class Forker {
  readonly #events: ForkEvents;
  readonly #children = new Map<number, ChildProcess>();

  constructor(events: ForkEvents) {
    this.#events = events;
  }

  /** @param how the program, what it is to do, and a socket that it is to inherit, if any */
  fork(proc: number, { file, assignment, shared }: Start): void {
    const given: Assignment = shared === undefined ? assignment : { ...assignment, fd: SHARED_FD };
    const child = fork(file, process.argv.slice(2), {
      env: { ...process.env, [ENV.child]: JSON.stringify(given) },
      execArgv: [...V8_DEFAULTS, ...process.execArgv, `--import=${LOAD_ERRORS}`],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...(shared === undefined ? [] : [shared])],
    });
    this.#children.set(proc, child);
    child.on('message', (message) => this.#events.message(proc, message as ToMaster));
    // Fork itself failed: out of processes or memory. The plan treats it as a death.
    child.on('error', () => {
      if (child.pid === undefined) this.#gone(proc, 255 * 256);
    });
    child.on('exit', (code, signal) => this.#gone(proc, rawStatus(code, signal)));
  }

  #gone(proc: number, status: number): void {
    if (this.#children.delete(proc)) this.#events.exited(proc, status);
  }

  pid(proc: number): number | undefined {
    return this.#children.get(proc)?.pid;
  }

  /** Tells a process; one that is gone is not told. */
  send(proc: number, message: ToProcess): void {
    const child = this.#children.get(proc);
    if (child?.connected) child.send(message, () => {});
  }

  kill(proc: number): void {
    this.#children.get(proc)?.kill('SIGKILL');
  }
}

/** Exit code × 256 + signal number, as `wait` gives it and Workerman shows it. */
export function rawStatus(code: number | null, signal: NodeJS.Signals | null): number {
  return (code ?? 0) * 256 + (signal === null ? 0 : (constants.signals[signal] ?? 0));
}
