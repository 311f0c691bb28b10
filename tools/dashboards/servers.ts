import { channel, data, gateways } from './across.ts';
import { fleet, status } from './fleet.ts';
import type { Dashboard } from './grafana.ts';
import { leaving } from './leaving.ts';
import { SERVERS } from './parts.ts';
import { kernel, pressure } from './strain.ts';

/** "Longshore servers": what runs in the pods, from their own metrics; and what the operator says of each server. */
export const servers: Dashboard = {
  uid: 'longshore-servers',
  title: 'Longshore servers',
  description:
    'Servers that Longshore runs: fleet, status, pressure, drains and rollouts, kernel, gateways, channels, shared data.',
  variables: [
    { name: 'namespace', query: 'label_values(longshore_info, namespace)' },
    { name: 'server', query: 'label_values(longshore_info{namespace=~"$namespace"}, server)' },
    { name: 'pod', query: `label_values(longshore_info{${SERVERS}}, pod)` },
  ],
  rows: [fleet, status, pressure, leaving, kernel, gateways, channel, data],
};
