import { describe, expect, it } from '@jest/globals';
import { median, ratios, spreadOf, verdict } from '../../bench/figures.ts';
import { Random } from '../support/random.ts';

describe('median', () => {
  it.each([
    [[3], 3],
    [[1, 2], 1.5],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ])('of %j is %d', (numbers, middle) => {
    expect(median(numbers)).toBe(middle);
  });

  it('has as many numbers above it as below, whatever their order', () => {
    const random = new Random(1);
    for (let i = 0; i < 200; i += 1) {
      const numbers = Array.from({ length: random.int(1, 20) }, () => random.int(0, 9));
      const middle = median(numbers);
      const below = numbers.filter((each) => each < middle).length;
      const above = numbers.filter((each) => each > middle).length;
      expect(Math.max(below, above)).toBeLessThanOrEqual(numbers.length / 2);
    }
  });

  it('of nothing is no number', () => {
    expect(median([])).toBeNaN();
  });

  it('leaves the numbers as they were', () => {
    const numbers = [3, 1, 2];
    median(numbers);
    expect(numbers).toEqual([3, 1, 2]);
  });
});

describe('a spread', () => {
  it('names the middle and both ends', () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, low: 1, high: 5 });
  });
});

describe('ratios', () => {
  it('are taken round by round, so that what slows two neighbours down alike does not count', () => {
    expect(ratios([200, 20, 2000], [100, 10, 1000])).toEqual({ median: 2, low: 2, high: 2 });
    expect(ratios([30, 10, 20], [10, 10, 10])).toEqual({ median: 2, low: 1, high: 3 });
  });

  it('need as many rounds on either side, and at least one', () => {
    expect(() => ratios([1, 2], [1])).toThrow('2 and 1 rounds');
    expect(() => ratios([], [])).toThrow('0 and 0 rounds');
  });
});

describe('a verdict', () => {
  it.each([
    [1.15, { atLeast: 1.15 }, 'pass'],
    [1.14, { atLeast: 1.15 }, 'MISSED'],
    [2.5, { atMost: 2.5 }, 'pass'],
    [2.6, { atMost: 2.5 }, 'MISSED'],
    [0, { atMost: 0 }, 'pass'],
    [1, { atMost: 0 }, 'MISSED'],
    [Number.NaN, { atLeast: 0 }, 'MISSED'],
    [7, undefined, ''],
    [undefined, { atLeast: 1 }, 'skipped'],
    [undefined, undefined, 'skipped'],
  ])('on %d with the bound %j is "%s"', (median, bound, expected) => {
    const value = median === undefined ? undefined : spreadOf([median]);
    expect(verdict({ value, ...(bound ? { bound } : {}) })).toBe(expected);
  });

  it('is about the median and not about the worst round', () => {
    expect(verdict({ value: spreadOf([0.5, 1.2, 1.3]), bound: { atLeast: 1.1 } })).toBe('pass');
  });
});
