import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type RequestOptions, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Status } from '../../src/master/status.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What a developer types, as `npm start` does. */
const COMMAND = [
  '--disable-warning=ExperimentalWarning',
  '--conditions=longshore-source',
  'src/cli/bin.ts',
  'start',
];
/** A program that has not said the awaited by then is broken; the machine may be busy with other tests. */
const PATIENCE_MS = 20_000;
/** Longest that a stopped program may take before it is killed. */
const LAST_MS = 5000;

/** What `stop` gives for a program that ended as it should. */
export const CLEAN: Stopped = { code: 0, signal: null, alive: [], closed: true };

export type Stopped = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Processes of the program that outlived it. */
  readonly alive: readonly number[];
  /** Whether nobody holds its output open any more, so that no process at all is left of it. */
  readonly closed: boolean;
};

const running = new Set<Program>();

/** Ends every program that a failed test has left behind. For `afterAll`. */
export async function endPrograms(): Promise<void> {
  await Promise.all([...running].map((program) => program.end()));
}

/**
 * Starts a program with the real command line and waits until all its processes are ready.
 *
 * @param file relative to the package's folder
 * @param env added to the environment; there is no admin port unless it names one
 * @param prefix put before the command, for example to run it on another host
 */
export async function start(
  file: string,
  env: Record<string, string> = {},
  prefix: readonly string[] = [],
): Promise<Program> {
  const program = new Program(file, env, prefix);
  await program.line(/started: (\d+) process/);
  return program;
}

/** A program under `longshore start`, its output, and its end. */
export class Program {
  readonly #child: ChildProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'longshore-test-'));
  readonly #lookers = new Set<() => void>();
  /** Resolves when the master has ended and nobody holds its output open: its processes inherit that. */
  readonly #closed: Promise<void>;
  readonly #known = new Set<number>();
  #output = '';

  constructor(file: string, env: Record<string, string>, prefix: readonly string[] = []) {
    running.add(this);
    const [command = '', ...args] = [...prefix, process.execPath, ...COMMAND, resolve(ROOT, file)];
    this.#child = spawn(command, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        LONGSHORE_ADMIN: 'off',
        LONGSHORE_RUNTIME_DIR: this.#folder,
        ...env,
      },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#look();
      });
    }
    this.#child.on('exit', () => this.#look());
    this.#closed = new Promise((done) => this.#child.once('close', () => done()));
  }

  #look(): void {
    for (const look of this.#lookers) look();
  }

  /** The master. */
  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** All that master and processes have printed. */
  get output(): string {
    return this.#output;
  }

  get #isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /**
   * Waits until the output matches.
   *
   * @param from where in `output` to begin; default: everything printed so far counts
   * @throws if the program ends before it does, or nothing comes for too long; with the output
   */
  async line(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    const { promise, resolve: found, reject } = Promise.withResolvers<RegExpExecArray>();
    const fail = (why: string) =>
      reject(new Error(`${why} without ${pattern} in its output:\n${this.#output}`));
    const look = () => {
      const match = pattern.exec(this.#output.slice(from));
      if (match) found(match);
      else if (this.#isOver) fail('the program ended');
    };
    this.#lookers.add(look);
    const timer = setTimeout(() => fail('the program went on'), PATIENCE_MS);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#lookers.delete(look);
    }
  }

  /** What `longshore status --json` would say, from the same control socket. */
  async status(): Promise<Status> {
    const status = (await this.call('GET', '/status')) as Status;
    for (const { pid } of status.processes) this.#known.add(pid);
    return status;
  }

  /** The folder of the control sockets, to give to commands. */
  get runtimeDir(): string {
    return this.#folder;
  }

  /** An admin call over the control socket. */
  call(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const name = readdirSync(this.#folder).find((entry) => entry.endsWith('.sock'));
    if (name === undefined) throw new Error(`no control socket in ${this.#folder}`);
    return call({ socketPath: join(this.#folder, name), method, path }, body);
  }

  /** Runs `longshore` about this program. */
  command(...args: string[]): Promise<Ran> {
    return longshore(args, { LONGSHORE_RUNTIME_DIR: this.#folder });
  }

  /** Signals the master, and only it. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** How the master ended, once nobody holds its output open any more. */
  async ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    await this.#closed;
    return { code: this.#child.exitCode, signal: this.#child.signalCode };
  }

  /** Signals the master, and only it, and waits for the end of everything. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Stopped> {
    const pids = (await this.status()).processes.map(({ pid }) => pid);
    if (pids.length === 0) throw new Error('the program has no process');
    this.#child.kill(signal);
    const closed = await this.#closedWithin(PATIENCE_MS);
    const { exitCode: code, signalCode } = this.#child;
    const stopped = { code, signal: signalCode, alive: pids.filter(isAlive), closed };
    await this.end();
    return stopped;
  }

  /** Whether everything ended in time. */
  async #closedWithin(ms: number): Promise<boolean> {
    const { promise, resolve: done } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => done(false), ms);
    void this.#closed.then(() => done(true));
    const closed = await promise;
    clearTimeout(timer);
    return closed;
  }

  /** Clean-up: whatever state it is in, afterwards no process and no file of it is left. */
  async end(): Promise<void> {
    if (!this.#isOver) this.#child.kill('SIGINT');
    if (!(await this.#closedWithin(LAST_MS))) {
      this.#child.kill('SIGKILL');
      for (const pid of this.#known) kill(pid);
      await this.#closedWithin(LAST_MS);
    }
    rmSync(this.#folder, { recursive: true, force: true });
    running.delete(this);
  }
}

/** Whether a process exists. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was gone already.
  }
}

/** An HTTP call whose answer is JSON; rejects with status and text of one that is not 200. */
async function call(where: RequestOptions, body?: object): Promise<unknown> {
  const { promise, resolve: done, reject } = Promise.withResolvers<string>();
  const ask = request(where, (answer) => {
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => {
      text += chunk;
    });
    answer.on('end', () =>
      answer.statusCode === 200 ? done(text) : reject(new Error(`${answer.statusCode} ${text}`)),
    );
  });
  ask.on('error', reject);
  ask.end(body === undefined ? '' : JSON.stringify(body));
  return JSON.parse(await promise);
}

/** What a command printed and how it ended. */
export type Ran = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs a command to its end. `heard` gets what it has said on stderr so far. */
export async function longshore(
  args: readonly string[],
  env: Record<string, string> = {},
  heard: (stderr: string) => void = () => {},
): Promise<Ran> {
  const child = spawn(process.execPath, [...COMMAND.slice(0, -1), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LONGSHORE_ADMIN: 'off', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard(stderr);
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, stdout, stderr };
}

/** A port of 127.0.0.1 that nobody uses at the moment. */
export async function freePort(kind: 'tcp' | 'udp' = 'tcp'): Promise<number> {
  const { promise, resolve: done, reject } = Promise.withResolvers<number>();
  if (kind === 'udp') {
    const socket = createSocket('udp4').on('error', reject);
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => done(port));
    });
  } else {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  }
  return promise;
}
