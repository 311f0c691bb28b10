import type { Row } from './grafana.ts';
import { graph, ofServer, PODS, SERVER, sum } from './parts.ts';

/** Drains and rollouts, from the pods and from the operator. */

export const leaving: Row = {
  title: 'Drain and rollout',
  panels: [
    {
      kind: 'table',
      title: 'Servers',
      description: 'What the operator says. rollout is the age of the change under way.',
      queries: [
        { legend: 'wanted', expr: ofServer('replicas') },
        { legend: 'ready', expr: ofServer('ready_replicas') },
        { legend: 'updated', expr: ofServer('updated_replicas') },
        { legend: 'old', expr: ofServer('old_pods') },
        { legend: 'draining', expr: ofServer('draining_replicas') },
        { legend: 'connections', expr: ofServer('connections') },
        { legend: 'rollout', expr: ofServer('rollout_seconds'), unit: 's' },
        { legend: 'stalled', expr: ofServer('stalled') },
      ],
    },
    graph(
      'Pods of a rollout',
      [
        { expr: ofServer('updated_replicas'), legend: '{{server}} updated' },
        { expr: ofServer('old_pods'), legend: '{{server}} old' },
        { expr: ofServer('draining_replicas'), legend: '{{server}} draining' },
      ],
      'Updated pods come first, then old ones drain, one at a time.',
    ),
    graph(
      'Connections still to close',
      [{ expr: sum('drain_remaining_connections', 'pod'), legend: '{{pod}}' }],
      'Of pods that drain and of processes that leave; it should fall in a straight line.',
    ),
    graph(
      'Time left to drain',
      [
        {
          expr: `max by (pod) (longshore_drain_deadline_seconds{${PODS}}) - time()`,
          legend: '{{pod}}',
        },
      ],
      'Until the deadline; below zero the rest is cut.',
      { unit: 's', isSigned: true },
    ),
    graph(
      'Age of the rollout',
      [{ expr: ofServer('rollout_seconds'), legend: SERVER }],
      '0: no change is under way.',
      { unit: 's' },
    ),
    graph(
      'Reloads',
      [
        {
          expr: `sum by (server, result) (increase(longshore_reloads_total{${PODS}}[$__rate_interval]))`,
          legend: '{{server}} {{result}}',
        },
      ],
      'Ended reloads inside pods.',
    ),
    graph(
      'Closed by drains',
      [{ expr: sum('drain_closed_connections', 'pod'), legend: '{{pod}}' }],
      'Connections that the present processes have closed because they leave.',
    ),
  ],
};
