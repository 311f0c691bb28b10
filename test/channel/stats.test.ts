import { describe, expect, it } from '@jest/globals';
import {
  addChannelStats,
  type ChannelStats,
  channelStatsSince,
  zeroChannelStats,
} from '../../src/channel/stats.ts';
import { Random } from '../support/random.ts';

const LEVELS = [
  'channels',
  'subscriptions',
  'historyChannels',
  'historyEntries',
  'historyBytes',
  'jobs',
];
const names = Object.keys(zeroChannelStats()) as (keyof ChannelStats)[];

describe('channel stats', () => {
  it('what a server reports sums up to what it counted, and says how things stand last', () => {
    const random = new Random(11);
    const now = zeroChannelStats();
    const sum = zeroChannelStats();
    for (let report = 0; report < 50; report += 1) {
      const before = { ...now };
      for (const name of names)
        now[name] = (LEVELS.includes(name) ? 0 : now[name]) + random.int(0, 9);
      addChannelStats(sum, channelStatsSince(before, now));
      expect(sum).toEqual(now);
    }
  });

  it('outlive the server: one that begins anew adds to what there is', () => {
    const sum = zeroChannelStats();
    const first = Object.fromEntries(names.map((name) => [name, 3])) as ChannelStats;
    addChannelStats(sum, channelStatsSince(zeroChannelStats(), first));
    addChannelStats(sum, channelStatsSince(zeroChannelStats(), { ...first, channels: 1 }));
    const levels = Object.fromEntries(LEVELS.map((name) => [name, 3]));
    const totals = Object.fromEntries(names.map((name) => [name, 6]));
    expect(sum).toEqual({ ...totals, ...levels, channels: 1 });
  });
});
