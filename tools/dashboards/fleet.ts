import type { Query, Row } from './grafana.ts';
import { graph, number, PODS, rate, SERVER, SLOT, sum } from './parts.ts';

/** How much there is, and the table of `longshore status`. */

export const fleet: Row = {
  title: 'Fleet',
  panels: [
    number(
      'Servers',
      `count(count by (namespace, server) (longshore_info{${PODS}}))`,
      'Servers with a pod that answers.',
    ),
    number('Pods', `count(longshore_info{${PODS}})`, 'Pods that answer Prometheus.'),
    number('Processes', `sum(longshore_worker_processes{${PODS}})`, 'Processes that are ready.'),
    number(
      'Connections',
      `sum(longshore_connections{${PODS}})`,
      'Open now, accepted and outgoing.',
    ),
    number(
      'Messages in',
      `sum(rate(longshore_messages_received_total{${PODS}}[$__rate_interval]))`,
      'Whole messages, requests or datagrams.',
      { unit: 'cps' },
    ),
    number(
      'Memory',
      `sum(longshore_process_memory_bytes{${PODS}})`,
      'Resident memory of all processes.',
      { unit: 'bytes' },
    ),
    graph(
      'Connections',
      [{ expr: sum('connections', 'namespace, server'), legend: SERVER }],
      'Open now, by server.',
      { stacked: true },
    ),
    graph(
      'Connections by pod',
      [{ expr: sum('connections', 'pod'), legend: '{{pod}}' }],
      'New pods fill up while old ones drain.',
    ),
    graph(
      'Accepted and closed',
      [
        { expr: rate('connections_accepted_total', 'server'), legend: '{{server}} accepted' },
        { expr: rate('connections_closed_total', 'server'), legend: '{{server}} closed' },
      ],
      'Connections a second. A peak of both is a wave of reconnects.',
      { unit: 'cps' },
    ),
    graph(
      'Messages',
      [
        { expr: rate('messages_received_total', 'server'), legend: '{{server}} in' },
        { expr: rate('messages_sent_total', 'server'), legend: '{{server}} out' },
      ],
      'Whole messages a second.',
      { unit: 'cps' },
    ),
    graph(
      'Bytes',
      [
        { expr: rate('messages_received_bytes_total', 'server'), legend: '{{server}} in' },
        { expr: rate('messages_sent_bytes_total', 'server'), legend: '{{server}} out' },
      ],
      'Bytes a second, framing included.',
      { unit: 'Bps' },
    ),
    graph(
      'Closes by code',
      [{ expr: rate('connections_closed_total', 'code'), legend: '{{code}}' }],
      'WebSocket close codes; 1012 is our own restart or drain. Others: peer, local, reset, timeout, protocol.',
      { unit: 'cps' },
    ),
  ],
};

const column = (legend: string, metric: string, unit?: string): Query => ({
  legend,
  expr: sum(metric, SLOT),
  ...(unit === undefined ? {} : { unit }),
});
const failed = `(${sum('packet_errors_total', SLOT)} + ${sum('send_failures_total', SLOT)})`;

export const status: Row = {
  title: 'Status',
  panels: [
    {
      kind: 'table',
      title: 'Process status',
      description:
        'The table of longshore status, a line for each process. Counters are those of the slot, and go on when its process is replaced. pid and listening are not metrics: longshore status has them.',
      queries: [
        column('memory', 'process_memory_bytes', 'bytes'),
        {
          legend: 'timestamp',
          expr: `max by (${SLOT}) (longshore_process_start_time_seconds{${PODS}}) * 1000`,
          unit: 'dateTimeAsIso',
        },
        column('total_request', 'requests_total'),
        column('packet_err', 'packet_errors_total'),
        column('thunder_herd', 'thunder_herd_total'),
        column('client_close', 'client_closes_total'),
        column('send_fail', 'send_failures_total'),
        column('throw_exception', 'exceptions_total'),
        {
          legend: 'suc/total',
          expr: `1 - ${failed} / clamp_min(${sum('requests_total', SLOT)}, 1)`,
          unit: 'percentunit',
        },
        column('connections', 'connections'),
        column('timers', 'timers'),
        column('send_buffer', 'send_buffer_bytes', 'bytes'),
        { legend: 'qps', expr: rate('requests_total', SLOT), unit: 'cps' },
        column('busy', 'worker_busy'),
      ],
    },
    graph(
      'Ended processes',
      [
        {
          expr: `sum by (server, worker_name, exit_status) (increase(longshore_worker_exits_total{${PODS}}[$__rate_interval]))`,
          legend: '{{server}} {{worker_name}} status {{exit_status}}',
        },
      ],
      'By raw status: exit code x 256 + signal. 0 is a reload or a wanted end, 64000 an error that nobody caught, 9 SIGKILL.',
    ),
    graph(
      'Exceptions',
      [
        {
          expr: rate('exceptions_total', 'server, worker_name'),
          legend: '{{server}} {{worker_name}}',
        },
      ],
      'Callbacks that threw, a second.',
      { unit: 'cps' },
    ),
    graph(
      'Protocol errors',
      [
        {
          expr: rate('packet_errors_total', 'server, worker_name'),
          legend: '{{server}} {{worker_name}}',
        },
      ],
      'Peers that broke the protocol, a second.',
      { unit: 'cps' },
    ),
  ],
};
