import { type Call, descriptorOf, isNoise } from './annotate.ts';

/** What was seen of a process. */
export type Observation = {
  readonly calls: readonly Call[];
  /** The call that the process was in when the look began and still was when it ended. */
  readonly pending: Call | undefined;
  readonly seconds: number;
  /** CPU time used meanwhile. */
  readonly cpuSeconds: number;
  /** Whether a signal had stopped it. */
  readonly stopped: boolean;
  /** Whether the process had answered the master just before. */
  readonly answered: boolean;
  /** The event loop's epoll descriptor, if it was found. */
  readonly loop: number | undefined;
  readonly label: (fd: number) => string | undefined;
  /** Addresses that connections are being opened to. */
  readonly connecting: readonly string[];
  /** Command lines of child processes. */
  readonly children: readonly string[];
};

/** One sentence: what the process is doing. */
export function diagnose(seen: Observation): string {
  const { pending, calls, seconds, cpuSeconds, answered } = seen;
  if (seen.stopped)
    return 'Stopped by a signal (SIGSTOP, or Ctrl+Z in its terminal): it does nothing until it gets SIGCONT ("kill -CONT" and its pid).';
  const real = calls.filter((call) => !isNoise(call));
  if (pending && calls.length === 0) return blocked(pending, seen);
  // On a machine with more to do than processors, a loop does not get half of one; but it does not answer either.
  if (real.length === 0 && (cpuSeconds > seconds * 0.5 || !answered)) {
    const share = Math.round((cpuSeconds / seconds) * 100);
    return `Busy without system calls (${share} % of a CPU): JavaScript is running in a loop; "node --cpu-prof" or an inspector shows where.`;
  }
  return working(real, seen);
}

const WAITS = /^epoll_/;

/** Inside one and the same call all the time. */
function blocked(call: Call, seen: Observation): string {
  const long = `for ${seen.seconds.toFixed(1)} s and longer`;
  if (WAITS.test(call.name)) return inWait(call, seen, long);
  if (call.name === 'futex' || call.name === 'restart_syscall') {
    const what = call.name === 'futex' ? 'futex' : 'an interrupted wait';
    return `Blocked in ${what}: it waits for another thread (Atomics.wait, a synchronous native call), ${long}.`;
  }
  if (call.name === 'connect')
    return `Blocked in connect to ${addressIn(call.args) ?? 'an address'}, ${long}.`;
  return `Blocked in ${call.name}${subject(call, seen)}, ${long}.`;
}

/** The event loop's own wait is idleness; a wait on another epoll is a loop within the loop. */
function inWait(call: Call, seen: Observation, long: string): string {
  const { loop, answered, children } = seen;
  if (answered || descriptorOf(call) === loop) return `Idle in epoll: ${waiting(seen)}.`;
  const child = children.length > 0 ? ` for "${children.at(-1)}"` : '';
  return `Blocked in a synchronous child process (execSync, spawnSync)${child}: it waits in an event loop of its own, ${long}.`;
}

function subject(call: Call, { label }: Observation): string {
  const fd = descriptorOf(call);
  if (fd !== undefined) return ` on ${fd}<${label(fd) ?? 'unknown'}>`;
  const path = /"([^"]*)"/.exec(call.args)?.[1];
  return path === undefined ? '' : ` on ${path}`;
}

function addressIn(args: string): string | undefined {
  const port = /sin6?_port=htons\((\d+)\)/.exec(args)?.[1];
  const host = /inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/.exec(args);
  const name = host?.[1] ?? host?.[2];
  return name === undefined ? /sun_path="([^"]+)"/.exec(args)?.[1] : `${name}:${port}`;
}

function waiting({ connecting }: Observation): string {
  if (connecting.length > 0) return `waiting for connect to ${connecting.join(', ')}`;
  return 'nothing to do until a peer sends something or a timer is due';
}

/** Calls by kind, the most frequent first. */
function working(real: readonly Call[], seen: Observation): string {
  const { seconds, cpuSeconds } = seen;
  const waits = seen.calls.filter(({ name }) => WAITS.test(name));
  const waited = waits.reduce((sum, call) => sum + call.seconds, 0);
  const others = real.filter((call) => !WAITS.test(call.name) && !isHousekeeping(call, seen.label));
  const idle = `Idle in epoll ${percent(waited / seconds)} of the time`;
  if (others.length === 0) return `${idle}: ${waiting(seen)}.`;
  const names = new Map<string, number>();
  for (const { name } of others) names.set(name, (names.get(name) ?? 0) + 1);
  const most = [...names].sort((a, b) => b[1] - a[1]).slice(0, 3);
  const list = most.map(([name, count]) => `${count} ${name}`).join(', ');
  return `Working: ${list} in ${seconds.toFixed(1)} s, ${percent(cpuSeconds / seconds)} of a CPU; ${idle.toLowerCase()}.`;
}

/** Reports to the master, and reading one's own memory use for them. */
export function isHousekeeping(call: Call, label: Observation['label']): boolean {
  if (/"\/proc\/self\//.test(call.args) || /^\d+, "\d+ \(longshore: /.test(call.args)) return true;
  const fd = descriptorOf(call);
  const what = fd === undefined ? undefined : label(fd);
  return (
    what === 'channel to the master' ||
    what === 'wake-up of a loop' ||
    (call.name === 'close' && what === undefined)
  );
}

const percent = (share: number): string => `${Math.min(100, Math.round(share * 100))} %`;
