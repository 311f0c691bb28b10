import { describe, expect, it } from '@jest/globals';
import {
  annotated,
  descriptorOf,
  isNoise,
  parseCall,
  timeoutOf,
} from '../../src/trace/annotate.ts';
import { diagnose, type Observation } from '../../src/trace/diagnose.ts';
import { addressOf, netTable } from '../../src/trace/net-table.ts';

const LABELS: Record<number, string> = {
  3: 'channel to the master',
  16: 'epoll of the event loop',
  22: 'listener text://127.0.0.1:7373',
  23: 'connection 7 (text) 127.0.0.1:5555',
};
const label = (fd: number) => LABELS[fd];
const parsed = (line: string) => {
  const call = parseCall(`15:08:21.106400 ${line}`);
  if (!call) throw new Error(`not parsed: ${line}`);
  return call;
};

describe('a line of strace', () => {
  it('is taken apart, whole or unfinished', () => {
    expect(parsed('read(23, "a) = 1", 65536) = 6 <0.000015>')).toMatchObject({
      name: 'read',
      args: '23, "a) = 1", 65536',
      result: '6',
      seconds: 0.000015,
    });
    expect(
      parsed('read(23, 0x1, 9) = -1 ECONNRESET (Connection reset by peer) <0.1>'),
    ).toMatchObject({ result: '-1 ECONNRESET (Connection reset by peer)' });
    for (const rest of [
      '',
      '/usr/bin/strace: Process 9286 detached',
      'strace: Process 1 detached',
      ' <unfinished ...>',
      ' <detached ...>',
    ]) {
      expect(parsed(`epoll_pwait(16,${rest}`)).toMatchObject({
        name: 'epoll_pwait',
        args: '16,',
        result: undefined,
      });
    }
    for (const line of [
      '--- SIGINT {si_signo=SIGINT} ---',
      '+++ exited with 0 +++',
      'strace: Process 9 attached',
      '',
    ]) {
      expect(parseCall(`15:08:21.106400 ${line}`)).toBe(undefined);
    }
  });

  it.each([
    [
      'read(23, "hi\\n", 65536) = 3 <0.000015>',
      'read(23<connection 7 (text) 127.0.0.1:5555>, "hi\\n", 65536) = 3 <0.000015>',
    ],
    [
      'epoll_ctl(16, EPOLL_CTL_DEL, 23, 0x7ffc) = 0 <0.000074>',
      'epoll_ctl(16<epoll of the event loop>, EPOLL_CTL_DEL, 23<connection 7 (text) 127.0.0.1:5555>, 0x7ffc) = 0 <0.000074>',
    ],
    [
      'accept4(22, NULL, NULL, SOCK_CLOEXEC|SOCK_NONBLOCK) = 23 <0.00001>',
      'accept4(22<listener text://127.0.0.1:7373>, NULL, NULL, SOCK_CLOEXEC|SOCK_NONBLOCK) = 23<connection 7 (text) 127.0.0.1:5555> <0.000010>',
    ],
    [
      'epoll_pwait(16, [{events=EPOLLIN, data={u32=23, u64=23}}], 1024, 87, NULL, 8) = 1 <0.01>',
      'epoll_pwait(16<epoll of the event loop>, [{events=EPOLLIN, fd=23<connection 7 (text) 127.0.0.1:5555>}], 1024, 87, NULL, 8) = 1 <0.010000>   # next timer in 87 ms',
    ],
    [
      'epoll_pwait(16, [], 1024, -1, NULL, 8) = 0 <1>',
      'epoll_pwait(16<epoll of the event loop>, [], 1024, -1, NULL, 8) = 0 <1.000000>   # no timer pending',
    ],
    ['close(99) = 0 <0.000001>', 'close(99) = 0 <0.000001>'],
    ['futex(0x23, FUTEX_WAIT, 1) = 0 <2.5>', 'futex(0x23, FUTEX_WAIT, 1) = 0 <2.500000>'],
    [
      'openat(AT_FDCWD, "/x/23", O_RDONLY|O_CLOEXEC',
      'openat(AT_FDCWD, "/x/23", O_RDONLY|O_CLOEXEC ...',
    ],
  ])('has its descriptors explained: %s', (line, expected) => {
    expect(annotated(parsed(line), label)).toBe(`15:08:21.106400 ${expected}`);
  });

  it('is told from what only keeps the runtime going', () => {
    const noise = [
      'futex(0x1, FUTEX_WAKE_PRIVATE, 1) = 1 <0.1>',
      'getpid() = 9 <0.1>',
      'epoll_pwait(16, [], 1024, 100, NULL, 8) = 0 <0.1>',
    ];
    const signal = [
      'futex(0x1, FUTEX_WAIT_PRIVATE, 1) = 0 <0.1>',
      'epoll_pwait(16, [{}], 1024, 5, NULL, 8) = 1 <0.1>',
      'write(23, "x", 1) = 1 <0.1>',
    ];
    expect(noise.map((line) => isNoise(parsed(line)))).toEqual([true, true, true]);
    expect(signal.map((line) => isNoise(parsed(line)))).toEqual([false, false, false]);
    expect([
      timeoutOf('16, [], 1024, 42, NULL, 8'),
      timeoutOf('16, [], 1024, -1'),
      descriptorOf(parsed('futex(0x1')),
    ]).toEqual([42, -1, undefined]);
  });
});

