/** What a channel server counts. The first three only grow. */
export type ChannelStats = {
  /** Messages that were published. */
  published: number;
  /** Copies handed to subscribers' connections. */
  delivered: number;
  /** Copies dropped because a subscriber did not read fast enough. */
  dropped: number;
  /** Channels with at least one subscriber. */
  channels: number;
  /** Subscriptions of all clients. */
  subscriptions: number;
};

export function zeroChannelStats(): ChannelStats {
  return { published: 0, delivered: 0, dropped: 0, channels: 0, subscriptions: 0 };
}

/** Growth since `before`, and how things stand now. */
export function channelStatsSince(before: ChannelStats, now: ChannelStats): ChannelStats {
  return {
    ...now,
    published: now.published - before.published,
    delivered: now.delivered - before.delivered,
    dropped: now.dropped - before.dropped,
  };
}

/** Adds growth to a sum, in place, and takes over how things stand. */
export function addChannelStats(sum: ChannelStats, delta: ChannelStats): void {
  sum.published += delta.published;
  sum.delivered += delta.delivered;
  sum.dropped += delta.dropped;
  sum.channels = delta.channels;
  sum.subscriptions = delta.subscriptions;
}

/** The stats of the channel server in this process, if one runs here. */
export const channelStats: { current: ChannelStats | undefined } = { current: undefined };
