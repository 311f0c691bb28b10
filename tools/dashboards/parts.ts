import type { Panel, Query } from './grafana.ts';

/** What the rows of "Longshore servers" are put together from. */

export const PODS: string = 'namespace=~"$namespace", server=~"$server", pod=~"$pod"';
export const SERVERS: string = 'namespace=~"$namespace", server=~"$server"';
export const SLOT: string = 'namespace, server, pod, worker_name, worker_id';

export const rate = (metric: string, by: string, more = ''): string =>
  `sum by (${by}) (rate(longshore_${metric}{${PODS}${more}}[$__rate_interval]))`;
export const sum = (metric: string, by: string): string =>
  `sum by (${by}) (longshore_${metric}{${PODS}})`;
/** Each replica of the operator tells the same of a server. */
export const ofServer = (metric: string): string =>
  `max by (namespace, server) (longshore_operator_server_${metric}{${SERVERS}})`;

export const number = (
  title: string,
  expr: string,
  description: string,
  more: Partial<Panel> = {},
): Panel => ({
  kind: 'stat',
  title,
  description,
  queries: [{ expr, legend: title }],
  ...more,
});
export const graph = (
  title: string,
  queries: readonly Query[],
  description: string,
  more: Partial<Panel> = {},
): Panel => ({ kind: 'graph', title, description, queries, ...more });

export const SERVER: string = '{{namespace}}/{{server}}';
export const WORKER: string = '{{pod}} {{worker_name}}#{{worker_id}}';
