import { successShare } from '../counters.ts';
import { localTime } from '../log.ts';
import { processes as processesText } from '../master/plan-words.ts';
import type { ProcessStatus, Status } from '../master/status.ts';
import { bytes, type Column, count, cut, headline, table, WIDTH } from './columns.ts';

/** A process with what only two looks in a row can tell. */
type Row = ProcessStatus & { readonly qps: number };

/**
 * The status of a program as text of 120 columns at most: a global block, then two tables of its processes, the first
 * with the columns of Workerman's.
 *
 * @param before the status one refresh earlier, from which qps is computed; without it qps is 0
 */
export function statusText(status: Status, before?: Status): string {
  const rows = status.processes.map((process) => ({
    ...process,
    qps: qpsOf(process, status, before),
  }));
  const sum = summary(rows);
  return [
    headline('GLOBAL STATUS'),
    ...globalLines(status).map((line) => cut(line, WIDTH)),
    '',
    ...table(workerRows(status), WORKER_COLUMNS),
    headline('PROCESS STATUS'),
    ...table(rows, COUNT_COLUMNS, [sum]),
    headline('NOW'),
    ...table(rows, NOW_COLUMNS, [sum]),
    '',
  ].join('\n');
}

function globalLines(status: Status): string[] {
  const {
    version,
    node,
    pid,
    file,
    startedAt,
    now,
    loadAverage,
    workers,
    processes,
    phase,
    admin,
  } = status;
  const hours = Math.floor((now - startedAt) / 3_600_000);
  const load = loadAverage.map((each) => each.toFixed(2)).join(', ');
  const lines = [
    `Longshore ${version}   Node ${node}   master pid ${pid}   ${file}`,
    `start time ${localTime(new Date(startedAt))}   run ${Math.floor(hours / 24)} days ${hours % 24} hours   load average ${load}`,
    `${workers.length} workers   ${processes.length} processes   ${phase}${admin === undefined ? '' : `   admin ${admin}`}`,
  ];
  const { reload } = status;
  if (reload?.state === 'running')
    lines.push(`reload running: ${reload.replaced} of ${reload.total} processes replaced`);
  if (reload?.state === 'done')
    lines.push(`last reload done: ${processesText(reload.replaced)} replaced`);
  if (reload?.state === 'failed') lines.push(`last reload FAILED: ${reload.reason ?? 'unknown'}`);
  return lines;
}

type WorkerRow = { name: string; count: string; listening: string; status: string; times: string };

/** One row for each Worker and exit status, `0 0` for a Worker without any exit. */
function workerRows({ workers }: Status): WorkerRow[] {
  return workers.flatMap(({ name, count, listening, exits }) => {
    const all = Object.entries(exits);
    return (all.length === 0 ? [['0', 0] as const] : all).map(([status, times], i) => ({
      name: i === 0 ? name : '',
      count: i === 0 ? String(count) : '',
      listening: i === 0 ? listening : '',
      status,
      times: String(times),
    }));
  });
}

const WORKER_COLUMNS: readonly Column<WorkerRow>[] = [
  { head: 'worker_name', cell: ({ name }) => name, max: 30 },
  { head: 'processes', cell: ({ count }) => count, right: true },
  { head: 'listening', cell: ({ listening }) => listening, max: 60, give: 20 },
  { head: 'exit_status', cell: ({ status }) => status, right: true },
  { head: 'exit_count', cell: ({ times }) => times, right: true },
];

const number =
  (read: (row: Row) => number | null): ((row: Row) => string) =>
  (row) => {
    const value = read(row);
    return value === null ? '-' : count(value);
  };

