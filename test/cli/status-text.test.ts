import { describe, expect, it } from '@jest/globals';
import { statusText } from '../../src/cli/status-text.ts';
import { zeroCounts } from '../../src/counters.ts';
import type { ProcessStatus, Status, WorkerStatus } from '../../src/master/status.ts';

const NOW = Date.UTC(2026, 0, 31, 12);

const process = (more: Partial<ProcessStatus> = {}): ProcessStatus => ({
  ...zeroCounts(),
  pid: 4711,
  worker_name: 'chat',
  worker_id: 0,
  state: 'ready',
  listening: 'websocket://0.0.0.0:7272',
  timestamp: 1_700_000_000_999,
  memory: 52_428_800,
  connections: 0,
  clients: 0,
  timers: 0,
  send_buffer: 0,
  thunder_herd: 0,
  suc_total: '100%',
  busy: false,
  ...more,
});

const worker = (more: Partial<WorkerStatus> = {}): WorkerStatus => ({
  name: 'chat',
  count: 1,
  listening: 'websocket://0.0.0.0:7272',
  exits: {},
  ...more,
});

const status = (more: Partial<Status> = {}): Status => ({
  version: '1.2.3',
  node: 'v24.0.0',
  pid: 4700,
  file: '/app/server.ts',
  startedAt: NOW - 90_000_000,
  now: NOW,
  loadAverage: [0.1, 2, 3.456],
  phase: 'running',
  reload: undefined,
  drainUntil: undefined,
  config: '0',
  peers: undefined,
  gateways: [],
  code: undefined,
  sysctls: {},
  admin: undefined,
  workers: [worker()],
  processes: [process()],
  ...more,
});

const linesOf = (text: string) => text.split('\n');
/** The words of the lines of a section, from its headline to the next. */
function section(text: string, title: string): string[][] {
  const lines = linesOf(text);
  const from = lines.findIndex((line) => line.includes(`- ${title} -`)) + 1;
  const length = lines.slice(from).findIndex((line) => line.startsWith('---') || line === '');
  return lines.slice(from, from + length).map((line) => line.trim().split(/\s+/));
}

describe('the global block', () => {
  it('says what runs, since when and how', () => {
    const [, first, second, third] = linesOf(statusText(status({ admin: '127.0.0.1:9464' })));
    expect(first).toBe('Longshore 1.2.3   Node v24.0.0   master pid 4700   /app/server.ts');
    expect(second).toMatch(
      /^start time 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d {3}run 1 days 1 hours {3}load average 0.10, 2.00, 3.46$/,
    );
    expect(third).toBe('1 workers   1 processes   running   admin 127.0.0.1:9464');
  });

  const reload = {
    id: 1,
    kind: 'reload',
    how: 'now',
    startedAt: 0,
    replaced: 2,
    total: 5,
  } as const;
  it.each([
    [{ ...reload, state: 'running' }, 'reload running: 2 of 5 processes replaced'],
    [{ ...reload, state: 'done' }, 'last reload done: 2 processes replaced'],
    [{ ...reload, state: 'failed', reason: 'no' }, 'last reload FAILED: no'],
  ] as const)('says of the reload %j: %s', (state, line) => {
    expect(linesOf(statusText(status({ reload: state })))).toContain(line);
  });

  it('has one row for each exit status of a Worker, and 0 0 where there is none', () => {
    const exits = { '0': 1, '9': 2, '64000': 3 };
    const workers = [worker({ name: 'chat', count: 4, exits }), worker({ name: 'push' })];
    const rows = linesOf(statusText(status({ workers })))
      .slice(6, 10)
      .map((line) => line.trim().split(/\s+/));
    expect(rows).toEqual([
      ['chat', '4', 'websocket://0.0.0.0:7272', '0', '1'],
      ['9', '2'],
      ['64000', '3'],
      ['push', '1', 'websocket://0.0.0.0:7272', '0', '0'],
    ]);
  });
});

