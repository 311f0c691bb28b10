import { constants } from 'node:os';
import { LAG_BOUNDS } from '../child/lag.ts';
import { EXIT, VERSION } from '../contract.ts';
import { gatewayMetrics } from './gateway-metrics.ts';
import {
  bucketSamples,
  count,
  perProcess,
  reported,
  single,
  slotLabels,
  sum,
} from './metric-parts.ts';
import type { MetricDefinition } from './metrics.ts';
import { channelMetrics, dataMetrics } from './service-metrics.ts';

/**
 * Every metric of a pod's master. `docs/status-and-metrics.md` lists them; a test holds the two together.
 *
 * `worker_name` and `worker_id` (the slot) are the only labels that most have, so the number of series is known.
 */

/*
 * Prometheus sees a counter grow only from the second scrape on. So what counts ends under a label has the usual labels
 * from the start: else the first kill of a Worker, and the one drain in the life of a pod, would not be seen.
 */
const USUAL_EXITS: readonly (readonly [status: number, count: 0])[] = [
  [0, 0],
  [constants.signals.SIGKILL, 0],
  [EXIT.uncaught * 256, 0],
];

const usualCloses = (listening: string): Readonly<Record<string, 0>> =>
  /^(websocket|wss?):/.test(listening)
    ? { 1000: 0, 1001: 0, 1005: 0, 1006: 0, 1012: 0 }
    : { peer: 0, local: 0, reset: 0 };

const mirror: readonly MetricDefinition[] = [
  {
    name: 'info',
    type: 'gauge',
    help: 'Always 1; the labels say what runs.',
    samples: () => [{ labels: { version: VERSION, node: process.version }, value: 1 }],
  },
  single(
    'gauge',
    'start_time_seconds',
    'When the master started, in Unix time.',
    (s) => s.startedAt / 1000,
  ),
  {
    name: 'worker_processes',
    type: 'gauge',
    help: 'Processes that are ready.',
    samples: ({ plan }) => {
      const ready = new Map(plan.slots.map(({ worker }) => [worker, 0]));
      for (const { worker, state } of plan.procs.all.values()) {
        if (state === 'ready') ready.set(worker, (ready.get(worker) ?? 0) + 1);
      }
      return [...ready].map(([worker, value]) => ({ labels: { worker_name: worker }, value }));
    },
  },
  {
    name: 'worker_exits_total',
    type: 'counter',
    help: 'Ended processes by raw status: exit code x 256 + signal. 0 is a reload or a wanted end.',
    samples: ({ plan }) =>
      [...new Set([...plan.slots.map(({ worker }) => worker), ...plan.procs.exits.keys()])].flatMap(
        (worker) =>
          [...new Map([...USUAL_EXITS, ...(plan.procs.exits.get(worker) ?? [])])].map(
            ([status, value]) => ({
              labels: { worker_name: worker, exit_status: status },
              value,
            }),
          ),
      ),
  },
  reported('process_memory_bytes', 'memory', 'Resident memory of the process.'),
  perProcess(
    'process_start_time_seconds',
    'When the process was started, in Unix time.',
    (s, proc) => s.forkedAt(proc) / 1000,
  ),
  count(
    'requests_total',
    'total_request',
    'Whole messages, requests or datagrams handed to the program.',
  ),
  count('packet_errors_total', 'packet_err', 'Peers that broke the protocol.'),
  {
    name: 'thunder_herd_total',
    type: 'counter',
    help: 'Wake-ups for a connection that another process took. 0 with a socket per process; absent where it cannot be seen.',
    samples: ({ ledger, ownSockets }) =>
      [...ledger.slots.values()]
        .filter(({ worker }) => ownSockets(worker))
        .map((slot) => ({ labels: slotLabels(slot), value: 0 })),
  },
  count('client_closes_total', 'client_close', 'Connections that the client ended first.'),
  count(
    'send_failures_total',
    'send_fail',
    'Messages dropped: the send queue was full or the client gone.',
  ),
  count('exceptions_total', 'throw_exception', 'Callbacks that threw or rejected.'),
];

