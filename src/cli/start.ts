import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ENV, EXIT } from '../contract.ts';
import { controlPath, runtimeDir } from '../control-path.ts';
import { messageOf } from '../errors.ts';
import type { Status } from '../master/status.ts';
import { call } from './admin-client.ts';
import type { Arguments } from './main.ts';
import { quoted } from './quoted.ts';

/** What `runMaster` sets, also if it belongs to another copy of this package. */
const RUNNING = Symbol.for('longshore.running');

/** Longest wait of `start -d` for all processes to be ready. */
const READY_MS = 60_000;
/** After this time it shows what the log says. */
const SLOW_MS = 5000;
/** As much of the end of a log is looked at. */
const TAIL_BYTES = 65_536;

const FROM_OPTIONS = {
  admin: ENV.admin,
  'drain-window': ENV.drainWindow,
  'drain-propagation': ENV.drainPropagation,
  graceful: ENV.graceful,
} as const;

/** `longshore start`: this process becomes the master, or starts one in the background. */
export async function start(args: Arguments): Promise<number> {
  const file = resolve(args.file);
  if (!existsSync(file)) {
    process.stderr.write(`longshore: ${file} does not exist\n`);
    return EXIT.neverStarts;
  }
  for (const [option, variable] of Object.entries(FROM_OPTIONS)) {
    const given = args.options[option];
    if (typeof given === 'string') process.env[variable] = given;
  }
  if (args.options['dev']) process.env[ENV.dev] = '1';
  return args.options['daemon'] ? startDaemon(file, args) : startHere(file, args.rest);
}

async function startHere(file: string, rest: readonly string[]): Promise<number> {
  // The program, and each process that the master forks, must find itself as if it had been started by `node FILE`.
  process.argv = [process.argv[0] as string, file, ...rest];
  try {
    await import(pathToFileURL(file).href);
  } catch (error) {
    process.stderr.write(`longshore: ${file} cannot be loaded:\n${detailsOf(error)}\n`);
    return EXIT.neverStarts;
  }
  if (!(process as unknown as Record<symbol, boolean>)[RUNNING]) {
    process.stderr.write(`longshore: ${file} has no "await Worker.runAll()" at its end\n`);
    return EXIT.neverStarts;
  }
  return Number(process.exitCode ?? EXIT.ok);
}

function detailsOf(error: unknown): string {
  return (Error.isError(error) ? (error as Error).stack : undefined) ?? messageOf(error);
}

/** Where a daemon's output goes unless told otherwise. */
export function defaultLog(file: string): string {
  return join(runtimeDir(), `${basename(controlPath(file), '.sock')}.log`);
}

async function startDaemon(file: string, { rest, options }: Arguments): Promise<number> {
  const log = resolve(typeof options['log'] === 'string' ? options['log'] : defaultLog(file));
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  const output = openSync(log, 'a', 0o640);
  const self = fileURLToPath(import.meta.url).replace(/start\.([jt]s)$/, 'bin.$1');
  const { size: from } = fstatSync(output);
  const began = Date.now();
  const child = spawn(process.execPath, [...process.execArgv, self, 'start', file, '--', ...rest], {
    detached: true,
    stdio: ['ignore', output, output],
  });
  const ended = new Promise<number>((done) =>
    child.on('exit', (code) => done(code ?? EXIT.failed)),
  );
  const over = new AbortController();
  const slow = setTimeout(() => {
    process.stderr.write(
      `longshore: not ready after ${SLOW_MS / 1000} s, and goes on trying. The end of ${log}:\n${tail(log, from)}`,
    );
  }, SLOW_MS);
  const outcome = await Promise.race([ended, untilReady(file, child.pid, over.signal)]);
  clearTimeout(slow);
  over.abort();
  child.unref();
  if (typeof outcome === 'number') {
    process.stderr.write(
      `longshore: ${file} did not start. The end of ${log}:\n${tail(log, from)}`,
    );
    // Somebody stopped it before it was ready.
    return outcome === EXIT.ok ? EXIT.failed : outcome;
  }
  process.stdout.write(`${outcome} in ${((Date.now() - began) / 1000).toFixed(1)} s, master pid ${child.pid}
log     ${log}
status  longshore status ${quoted(file)}
stop    longshore stop ${quoted(file)}
`);
  return EXIT.ok;
}

/** Asks the master until all its processes are ready; gives what to tell the user. */
async function untilReady(
  file: string,
  pid: number | undefined,
  over: AbortSignal,
): Promise<string> {
  const path = controlPath(file);
  for (const end = Date.now() + READY_MS; Date.now() < end && !over.aborted; ) {
    const status = await call<Status>(path, 'GET', '/status').catch(() => undefined);
    if (status?.pid === pid && status?.phase === 'running')
      return `started ${status?.processes.length} processes`;
    await new Promise((next) => setTimeout(next, 50));
  }
  return 'still starting';
}

/** The last lines that were written to a log after its first `from` bytes: those of this run. */
function tail(path: string, from: number): string {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const stat = fstatSync(file);
    // A device, which may never end.
    if (!stat.isFile()) return '';
    const at = Math.max(from, stat.size - TAIL_BYTES);
    const bytes = Buffer.alloc(Math.max(0, stat.size - at));
    const read = readSync(file, bytes, 0, bytes.length, at);
    const lines = bytes.toString('utf8', 0, read).trimEnd().split('\n');
    return `${lines.slice(-20).join('\n')}\n`;
  } catch (error) {
    // Moved or removed meanwhile; the program runs on.
    return `${messageOf(error)}\n`;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