// Two lines of head, so that all twelve fit into 120 columns.
const COUNT_COLUMNS: readonly Column<Row>[] = [
  { head: 'pid', cell: ({ pid }) => (pid === 0 ? 'Sum' : String(pid)), right: true },
  { head: 'memory', cell: ({ memory }) => `${(memory / 1_048_576).toFixed(2)}M`, right: true },
  { head: 'listening', cell: ({ listening }) => listening, max: 26, give: 9 },
  {
    head: 'timestamp',
    cell: ({ timestamp }) => (timestamp === 0 ? '-' : String(Math.floor(timestamp / 1000))),
    right: true,
  },
  { head: 'worker_name', cell: ({ worker_name }) => worker_name, max: 12, give: 6 },
  { head: 'total_\nrequest', cell: number((row) => row.total_request), right: true },
  { head: 'packet\n_err', cell: number((row) => row.packet_err), right: true },
  { head: 'thunder\n_herd', cell: number((row) => row.thunder_herd), right: true },
  { head: 'client\n_close', cell: number((row) => row.client_close), right: true },
  { head: 'send\n_fail', cell: number((row) => row.send_fail), right: true },
  { head: 'throw_\nexception', cell: number((row) => row.throw_exception), right: true },
  { head: 'suc/\ntotal', cell: ({ suc_total }) => share(suc_total), right: true, max: 9 },
];

const NOW_COLUMNS: readonly Column<Row>[] = [
  { head: 'pid', cell: ({ pid }) => (pid === 0 ? 'Sum' : String(pid)), right: true },
  { head: 'worker_name', cell: ({ worker_name }) => worker_name, max: 30, give: 8 },
  { head: 'slot', cell: ({ worker_id }) => (worker_id < 0 ? '-' : String(worker_id)), right: true },
  { head: 'connections', cell: number((row) => row.connections), right: true },
  { head: 'accepted', cell: number((row) => row.accepted), right: true },
  { head: 'timers', cell: number((row) => row.timers), right: true },
  { head: 'send_buffer', cell: ({ send_buffer }) => bytes(send_buffer), right: true },
  { head: 'qps', cell: number((row) => row.qps), right: true },
  { head: 'status', cell: (row) => (row.pid === 0 ? '[Summary]' : stateOf(row)) },
];

/** With more decimals than fit, a share is rounded: `-3.4567%` has eight characters, `-30.7692%` is `-31%`. */
const share = (text: string): string =>
  text.length > 8 ? `${Math.round(Number.parseFloat(text))}%` : text;

function stateOf({ busy, state }: Row): string {
  if (state === 'starting') return '[starting]';
  const leaving = state === 'leaving' ? '[leaving]' : '';
  return leaving + (busy ? '[busy]' : leaving ? '' : '[idle]');
}

function qpsOf(process: ProcessStatus, status: Status, before: Status | undefined): number {
  const earlier = before?.processes.find(({ pid }) => pid === process.pid);
  if (!earlier || !before || status.now <= before.now) return 0;
  return Math.round(
    ((process.total_request - earlier.total_request) * 1000) / (status.now - before.now),
  );
}

function summary(rows: readonly Row[]): Row {
  const sum = (read: (row: Row) => number | null) =>
    rows.reduce((total, row) => total + (read(row) ?? 0), 0);
  const counts = {
    total_request: sum((row) => row.total_request),
    packet_err: sum((row) => row.packet_err),
    client_close: sum((row) => row.client_close),
    send_fail: sum((row) => row.send_fail),
    throw_exception: sum((row) => row.throw_exception),
    accepted: sum((row) => row.accepted),
    rejected: sum((row) => row.rejected),
    messages_sent: sum((row) => row.messages_sent),
    bytes_received: sum((row) => row.bytes_received),
    bytes_sent: sum((row) => row.bytes_sent),
    buffer_full: sum((row) => row.buffer_full),
  };
  return {
    ...counts,
    pid: 0,
    worker_name: '-',
    worker_id: -1,
    state: 'ready',
    listening: '-',
    timestamp: 0,
    memory: sum((row) => row.memory),
    connections: sum((row) => row.connections),
    clients: sum((row) => row.clients),
    timers: sum((row) => row.timers),
    send_buffer: sum((row) => row.send_buffer),
    thunder_herd: rows.some(({ thunder_herd }) => thunder_herd === null) ? null : 0,
    suc_total: successShare(counts),
    busy: false,
    qps: sum((row) => row.qps),
  };
}