const beyond: readonly MetricDefinition[] = [
  reported('connections', 'connections', 'Open connections, accepted and outgoing.'),
  count('connections_accepted_total', 'accepted', 'Accepted connections.'),
  count(
    'connections_rejected_total',
    'rejected',
    'Connections closed at once because of maxConnections.',
  ),
  {
    name: 'connections_closed_total',
    type: 'counter',
    help: 'Ended connections by WebSocket close code, or: peer, local, reset, timeout, protocol.',
    samples: ({ ledger, listening }) =>
      [...ledger.slots.values()].flatMap((slot) =>
        Object.entries({ ...usualCloses(listening(slot.worker)), ...slot.closes }).map(
          ([code, value]) => ({
            labels: { ...slotLabels(slot), code },
            value,
          }),
        ),
      ),
  },
  count(
    'messages_received_total',
    'total_request',
    'Whole messages received; the same number as requests_total.',
  ),
  count('messages_sent_total', 'messages_sent', 'Messages handed to the transport.'),
  count('messages_received_bytes_total', 'bytes_received', 'Bytes received, framing included.'),
  count('messages_sent_bytes_total', 'bytes_sent', 'Bytes sent, framing included.'),
  reported('send_buffer_bytes', 'sendBuffer', 'Bytes in all send queues.'),
  count(
    'send_buffer_full_total',
    'buffer_full',
    'Times that a send queue reached maxSendBufferSize.',
  ),
  reported('timers', 'timers', 'Timers of the program.'),
  perProcess(
    'worker_busy',
    '1 if the process has not reported for 1.5 s: its event loop is blocked.',
    (s, proc) => (s.busy(proc) ? 1 : 0),
  ),
  {
    name: 'event_loop_lag_seconds',
    type: 'histogram',
    help: 'How late a timer of 100 ms runs.',
    samples: ({ ledger }) =>
      [...ledger.slots.values()].flatMap((slot) =>
        bucketSamples('event_loop_lag_seconds', LAG_BOUNDS, slotLabels(slot), slot.lag),
      ),
  },
];

const kernel: readonly MetricDefinition[] = [
  single(
    'counter',
    'listen_overflows_total',
    'Connections dropped by the kernel because an accept queue was full.',
    (s) => s.kernel.listenOverflows,
  ),
  single(
    'counter',
    'listen_drops_total',
    'Connections dropped by the kernel at a listening socket, for any reason.',
    (s) => s.kernel.listenDrops,
  ),
  perProcess('open_files', 'Open file descriptors.', (s, proc) => s.kernel.openFiles.get(proc)),
  single(
    'gauge',
    'open_files_limit',
    'Most file descriptors that a process may open.',
    (s) => s.kernel.openFilesLimit,
  ),
  {
    name: 'sysctl',
    type: 'gauge',
    help: 'Effective kernel settings; field numbers the parts of those that have several.',
    samples: ({ kernel }) =>
      [...kernel.sysctls].flatMap(([name, numbers]) =>
        numbers.map((value, field) => ({ labels: { name, field }, value })),
      ),
  },
  {
    name: 'sysctl_wanted',
    type: 'gauge',
    help: 'Kernel settings that were asked for.',
    samples: ({ sysctlWanted }) =>
      Object.entries(sysctlWanted).flatMap(([name, text]) =>
        text
          .trim()
          .split(/\s+/)
          .map((part, field) => ({ labels: { name, field }, value: Number(part) }))
          .filter(({ value }) => Number.isFinite(value)),
      ),
  },
];

const life: readonly MetricDefinition[] = [
  {
    name: 'reloads_total',
    type: 'counter',
    help: 'Reloads by result.',
    samples: ({ reloads }) =>
      Object.entries(reloads).map(([result, value]) => ({ labels: { result }, value })),
  },
  single('gauge', 'drain_active', '1 while this server drains or is drained.', ({ plan }) =>
    plan.phase === 'draining' || plan.phase === 'held' ? 1 : 0,
  ),
  single(
    'gauge',
    'drain_remaining_connections',
    'Connections that a drain still has to close.',
    (s) => sum(s, (gauges) => (gauges.draining ? gauges.connections : 0)),
  ),
  single(
    'gauge',
    'drain_closed_connections',
    'Connections that drains of the present processes have closed.',
    (s) => sum(s, (gauges) => gauges.drained),
  ),
  single(
    'gauge',
    'drain_deadline_seconds',
    'When the drain will be over at the latest, in Unix time.',
    (s) => {
      const until = s.drainUntil();
      return until === undefined ? undefined : until / 1000;
    },
  ),
  single('gauge', 'log_lines_lost', 'Log lines that the present processes could not write.', (s) =>
    sum(s, (gauges) => gauges.lostLines),
  ),
];

export const METRICS: readonly MetricDefinition[] = [
  ...mirror,
  ...beyond,
  ...kernel,
  ...life,
  ...channelMetrics,
  ...dataMetrics,
  ...gatewayMetrics,
];