describe('the process tables', () => {
  const busy = process({
    total_request: 10,
    packet_err: 1,
    client_close: 2,
    send_fail: 1,
    throw_exception: 3,
    suc_total: '80%',
  });
  const second = process({ pid: 4712, worker_id: 1, total_request: 90, suc_total: '100%' });

  it('have the twelve columns of Workerman, in its order', () => {
    const [first = [], heads = []] = section(statusText(status()), 'PROCESS STATUS');
    expect(first).toEqual(['total_', 'packet', 'thunder', 'client', 'send', 'throw_', 'suc/']);
    expect(heads).toEqual(
      'pid memory listening timestamp worker_name request _err _herd _close _fail exception total'.split(
        ' ',
      ),
    );
  });

  it('show what each process counted, and the sum', () => {
    const text = statusText(status({ processes: [busy, second] }));
    expect(section(text, 'PROCESS STATUS').slice(2)).toEqual([
      '4711 50.00M websocket://0.0.0.0:7272 1700000000 chat 10 1 0 2 1 3 80%'.split(' '),
      '4712 50.00M websocket://0.0.0.0:7272 1700000000 chat 90 0 0 0 0 0 100%'.split(' '),
      'Sum 100.00M - - - 100 1 0 2 1 3 98%'.split(' '),
    ]);
  });

  it('show a dash for what cannot be observed, in the sum too', () => {
    const shared = process({ thunder_herd: null });
    const rows = section(statusText(status({ processes: [second, shared] })), 'PROCESS STATUS');
    expect(rows.slice(2).map((row) => row[7])).toEqual(['0', '-', '-']);
  });

  it('show how things stand, and the sum', () => {
    const now = { connections: 5, accepted: 7, timers: 2, send_buffer: 1536 };
    const text = statusText(status({ processes: [process(now), process({ ...now, pid: 4712 })] }));
    expect(section(text, 'NOW').slice(1)).toEqual([
      '4711 chat 0 5 7 2 1.5KB 0 [idle]'.split(' '),
      '4712 chat 0 5 7 2 1.5KB 0 [idle]'.split(' '),
      'Sum - - 10 14 4 3.0KB 0 [Summary]'.split(' '),
    ]);
  });

  it.each([
    [{ state: 'ready', busy: false }, '[idle]'],
    [{ state: 'ready', busy: true }, '[busy]'],
    [{ state: 'starting', busy: false }, '[starting]'],
    [{ state: 'leaving', busy: false }, '[leaving]'],
    [{ state: 'leaving', busy: true }, '[leaving][busy]'],
  ] as const)('show a process that is %j as %s', (state, shown) => {
    const rows = section(statusText(status({ processes: [process(state)] })), 'NOW');
    expect(rows[1]?.at(-1)).toBe(shown);
  });

  it('compute qps from the status before, process by process', () => {
    const before = status({ now: NOW - 2000, processes: [process({ total_request: 4 })] });
    const now = status({ processes: [busy, second] });
    const qps = (text: string) => section(text, 'NOW').map((row) => row.at(-2));
    expect(qps(statusText(now, before))).toEqual(['qps', '3', '0', '3']);
    expect(qps(statusText(now))).toEqual(['qps', '0', '0', '0']);
    expect(qps(statusText(now, now))).toEqual(['qps', '0', '0', '0']);
  });
});

describe('the width', () => {
  const long = 'n'.repeat(200);
  const huge = (total: number) =>
    process({
      pid: 4_194_304,
      worker_name: long,
      worker_id: 1023,
      listening: `unix:///${long}`,
      memory: 64 * 2 ** 30,
      total_request: total,
      packet_err: Math.floor(total / 1000),
      client_close: Math.floor(total / 10),
      send_fail: Math.floor(total / 1000),
      throw_exception: Math.floor(total / 1000),
      accepted: total,
      connections: 1_000_000,
      timers: 1_000_000,
      send_buffer: 2 ** 50,
      suc_total: '99.9981%',
      busy: true,
      state: 'leaving',
    });

  it.each([1e6, 1e9, 1e11])(
    'is 120 columns at most, with %d requests and the longest names',
    (total) => {
      const workers = [
        worker({ name: long, listening: long, count: 1024, exits: { '64000': total } }),
      ];
      const text = statusText(status({ workers, processes: [huge(total), huge(total)] }));
      expect(Math.max(...linesOf(text).map((line) => line.length))).toBeLessThanOrEqual(120);
      expect(text).toContain('nn..');
    },
  );

  it('shows a share of requests whole, rounded where its decimals do not fit', () => {
    const processes = ['-30.7692%', '99.9981%', '-1400%'].map((suc_total) =>
      process({ suc_total }),
    );
    const ends = linesOf(statusText(status({ processes }))).map((line) =>
      line.trim().split(' ').at(-1),
    );
    expect(ends).toEqual(expect.arrayContaining(['-31%', '99.9981%', '-1400%']));
  });

  it('is 120 columns at most with a long program name and a long reason', () => {
    const reload = {
      id: 1,
      kind: 'reload',
      how: 'now',
      startedAt: 0,
      state: 'failed',
      replaced: 0,
      total: 1,
      reason: long,
    } as const;
    const text = statusText(status({ file: `/${long}/server.ts`, reload }));
    expect(Math.max(...linesOf(text).map((line) => line.length))).toBeLessThanOrEqual(120);
  });
});
