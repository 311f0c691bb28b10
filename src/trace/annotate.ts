/** Lines of `strace -tt -T` made readable. Pure, given what each descriptor is. */

/** A line, taken apart. */
export type Call = {
  readonly time: string;
  readonly name: string;
  readonly args: string;
  /** What follows the `=`; `undefined` for a call that is not over. */
  readonly result: string | undefined;
  readonly seconds: number;
};

const LINE = /^(\d\d:\d\d:\d\d\.\d+) (\w+)\((.*)$/;
const END = /^(.*)\) += (.+?)(?: <([\d.]+)>)?$/;

/** @returns `undefined` for lines that are no calls: signals, exits, what strace says itself */
export function parseCall(line: string): Call | undefined {
  const match = LINE.exec(line);
  if (!match) return undefined;
  const [, time = '', name = '', rest = ''] = match;
  const end = END.exec(rest);
  // What strace says when it leaves stands behind a call that is not over.
  const args = rest.replace(
    /\s*((?:\/\S*)?strace: Process \d+ detached|<unfinished \.\.\.>|<detached \.\.\.>)+$/,
    '',
  );
  if (!end)
    return {
      time,
      name,
      args,
      result: undefined,
      seconds: 0,
    };
  return {
    time,
    name,
    args: end[1] as string,
    result: end[2] as string,
    seconds: Number(end[3] ?? 0),
  };
}

/** Calls whose first argument is a descriptor. */
const ON_DESCRIPTOR = new Set(
  `read write readv writev pread64 pwrite64 preadv pwritev recvfrom recvmsg recvmmsg sendto sendmsg sendmmsg accept accept4
  close shutdown connect bind listen getsockopt setsockopt getpeername getsockname fstat newfstatat ioctl fcntl lseek fsync
  fdatasync flock ftruncate epoll_ctl epoll_wait epoll_pwait epoll_pwait2 io_uring_enter getdents64 statx splice sendfile`.split(
    /\s+/,
  ),
);
const WAITS = new Set(['epoll_wait', 'epoll_pwait', 'epoll_pwait2']);

/** The descriptor that a call is about. */
export function descriptorOf({ name, args }: Call): number | undefined {
  const first = ON_DESCRIPTOR.has(name) ? /^(\d+)/.exec(args)?.[1] : undefined;
  return first === undefined ? undefined : Number(first);
}

/** Whether a call only keeps the runtime going and says nothing about the program. */
export function isNoise(call: Call): boolean {
  const { name, args, result } = call;
  if (name === 'futex') return /FUTEX_WAKE/.test(args);
  // A wait that ended without an event: our own clock, ten times a second.
  if (WAITS.has(name)) return result === '0';
  return [
    'getpid',
    'madvise',
    'munmap',
    'mprotect',
    'mmap',
    'sched_yield',
    'rt_sigreturn',
    'brk',
  ].includes(name);
}

/** Milliseconds that a wait may take; -1 without end. */
export function timeoutOf(args: string): number | undefined {
  const match = /, \d+, (-?\d+)(?:, |$)/.exec(args);
  return match ? Number(match[1]) : undefined;
}

/**
 * The line with every descriptor explained: `read(24` becomes `read(24<connection 7 (text) 127.0.0.1:5555>`.
 *
 * @param label what a descriptor is, if that is known
 */
export function annotated(call: Call, label: (fd: number) => string | undefined): string {
  const { time, name, result, seconds } = call;
  const named = (digits: string) => {
    const what = label(Number(digits));
    return what === undefined ? digits : `${digits}<${what}>`;
  };
  let args = call.args;
  if (ON_DESCRIPTOR.has(name)) args = args.replace(/^(\d+)/, named);
  if (name === 'epoll_ctl')
    args = args.replace(/^([^,]*, EPOLL_CTL_\w+, )(\d+)/, (_, head, fd) => head + named(fd));
  if (WAITS.has(name))
    args = args.replace(/data=(?:\{u32=(\d+)[^}]*\}|(\d+))/g, (_, a, b) => `fd=${named(a ?? b)}`);
  const end =
    result === undefined ? ' ...' : `) = ${resultText(call, named)} <${seconds.toFixed(6)}>`;
  return `${time} ${name}(${args}${end}${note(call)}`;
}

function resultText({ name, result = '' }: Call, named: (digits: string) => string): string {
  const opens = name === 'accept4' || name === 'accept' || name === 'openat' || name === 'socket';
  return opens ? result.replace(/^(\d+)$/, named) : result;
}

/** What a wait waits for besides its descriptors. */
function note({ name, args, result }: Call): string {
  if (!WAITS.has(name)) return '';
  const timeout = timeoutOf(args);
  if (timeout === undefined || timeout === 0) return '';
  if (timeout < 0) return '   # no timer pending';
  return result === '0' ? '   # a timer is due' : `   # next timer in ${timeout} ms`;
}
