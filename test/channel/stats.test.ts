import { describe, expect, it } from '@jest/globals';
import { addChannelStats, channelStatsSince, zeroChannelStats } from '../../src/channel/stats.ts';
import { Random } from '../support/random.ts';

describe('channel stats', () => {
  it('what a server reports sums up to what it counted, and says how things stand last', () => {
    const random = new Random(11);
    const now = zeroChannelStats();
    const sum = zeroChannelStats();
    for (let report = 0; report < 50; report += 1) {
      const before = { ...now };
      now.published += random.int(0, 9);
      now.delivered += random.int(0, 99);
      now.dropped += random.int(0, 2);
      now.channels = random.int(0, 5);
      now.subscriptions = random.int(0, 50);
      addChannelStats(sum, channelStatsSince(before, now));
      expect(sum).toEqual(now);
    }
  });

  it('outlive the server: one that begins anew adds to what there is', () => {
    const sum = zeroChannelStats();
    const first = { published: 5, delivered: 6, dropped: 1, channels: 2, subscriptions: 3 };
    addChannelStats(sum, channelStatsSince(zeroChannelStats(), first));
    addChannelStats(sum, channelStatsSince(zeroChannelStats(), { ...first, channels: 1 }));
    expect(sum).toEqual({
      published: 10,
      delivered: 12,
      dropped: 2,
      channels: 1,
      subscriptions: 3,
    });
  });
});
