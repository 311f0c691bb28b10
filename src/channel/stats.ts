/** What a channel server counts. */
export type ChannelStats = Totals & Levels;

/** These only grow. */
type Totals = {
  /** Messages that were published. */
  published: number;
  /** Copies handed to subscribers' connections. */
  delivered: number;
  /** Copies dropped because a subscriber did not read fast enough. */
  dropped: number;
  /** Subscribers that came back and got all they had missed. */
  recovered: number;
  /** Subscribers that came back and were told of a gap. */
  unrecovered: number;
  /** Jobs that were taken. */
  enqueued: number;
  /** Jobs that were not, because their queue was full. */
  refused: number;
  /** Channels and queues that were given to another server. */
  moved: number;
};

/** How things stand. */
type Levels = {
  /** Channels with at least one subscriber. */
  channels: number;
  /** Subscriptions of all clients. */
  subscriptions: number;
  /** Channels that have a history, the events in it and their bytes. */
  historyChannels: number;
  historyEntries: number;
  historyBytes: number;
  /** Jobs that wait or are under way. */
  jobs: number;
};

const TOTALS: readonly (keyof Totals)[] = [
  'published',
  'delivered',
  'dropped',
  'recovered',
  'unrecovered',
  'enqueued',
  'refused',
  'moved',
];

export function zeroChannelStats(): ChannelStats {
  return {
    published: 0,
    delivered: 0,
    dropped: 0,
    recovered: 0,
    unrecovered: 0,
    enqueued: 0,
    refused: 0,
    moved: 0,
    channels: 0,
    subscriptions: 0,
    historyChannels: 0,
    historyEntries: 0,
    historyBytes: 0,
    jobs: 0,
  };
}

/** Growth since `before`, and how things stand now. */
export function channelStatsSince(before: ChannelStats, now: ChannelStats): ChannelStats {
  const delta = { ...now };
  for (const name of TOTALS) delta[name] -= before[name];
  return delta;
}

/** Adds growth to a sum, in place, and takes over how things stand. */
export function addChannelStats(sum: ChannelStats, delta: ChannelStats): void {
  const totals = TOTALS.map((name) => [name, sum[name] + delta[name]]);
  Object.assign(sum, delta, Object.fromEntries(totals));
}

/** The stats of the channel server in this process, if one runs here. */
export const channelStats: { current: ChannelStats | undefined } = { current: undefined };

/** Something was dropped. */
export function countDropped(): void {
  channelStats.current ??= zeroChannelStats();
  channelStats.current.dropped += 1;
}