const seen = (more: Partial<Observation>): Observation => ({
  calls: [],
  pending: undefined,
  seconds: 5,
  cpuSeconds: 0,
  answered: true,
  loop: 16,
  label,
  connecting: [],
  children: [],
  stopped: false,
  ...more,
});

describe('what a process is doing', () => {
  it.each<[string, Partial<Observation>, string]>([
    [
      'waits in its loop',
      { pending: parsed('epoll_pwait(16,') },
      'Idle in epoll: nothing to do until a peer sends something or a timer is due.',
    ],
    [
      'waits for a connection to open',
      { pending: parsed('epoll_pwait(16,'), connecting: ['10.0.0.9:3306'] },
      'Idle in epoll: waiting for connect to 10.0.0.9:3306.',
    ],
    [
      'runs a child synchronously',
      { pending: parsed('epoll_pwait(24,'), answered: false, children: ['sleep 6'] },
      'Blocked in a synchronous child process (execSync, spawnSync) for "sleep 6": it waits in an event loop of its own, for 5.0 s and longer.',
    ],
    [
      'waits for a thread',
      { pending: parsed('futex(0x1, FUTEX_WAIT,'), answered: false },
      'Blocked in futex: it waits for another thread (Atomics.wait, a synchronous native call), for 5.0 s and longer.',
    ],
    [
      'connects in a blocking way',
      {
        pending: parsed(
          'connect(30, {sa_family=AF_INET, sin_port=htons(3306), sin_addr=inet_addr("10.0.0.9")}, 16',
        ),
      },
      'Blocked in connect to 10.0.0.9:3306, for 5.0 s and longer.',
    ],
    [
      'reads in a blocking way',
      { pending: parsed('read(23,'), answered: false },
      'Blocked in read on 23<connection 7 (text) 127.0.0.1:5555>, for 5.0 s and longer.',
    ],
    [
      'was stopped',
      { stopped: true, answered: false },
      'Stopped by a signal (SIGSTOP, or Ctrl+Z in its terminal): it does nothing until it gets SIGCONT ("kill -CONT" and its pid).',
    ],
    [
      'loops',
      { calls: [parsed('getpid() = 1 <0.1>')], cpuSeconds: 4.9, answered: false },
      'Busy without system calls (98 % of a CPU): JavaScript is running in a loop; "node --cpu-prof" or an inspector shows where.',
    ],
    [
      'loops on a crowded machine',
      { calls: [parsed('getpid() = 1 <0.1>')], cpuSeconds: 0.6, answered: false },
      'Busy without system calls (12 % of a CPU): JavaScript is running in a loop; "node --cpu-prof" or an inspector shows where.',
    ],
    [
      'works',
      {
        calls: [
          parsed('read(23, "x", 1) = 1 <0.1>'),
          parsed('write(23, "x", 1) = 1 <0.1>'),
          parsed('read(23, "x", 1) = 1 <0.1>'),
          parsed('epoll_pwait(16, [], 1024, 9, NULL, 8) = 0 <4>'),
        ],
        cpuSeconds: 0.5,
      },
      'Working: 2 read, 1 write in 5.0 s, 10 % of a CPU; idle in epoll 80 % of the time.',
    ],
    [
      'only reports to the master',
      {
        calls: [
          parsed('write(3, "{}", 2) = 2 <0.1>'),
          parsed('read(24, "10297 (longshore: tr#0) R", 1023) = 9 <0.1>'),
          parsed('epoll_pwait(16, [], 1024, 9, NULL, 8) = 0 <5>'),
        ],
      },
      'Idle in epoll 100 % of the time: nothing to do until a peer sends something or a timer is due.',
    ],
  ])('%s', (_, observation, sentence) => {
    expect(diagnose(seen(observation))).toBe(sentence);
  });
});

describe('the tables of /proc/net', () => {
  it.each([
    ['0100007F:1CCD', '127.0.0.1:7373'],
    ['00000000:0050', '0.0.0.0:80'],
    ['00000000000000000000000001000000:0050', '[::1]:80'],
    ['0000000000000000FFFF00000100007F:D903', '127.0.0.1:55555'],
    ['B80D0120000000000000000001000000:0016', '[2001:db8::1]:22'],
  ])('have %s for %s', (hex, address) => {
    expect(addressOf(hex)).toBe(address);
  });

  it('give inode, addresses and state', () => {
    const content = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1CCD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1406566 1 0 100 0 0 10 0
   1: 0100007F:D903 0900000A:0CEA 02 00000001:00000000 01:00000010 00000001     0        0 1406999 2 0 100 0 0 10 0
`;
    expect(netTable(content)).toEqual([
      { inode: '1406566', local: '127.0.0.1:7373', remote: '0.0.0.0:0', state: 'LISTEN' },
      { inode: '1406999', local: '127.0.0.1:55555', remote: '10.0.0.9:3306', state: 'SYN-SENT' },
    ]);
  });
});
