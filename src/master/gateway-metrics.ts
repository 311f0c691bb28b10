import { type GatewayStats, HOLD_BOUNDS } from '../gateway/stats.ts';
import { bucketSamples, slotLabels } from './metric-parts.ts';
import type { MetricDefinition, Sample } from './metrics.ts';

/** A number of each gateway process; no sample for processes that are none. */
function ofGateways(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  read: (stats: GatewayStats) => number,
): MetricDefinition {
  return {
    name,
    type,
    help,
    samples: ({ ledger }) =>
      [...ledger.slots.values()].flatMap((slot): Sample[] =>
        slot.gateway ? [{ labels: slotLabels(slot), value: read(slot.gateway) }] : [],
      ),
  };
}

/** Metrics of gateways, part of `metric-catalogue.ts`. */
export const gatewayMetrics: readonly MetricDefinition[] = [
  ofGateways('gauge', 'gateway_clients', 'Clients that are connected.', (s) => s.clients),
  ofGateways('gauge', 'gateway_groups', 'Groups with a member.', (s) => s.groups),
  ofGateways('gauge', 'gateway_uids', 'Distinct uids.', (s) => s.uids),
  ofGateways(
    'gauge',
    'gateway_business_links',
    'BusinessWorker processes that take clients.',
    (s) => s.businessLinks,
  ),
  ofGateways(
    'gauge',
    'gateway_waiting_events',
    'Events of clients that wait for a BusinessWorker.',
    (s) => s.waiting,
  ),
  ofGateways('gauge', 'gateway_waiting_bytes', 'Their bytes.', (s) => s.waitingBytes),
  ofGateways(
    'counter',
    'gateway_events_maybe_lost_total',
    'Events that a BusinessWorker had and had not finished when it died.',
    (s) => s.maybeLost,
  ),
  ofGateways(
    'counter',
    'gateway_turned_away_total',
    'Clients closed because no BusinessWorker came in time.',
    (s) => s.turnedAway,
  ),
  {
    name: 'gateway_hold_seconds',
    type: 'histogram',
    help: 'How long events of a client had to wait for a BusinessWorker, where they had to.',
    samples: ({ ledger }) =>
      [...ledger.slots.values()].flatMap(({ worker, slot, gateway }) => {
        if (!gateway) return [];
        const held = { buckets: gateway.holds, sum: gateway.heldSeconds };
        return bucketSamples(
          'gateway_hold_seconds',
          HOLD_BOUNDS,
          slotLabels({ worker, slot }),
          held,
        );
      }),
  },
];
