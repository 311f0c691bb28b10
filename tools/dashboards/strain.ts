import type { Row } from './grafana.ts';
import { graph, PODS, rate, SERVERS, sum, WORKER } from './parts.ts';

/** Where it gets tight: processes, the kernel. */

export const pressure: Row = {
  title: 'Pressure',
  panels: [
    graph(
      'Event loop lag, 99th percentile',
      [
        {
          expr: `histogram_quantile(0.99, sum by (le, pod, worker_name, worker_id) (rate(longshore_event_loop_lag_seconds_bucket{${PODS}}[$__rate_interval])))`,
          legend: WORKER,
        },
      ],
      'How late a timer of 0.1 s runs.',
      { unit: 's', red: 0.2 },
    ),
    graph(
      'Blocked processes',
      [{ expr: `sum by (pod) (longshore_worker_busy{${PODS}})`, legend: '{{pod}}' }],
      'Processes that have not reported for 1.5 s.',
      { red: 1 },
    ),
    graph(
      'Send queues',
      [{ expr: sum('send_buffer_bytes', 'pod'), legend: '{{pod}}' }],
      'Bytes that wait for clients which read slowly.',
      { unit: 'bytes' },
    ),
    graph(
      'Full queues and dropped messages',
      [
        { expr: rate('send_buffer_full_total', 'server'), legend: '{{server}} queue full' },
        { expr: rate('send_failures_total', 'server'), legend: '{{server}} dropped' },
      ],
      'A second.',
      { unit: 'cps' },
    ),
    graph(
      'Rejected connections',
      [{ expr: rate('connections_rejected_total', 'server'), legend: '{{server}}' }],
      'Closed at once because of limits.maxConnections, a second.',
      { unit: 'cps' },
    ),
    graph(
      'File descriptors',
      [
        {
          expr: `max by (pod) (longshore_open_files{${PODS}}) / on (pod) max by (pod) (longshore_open_files_limit{${PODS}})`,
          legend: '{{pod}}',
        },
      ],
      'Of the fullest process in each pod, as a share of what it may have.',
      { unit: 'percentunit', red: 0.8 },
    ),
  ],
};

export const kernel: Row = {
  title: 'Kernel',
  panels: [
    graph(
      'Accept queues',
      [
        { expr: rate('listen_overflows_total', 'pod'), legend: '{{pod}} overflows' },
        { expr: rate('listen_drops_total', 'pod'), legend: '{{pod}} drops' },
      ],
      'Connections a second that the kernel dropped: because a queue was full, and for any reason.',
      { unit: 'cps' },
    ),
    graph(
      'Memory by process',
      [{ expr: `longshore_process_memory_bytes{${PODS}}`, legend: WORKER }],
      'Resident.',
      { unit: 'bytes' },
    ),
    graph(
      'Left out by the operator',
      [
        {
          expr: `max by (namespace, server, name) (longshore_operator_sysctl_skipped{${SERVERS}})`,
          legend: '{{server}} {{name}}',
        },
      ],
      'Settings that were asked for and that this cluster or tuning.mode does not give. The condition TuningApplied says why.',
    ),
    {
      kind: 'table',
      title: 'Kernel settings',
      description: 'As they are in the pods, and as they were asked for.',
      queries: [
        {
          legend: 'effective',
          unit: 'none',
          expr: `max by (namespace, server, pod, name, field) (longshore_sysctl{${PODS}})`,
        },
        {
          legend: 'wanted',
          unit: 'none',
          expr: `max by (namespace, server, pod, name, field) (longshore_sysctl_wanted{${PODS}})`,
        },
      ],
    },
  ],
};
