import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from '../../src/connections/token-bucket.ts';
import { Random } from '../support/random.ts';

/** How many of `wanted` messages pass at one moment. */
const passed = (bucket: TokenBucket, now: number, wanted: number) =>
  Array.from({ length: wanted }, () => bucket.take(now)).filter(Boolean).length;

describe('TokenBucket', () => {
  it('lets a second worth of messages pass at once, and no more', () => {
    expect(passed(new TokenBucket(5, 100), 100, 10)).toBe(5);
  });

  it('fills at its rate', () => {
    const bucket = new TokenBucket(10, 0);
    expect(passed(bucket, 0, 20)).toBe(10);
    expect(passed(bucket, 1, 20)).toBe(1);
    expect(passed(bucket, 4, 20)).toBe(3);
  });

  it('never holds more than a second worth', () => {
    const bucket = new TokenBucket(3, 0);
    expect(passed(bucket, 100_000, 10)).toBe(3);
  });

  it('is not confused by a clock that stands still or goes back', () => {
    const bucket = new TokenBucket(2, 10);
    expect([bucket.take(10), bucket.take(5), bucket.take(5), bucket.take(10)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('lets a slow rate pass after the time it takes', () => {
    const bucket = new TokenBucket(1, 0);
    expect([0, 5, 9, 10, 11, 20].map((now) => bucket.take(now))).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
  });

  it('over any span lets pass at most its rate and one second worth', () => {
    const random = new Random(8);
    for (let round = 0; round < 200; round += 1) {
      const rate = random.int(1, 50);
      const bucket = new TokenBucket(rate, 0);
      let now = 0;
      let total = 0;
      for (let i = 0; i < 50; i += 1) {
        now += random.int(0, 20);
        total += passed(bucket, now, random.int(0, 100));
      }
      expect(total).toBeLessThanOrEqual(rate + (now * rate) / 10);
    }
  });
});
