import { describe, expect, it } from '@jest/globals';
import { backOffMs, jittered } from '../../../operator/kube/back-off.ts';

const BOUNDS = { firstMs: 200, mostMs: 60_000 };

describe('backOffMs', () => {
  it.each([
    [0, 1, 0],
    [1, 1, 200],
    [1, 0, 100],
    [1, 0.5, 150],
    [2, 1, 400],
    [3, 1, 800],
    [9, 1, 51_200],
    [10, 1, 60_000],
    [10, 0, 30_000],
    [1e9, 1, 60_000],
  ])('after %i failures, with chance %d, is %d', (failures, random, ms) => {
    expect(backOffMs(failures, random, BOUNDS)).toBe(ms);
  });
});

describe('jittered', () => {
  it.each([
    [0, 800],
    [0.5, 1000],
    [1, 1200],
  ])('with chance %d is %d', (random, ms) => {
    expect(jittered(1000, 0.2, random)).toBeCloseTo(ms, 9);
  });
});
