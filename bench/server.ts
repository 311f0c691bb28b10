import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAddress } from '../src/address.ts';
import { call } from '../src/cli/admin-client.ts';
import { controlPath } from '../src/control-path.ts';
import type { Status } from '../src/master/status.ts';
import { build } from './build.ts';
import { atExit } from './cleanup.ts';

const START_MS = 20_000;
const STOP_MS = 5000;

/** What `npx longshore` is. */
const cli = (): string => build().file('src/cli/bin.ts');

/** A server under test. */
export interface Server extends AsyncDisposable {
  /** The process that serves. */
  readonly pid: number;
  readonly port: number;
}

/** How to start one. */
export type StartOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs commands, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
};

/** A process that prints a line when it is ready. */
class Running {
  readonly child: ChildProcess;
  readonly #forget: () => void;
  #output = '';

  constructor(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [file = '', ...args] = command;
    this.child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#forget = atExit(() => this.child.kill('SIGINT'));
  }

  /** Waits for a line and gives what the pattern caught; the output is read, and forgotten, to the end. */
  ready(pattern: RegExp): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const fail = (why: string) => reject(new Error(`a server ${why}:\n${this.#output}`));
    const timer = setTimeout(() => fail('did not get ready'), START_MS);
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-10_000);
        const found = pattern.exec(this.#output)?.[1];
        if (found !== undefined) resolve(found);
      });
    this.child.once('error', (error) => fail(`cannot be started: ${error.message}`));
    this.child.once('exit', () => fail('ended'));
    return promise.finally(() => clearTimeout(timer));
  }

  async stop(): Promise<void> {
    const over = new Promise((done) => this.child.once('close', done));
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
      this.child.kill('SIGINT');
      await over;
      clearTimeout(timer);
    }
    this.#forget();
  }
}

/** Starts a command that takes a port, and waits for a line that says that it is ready. */
export async function startOn(
  port: number,
  command: readonly string[],
  ready: RegExp,
): Promise<Server> {
  const running = new Running(command);
  await running.ready(ready);
  return {
    pid: running.child.pid ?? -1,
    port,
    [Symbol.asyncDispose]: () => running.stop(),
  };
}

/** Starts a server of `bench/servers/`, or another command that says `listening PORT`. */
export async function startPlain(
  file: string,
  args: readonly string[] = [],
  options: StartOptions & { readonly runtime?: string } = {},
): Promise<Server> {
  const path = build().file(`bench/servers/${file}`);
  const command = [options.runtime ?? process.execPath, path, ...args];
  const running = new Running([...(options.prefix ?? []), ...command], options.env);
  const port = Number(await running.ready(/^listening (\d+)$/m));
  return {
    pid: running.child.pid ?? -1,
    port,
    [Symbol.asyncDispose]: () => running.stop(),
  };
}

/** A program under the real command line, as users run it. */
export class Longshore implements Server {
  readonly #running: Running;
  readonly #file: string;
  readonly #folder: string;
  readonly #forget: () => void;
  pid = -1;
  port = -1;

  /** @param file its name in the sources */
  static async start(file: string, options: StartOptions = {}): Promise<Longshore> {
    const server = new Longshore(file, options);
    await server.#running.ready(/started: (\d+) process/);
    const [first] = (await server.status()).processes;
    if (!first) throw new Error(`${file} has no process`);
    server.pid = first.pid;
    server.port = parseAddress(first.listening).port;
    return server;
  }

  private constructor(file: string, { env = {}, prefix = [] }: StartOptions) {
    this.#file = build().file(file);
    this.#folder = mkdtempSync(join(tmpdir(), 'longshore-bench-'));
    const remove = () => rmSync(this.#folder, { recursive: true, force: true });
    this.#forget = atExit(remove);
    this.#running = new Running([...prefix, process.execPath, cli(), 'start', this.#file], {
      LONGSHORE_ADMIN: 'off',
      LONGSHORE_RUNTIME_DIR: this.#folder,
      ...env,
    });
  }

  /** What `longshore status --json` gives, from the same socket. */
  status(): Promise<Status> {
    return call<Status>(controlPath(this.#file, this.#folder), 'GET', '/status');
  }

  /** Runs `longshore COMMAND FILE …` about it, to a good end. */
  async command(name: string, ...options: readonly string[]): Promise<void> {
    const child = spawn(process.execPath, [cli(), name, this.#file, ...options], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, LONGSHORE_RUNTIME_DIR: this.#folder },
    });
    const code = await new Promise((done) => child.on('close', done));
    if (code !== 0) throw new Error(`longshore ${name} ended with ${code}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    this.#forget();
  }
}
