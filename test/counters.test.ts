import { describe, expect, it } from '@jest/globals';
import {
  addCloses,
  addCounts,
  type Closes,
  type Counts,
  closeLabel,
  closesSince,
  countsSince,
  successShare,
  zeroCounts,
} from '../src/counters.ts';
import { Random } from './support/random.ts';

describe('counters', () => {
  it('begin at zero', () => {
    expect(new Set(Object.values(zeroCounts()))).toEqual(new Set([0]));
    expect(zeroCounts()).not.toBe(zeroCounts());
  });

  it('the deltas that a process reports sum up to what it has counted at its end', () => {
    const random = new Random(7);
    const labels = ['1000', '1006', '3xxx', 'local'];
    for (let round = 0; round < 200; round += 1) {
      const counts = zeroCounts();
      const closes: Closes = {};
      const sum = { counts: zeroCounts(), closes: {} as Closes };
      let reported = { counts: zeroCounts(), closes: {} as Closes };
      for (let report = 0; report < 10; report += 1) {
        for (let i = random.int(0, 20); i > 0; i -= 1) {
          counts[random.pick(Object.keys(counts) as (keyof Counts)[])] += random.int(0, 2 ** 40);
          const label = random.pick(labels);
          closes[label] = (closes[label] ?? 0) + 1;
        }
        addCounts(sum.counts, countsSince(reported.counts, counts));
        addCloses(sum.closes, closesSince(reported.closes, closes));
        reported = { counts: { ...counts }, closes: { ...closes } };
      }
      expect(sum).toEqual({ counts, closes });
    }
  });

  it('leave labels that did not grow out of a delta', () => {
    expect(closesSince({ a: 1, b: 1 }, { a: 1, b: 3, c: 1 })).toEqual({ b: 2, c: 1 });
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, null, undefined, '5'])(
    'add nothing for %p, so a broken report breaks no total',
    (value) => {
      const sum = zeroCounts();
      addCounts(sum, { total_request: value as number, accepted: 2 });
      expect(sum).toEqual({ ...zeroCounts(), accepted: 2 });
    },
  );
});

describe('closeLabel', () => {
  it.each([
    [1000, '1000'],
    [1006, '1006'],
    [1015, '1015'],
    [1016, 'other'],
    [999, 'other'],
    [0, 'other'],
    [2999, 'other'],
    [3000, '3xxx'],
    [3999, '3xxx'],
    [4000, '4xxx'],
    [4999, '4xxx'],
    [5000, 'other'],
  ])('of %i is %s', (code, label) => {
    expect(closeLabel(code)).toBe(label);
  });

  it('has few values, whatever codes peers choose', () => {
    const all = new Set(Array.from({ length: 65_536 }, (_, code) => closeLabel(code)));
    expect(all.size).toBe(16 + 3);
  });
});

describe('successShare', () => {
  it.each([
    [0, 0, 0, '100%'],
    [0, 5, 5, '100%'],
    [10, 0, 0, '100%'],
    [10, 1, 0, '90%'],
    [10, 1, 1, '80%'],
    [3, 1, 0, '66.6667%'],
    [7, 0, 1, '85.7143%'],
    [1_000_000, 1, 0, '99.9999%'],
    [10_000_000, 1, 0, '100%'],
    [1, 1, 0, '0%'],
    [1, 3, 0, '-200%'],
  ])('of %i requests, %i bad, %i not sent is %s', (total_request, packet_err, send_fail, share) => {
    expect(successShare({ ...zeroCounts(), total_request, packet_err, send_fail })).toBe(share);
  });
});
