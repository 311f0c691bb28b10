import type { Row } from './grafana.ts';
import { graph, PODS, rate, sum } from './parts.ts';

/** What goes across processes and pods: channels, gateways, shared data. */

export const channel: Row = {
  title: 'Channel servers in pods',
  panels: [
    graph(
      'Messages',
      [
        { expr: rate('channel_published_total', 'pod'), legend: '{{pod}} published' },
        { expr: rate('channel_delivered_total', 'pod'), legend: '{{pod}} delivered' },
      ],
      'Published, and copies handed to subscribers, a second.',
      { unit: 'cps' },
    ),
    graph(
      'Dropped copies',
      [{ expr: rate('channel_dropped_total', 'pod'), legend: '{{pod}}' }],
      'Because a subscriber was too slow, a second.',
      { unit: 'cps', red: 1 },
    ),
    graph(
      'Channels and subscriptions',
      [
        { expr: sum('channel_channels', 'pod'), legend: '{{pod}} channels' },
        { expr: sum('channel_subscribers', 'pod'), legend: '{{pod}} subscriptions' },
      ],
      'Now.',
    ),
  ],
};

export const gateways: Row = {
  title: 'Gateways',
  panels: [
    graph(
      'Clients at gateways',
      [{ expr: sum('gateway_clients', 'pod'), legend: '{{pod}}' }],
      'Connected now; deploying the application does not change it.',
    ),
    graph(
      'BusinessWorkers at gateways',
      [
        {
          expr: `min by (pod) (longshore_gateway_business_links{${PODS}})`,
          legend: '{{pod}}',
        },
      ],
      'Processes of the application that take clients, as the gateway with the fewest sees it; 0: everything waits.',
    ),
    graph(
      'Waiting for a BusinessWorker',
      [{ expr: sum('gateway_waiting_events', 'pod'), legend: '{{pod}}' }],
      'Connects, messages and closes that nobody could take yet.',
    ),
    graph(
      'How long it waited, 99th percentile',
      [
        {
          expr: `histogram_quantile(0.99, sum by (le, pod) (rate(longshore_gateway_hold_seconds_bucket{${PODS}}[$__rate_interval])))`,
          legend: '{{pod}}',
        },
      ],
      'Of what had to wait, as in a deployment; nothing while all of it goes straight through.',
      { unit: 's', red: 1 },
    ),
    graph(
      'Groups and users',
      [
        { expr: sum('gateway_groups', 'pod'), legend: '{{pod}} groups' },
        { expr: sum('gateway_uids', 'pod'), legend: '{{pod}} uids' },
      ],
      'With a member or a client at that gateway, now.',
    ),
    graph(
      'Turned away and perhaps lost',
      [
        { expr: rate('gateway_turned_away_total', 'pod'), legend: '{{pod}} turned away' },
        { expr: rate('gateway_events_maybe_lost_total', 'pod'), legend: '{{pod}} perhaps lost' },
      ],
      'Clients for whom no BusinessWorker came in time, and events that one had not finished when it was killed, a second.',
      { unit: 'cps' },
    ),
  ],
};

export const data: Row = {
  title: 'Shared data in pods',
  panels: [
    graph(
      'Operations on shared data',
      [
        { expr: rate('globaldata_operations_total', 'pod'), legend: '{{pod}} answered' },
        { expr: rate('globaldata_refused_total', 'pod'), legend: '{{pod}} refused' },
      ],
      'A second.',
      { unit: 'cps' },
    ),
    graph(
      'Keys',
      [{ expr: sum('globaldata_keys', 'pod'), legend: '{{pod}}' }],
      'Of the global data server of the pod, now.',
    ),
    graph(
      'Size of shared data',
      [
        { expr: sum('globaldata_bytes', 'pod'), legend: '{{pod}} memory' },
        { expr: sum('globaldata_file_bytes', 'pod'), legend: '{{pod}} file' },
      ],
      'Keys and values as maxBytes counts them, and the file that keeps them.',
      { unit: 'bytes' },
    ),
  ],
};
