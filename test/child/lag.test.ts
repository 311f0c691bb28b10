import { describe, expect, it } from '@jest/globals';
import { addLag, LAG_BOUNDS, Lag, type LagCounts, zeroLag } from '../../src/child/lag.ts';
import { Random } from '../support/random.ts';

const bucketOf = (seconds: number) => {
  const lag = new Lag();
  lag.observe(seconds);
  return lag.take().buckets.indexOf(1);
};

describe('Lag', () => {
  it('has ascending bounds', () => {
    expect([...LAG_BOUNDS].sort((a, b) => a - b)).toEqual(LAG_BOUNDS);
  });

  it('counts in the first bucket whose bound is not below, and above all in the last', () => {
    for (const [i, bound] of LAG_BOUNDS.entries()) {
      expect(bucketOf(bound)).toBe(i);
      expect(bucketOf(bound * 1.001)).toBe(i + 1);
    }
    expect(bucketOf(0)).toBe(0);
    expect(bucketOf(1e9)).toBe(LAG_BOUNDS.length);
  });

  it('takes a timer that ran too early for one in time', () => {
    const lag = new Lag();
    lag.observe(-1);
    expect(lag.take()).toMatchObject({ sum: 0, buckets: [1, ...LAG_BOUNDS.map(() => 0)] });
  });

  it('begins anew after each take', () => {
    const lag = new Lag();
    lag.observe(0.02);
    const first = lag.take();
    lag.observe(0.02);
    expect(lag.take()).toEqual(first);
    expect(lag.take()).toEqual(zeroLag());
  });

  it('what was taken piece by piece sums up to all that was observed', () => {
    const random = new Random(12);
    const [pieces, whole, sum] = [new Lag(), new Lag(), zeroLag()];
    for (let i = 0; i < 1000; i += 1) {
      const seconds = random.int(0, 100) / 8;
      pieces.observe(seconds);
      whole.observe(seconds);
      if (random.chance(0.1)) addLag(sum, pieces.take());
    }
    addLag(sum, pieces.take());
    expect(sum).toEqual(whole.take());
  });

  it.each([
    ['short', { buckets: [1], sum: 1 }, 1],
    ['null', { buckets: [1, null], sum: null }, 0],
    ['missing', { buckets: [1] }, 0],
    ['text', { buckets: [1, 'x'], sum: 'y' }, 0],
  ])('takes numbers that are %s for nothing', (_, counts, more) => {
    const sum = zeroLag();
    addLag(sum, counts as LagCounts);
    expect(sum).toEqual({ buckets: [1, ...LAG_BOUNDS.map(() => 0)], sum: more });
  });
});
