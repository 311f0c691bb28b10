import { single } from './metric-parts.ts';
import type { MetricDefinition } from './metrics.ts';

/** Metrics of channel servers, part of `metric-catalogue.ts`. */
export const channelMetrics: readonly MetricDefinition[] = [
  single(
    'counter',
    'channel_published_total',
    'Messages published through the channel server here.',
    (s) => s.ledger.channel?.published,
  ),
  single(
    'counter',
    'channel_delivered_total',
    'Copies handed to subscribers.',
    (s) => s.ledger.channel?.delivered,
  ),
  single(
    'counter',
    'channel_dropped_total',
    'Copies dropped because a subscriber was too slow.',
    (s) => s.ledger.channel?.dropped,
  ),
  single(
    'gauge',
    'channel_channels',
    'Channels with subscribers.',
    (s) => s.ledger.channel?.channels,
  ),
  single(
    'gauge',
    'channel_subscribers',
    'Subscriptions of all clients.',
    (s) => s.ledger.channel?.subscriptions,
  ),
];

/** Metrics of global data servers. */
export const dataMetrics: readonly MetricDefinition[] = [
  single(
    'counter',
    'globaldata_operations_total',
    'Operations that the global data server here has answered.',
    (s) => s.ledger.data?.operations,
  ),
  single(
    'counter',
    'globaldata_refused_total',
    'Of them those that were refused: full, no number, not stored.',
    (s) => s.ledger.data?.refused,
  ),
  single('gauge', 'globaldata_keys', 'Keys that it has.', (s) => s.ledger.data?.keys),
  single(
    'gauge',
    'globaldata_bytes',
    'Bytes of its keys and values, as its bound counts them.',
    (s) => s.ledger.data?.bytes,
  ),
  single(
    'gauge',
    'globaldata_file_bytes',
    'Bytes of its file; 0 without one.',
    (s) => s.ledger.data?.fileBytes,
  ),
];
