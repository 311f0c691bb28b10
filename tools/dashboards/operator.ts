import type { Dashboard, Row } from './grafana.ts';

/** "Longshore operator": whether it leads, keeps up and sees everything. */

const OPERATOR = 'namespace=~"$namespace"';
const rate = (metric: string, by: string, more = ''): string =>
  `sum by (${by}) (rate(longshore_operator_${metric}{${OPERATOR}${more}}[$__rate_interval]))`;

const state: Row = {
  title: 'State',
  panels: [
    {
      kind: 'stat',
      title: 'Leader',
      description: 'The pod that leads.',
      queries: [{ expr: `longshore_operator_leader{${OPERATOR}} == 1`, legend: '{{pod}}' }],
      isName: true,
    },
    {
      kind: 'stat',
      title: 'Replicas',
      description: 'Pods of the operator that answer Prometheus.',
      queries: [{ expr: `count(longshore_operator_info{${OPERATOR}})`, legend: 'replicas' }],
    },
    {
      kind: 'stat',
      title: 'Versions',
      description: 'More than one: an upgrade is under way.',
      queries: [
        {
          expr: `count by (version) (longshore_operator_info{${OPERATOR}})`,
          legend: '{{version}}',
        },
      ],
      isName: true,
    },
    {
      kind: 'stat',
      title: 'Stalled servers',
      description: 'Servers whose change waits for somebody.',
      queries: [
        {
          expr: 'sum(max by (namespace, server) (longshore_operator_server_stalled)) or vector(0)',
          legend: 'stalled',
        },
      ],
      red: 1,
    },
    {
      kind: 'stat',
      title: 'Errors',
      description: 'Looks at servers that ended with an error, a second.',
      queries: [{ expr: rate('reconciles_total', 'result', ', result="error"'), legend: 'errors' }],
      unit: 'cps',
      red: 0.001,
    },
    {
      kind: 'stat',
      title: 'Missed changes',
      description: 'Changes of the last day that a watch had not told and a list found.',
      queries: [
        {
          expr: `sum(increase(longshore_operator_watch_missed_total{${OPERATOR}}[1d]))`,
          legend: 'missed',
        },
      ],
      red: 1,
    },
    {
      kind: 'graph',
      title: 'Servers by phase',
      description: 'Each replica of the operator counts them; this is what one of them counts.',
      queries: [
        { expr: `max by (phase) (longshore_operator_servers{${OPERATOR}})`, legend: '{{phase}}' },
      ],
      stacked: true,
      width: 12,
    },
    {
      kind: 'graph',
      title: 'Who leads',
      description: 'A change is an upgrade, or a node or network that failed.',
      queries: [{ expr: `longshore_operator_leader{${OPERATOR}}`, legend: '{{pod}}' }],
      width: 12,
    },
  ],
};

const work: Row = {
  title: 'Work',
  panels: [
    {
      kind: 'graph',
      title: 'Looks at servers',
      description: 'A second, by result.',
      queries: [{ expr: rate('reconciles_total', 'result'), legend: '{{result}}' }],
      unit: 'cps',
    },
    {
      kind: 'graph',
      title: 'Time of a look',
      description: 'Most of it goes into waiting for pods to answer.',
      queries: [0.5, 0.99].map((part) => ({
        expr: `histogram_quantile(${part}, ${rate('reconcile_duration_seconds_bucket', 'le')})`,
        legend: `${part * 100}%`,
      })),
      unit: 's',
    },
    {
      kind: 'graph',
      title: 'Queue',
      description: 'Servers to be looked at now, and at some time.',
      queries: [
        {
          expr: `sum by (pod) (longshore_operator_queue_depth{${OPERATOR}})`,
          legend: '{{pod}} now',
        },
        {
          expr: `sum by (pod) (longshore_operator_queue_waiting{${OPERATOR}})`,
          legend: '{{pod}} later',
        },
      ],
    },
    {
      kind: 'graph',
      title: 'Events for people',
      description: 'A second, by what became of them.',
      queries: [{ expr: rate('events_total', 'result'), legend: '{{result}}' }],
      unit: 'cps',
    },
    {
      kind: 'graph',
      title: 'Kernel settings left out',
      description: 'Servers by setting that was asked for and left out.',
      queries: [
        {
          expr: 'count by (name) (max by (namespace, server, name) (longshore_operator_sysctl_skipped))',
          legend: '{{name}}',
        },
      ],
    },
    {
      kind: 'graph',
      title: 'Connections',
      description: 'Of all servers, as the operator has counted them.',
      queries: [
        {
          expr: 'sum(max by (namespace, server) (longshore_operator_server_connections))',
          legend: 'connections',
        },
      ],
    },
  ],
};

const api: Row = {
  title: 'API server',
  panels: [
    {
      kind: 'graph',
      title: 'Requests',
      description: 'A second, by verb and resource.',
      queries: [
        { expr: rate('api_requests_total', 'verb, resource'), legend: '{{verb}} {{resource}}' },
      ],
      unit: 'cps',
    },
    {
      kind: 'graph',
      title: 'Requests that failed',
      description: 'A second. Code 0: no answer. 409 now and then is in order.',
      queries: [
        {
          expr: rate('api_requests_total', 'code, verb, resource', ', code!~"2.."'),
          legend: '{{code}} {{verb}} {{resource}}',
        },
      ],
      unit: 'cps',
    },
    {
      kind: 'graph',
      title: 'Watches',
      description: 'Begun again, and changes that they had not told, in each hour.',
      queries: [
        {
          expr: `sum by (resource) (increase(longshore_operator_watch_restarts_total{${OPERATOR}}[1h]))`,
          legend: '{{resource}} restarts',
        },
        {
          expr: `sum by (resource) (increase(longshore_operator_watch_missed_total{${OPERATOR}}[1h]))`,
          legend: '{{resource}} missed',
        },
      ],
    },
  ],
};

export const operator: Dashboard = {
  uid: 'longshore-operator',
  title: 'Longshore operator',
  description:
    'The operator: who leads, how much it has to do, and what it asks of the API server.',
  variables: [{ name: 'namespace', query: 'label_values(longshore_operator_leader, namespace)' }],
  rows: [state, work, api],
};
