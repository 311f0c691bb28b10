import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { ENV, EXIT } from '../contract.ts';
import { controlPath, runtimeDir } from '../control-path.ts';
import { LongshoreError } from '../errors.ts';
import type { DescriptorList } from '../master/operations.ts';
import type { ProcessStatus, Status } from '../master/status.ts';
import { annotated, type Call, descriptorOf, isNoise, parseCall } from '../trace/annotate.ts';
import { Descriptors } from '../trace/descriptors.ts';
import { diagnose, isHousekeeping } from '../trace/diagnose.ts';
import { call, callProgram } from './admin-client.ts';
import type { Arguments } from './main.ts';

/** Calls kept for the closing sentence; a busy server makes millions. */
const CALLS_MAX = 50_000;

/** `longshore trace`: strace on the right process, with every descriptor explained. */
export async function trace({ file, rest, options }: Arguments): Promise<number> {
  const seconds = Number(options['seconds'] ?? 5);
  const status = await callProgram<Status>(file, 'GET', '/status');
  const target = chosen(status, rest[0]);
  const strace = findStrace(target.pid);
  const list = await call<DescriptorList>(
    controlPath(file),
    'GET',
    `/descriptors?pid=${target.pid}`,
  );
  const descriptors = new Descriptors(target.pid);
  descriptors.refresh(list.descriptors);
  const busy = list.descriptors === undefined ? ', busy' : '';
  process.stdout.write(
    `# ${target.worker_name}#${target.worker_id}, pid ${target.pid}${busy}: ${file}\n`,
  );
  return follow(strace, target.pid, {
    file,
    seconds,
    all: options['all'] === true,
    descriptors,
    answered: busy === '',
  });
}

/** The process that is meant: by pid, by `NAME#SLOT`, by the worker's name, or the one that is most worth a look. */
function chosen({ processes }: Status, wanted: string | undefined): ProcessStatus {
  const interesting = [...processes].sort(
    (a, b) => Number(b.busy) - Number(a.busy) || b.total_request - a.total_request,
  );
  const found = interesting.find(
    ({ pid, worker_name, worker_id }) =>
      wanted === undefined ||
      wanted === String(pid) ||
      wanted === worker_name ||
      wanted === `${worker_name}#${worker_id}`,
  );
  if (found) return found;
  const known = processes
    .map(({ pid, worker_name, worker_id }) => `${worker_name}#${worker_id} (${pid})`)
    .join(', ');
  throw new LongshoreError('OPTION_INVALID', `no process "${wanted}"; there is: ${known}`);
}

function findStrace(pid: number): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, 'strace'), constants.X_OK);
      return join(folder, 'strace');
    } catch {
      // Not in this one.
    }
  }
  const how =
    process.platform === 'linux'
      ? 'install it: sudo apt-get install strace (Debian, Ubuntu), sudo dnf install strace (Fedora)'
      : `it is a Linux tool; here: sudo dtruss -p ${pid}`;
  throw new LongshoreError('TRACE_UNAVAILABLE', `strace is not here; ${how}`);
}

type Following = {
  readonly file: string;
  readonly seconds: number;
  readonly all: boolean;
  readonly descriptors: Descriptors;
  readonly answered: boolean;
};

async function follow(strace: string, pid: number, how: Following): Promise<number> {
  const began = performance.now();
  const cpuBefore = cpuSeconds(pid);
  const stopped = fieldsOf(pid)[0] === 'T';
  const child = spawn(strace, ['-p', String(pid), '-tt', '-T', '-s', '96'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = () => void child.kill('SIGINT');
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const timer = how.seconds > 0 ? setTimeout(stop, how.seconds * 1000) : undefined;
  const calls: Call[] = [];
  let pending: Call | undefined;
  let refusal: string | undefined;
  for await (const line of createInterface({ input: child.stderr })) {
    const seen = parseCall(line);
    if (!seen) refusal ??= /attach: .*|ptrace\(.*|Could not.*/.exec(line)?.[0];
    else if (seen.result === undefined) pending = seen;
    else if (calls.length < CALLS_MAX) calls.push(seen);
    if (seen && (how.all || worthSeeing(seen, how.descriptors))) show(seen, how.descriptors);
  }
  clearTimeout(timer);
  process.off('SIGINT', stop).off('SIGTERM', stop);
  if (refusal !== undefined && calls.length === 0 && !pending)
    throw notAllowed(refusal, pid, how.file);
  const seconds = Math.max(0.001, (performance.now() - began) / 1000);
  const { descriptors, answered } = how;
  descriptors.refresh();
  const sentence = diagnose({
    calls,
    pending,
    seconds,
    cpuSeconds: cpuSeconds(pid) - cpuBefore,
    stopped,
    answered,
    loop: descriptors.loop,
    label: (fd) => descriptors.label(fd),
    connecting: descriptors.connecting(),
    children: childrenOf(pid),
  });
  process.stdout.write(`# ${sentence}\n`);
  return EXIT.ok;
}

/** What is not just the runtime and our own reports; always what the process hangs in. */
function worthSeeing(seen: Call, descriptors: Descriptors): boolean {
  if (seen.result === undefined) return true;
  return !isNoise(seen) && !isHousekeeping(seen, (fd) => descriptors.label(fd));
}

function show(seen: Call, descriptors: Descriptors): void {
  process.stdout.write(`${annotated(seen, (fd) => descriptors.label(fd))}\n`);
  const fd = descriptorOf(seen);
  if (seen.name === 'close' && fd !== undefined) descriptors.forget(fd);
}

/** Why attaching failed, with the command that gives the right. */
function notAllowed(refusal: string, pid: number, file: string): LongshoreError {
  // Root looks for control sockets in a folder of its own, and finds neither this `node` nor this package.
  const self = `${process.execPath} ${process.argv[1]}`;
  const ways = [
    `on this machine: sudo env ${ENV.runtimeDir}=${runtimeDir()} ${self} trace ${file} ${pid}`,
    'in a container: start it with --cap-add SYS_PTRACE',
    'in a pod: kubectl debug POD -it --image=IMAGE_WITH_STRACE --target=CONTAINER --profile=general',
  ];
  return new LongshoreError(
    'TRACE_UNAVAILABLE',
    `strace may not attach to ${pid} (${refusal}). It needs the right to:\n  ${ways.join('\n  ')}`,
  );
}

/** User and system time of a process so far. Fields 14 and 15 of proc(5), in ticks of 10 ms. */
function cpuSeconds(pid: number): number {
  const fields = fieldsOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

/** The fields of `/proc/PID/stat` from the third on, the state; none if the process is gone. */
function fieldsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}

function childrenOf(pid: number): string[] {
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean);
    return pids.map((child) =>
      readFileSync(`/proc/${child}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
    );
  } catch {
    return [];
  }
}
