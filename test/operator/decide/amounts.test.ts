import { describe, expect, it } from '@jest/globals';
import type { RolloutSpec } from '../../../operator/api/types.ts';
import { budget, deadlineSeconds, graceSeconds } from '../../../operator/decide/amounts.ts';
import { serverOf } from '../../support/servers.ts';

const rolloutOf = (part: Partial<RolloutSpec>): RolloutSpec =>
  serverOf({ rollout: part }).spec.rollout;

describe('budget', () => {
  it.each([
    [1, 0, 4, 1, 0],
    [2, 1, 4, 2, 1],
    ['25%', '25%', 10, 3, 2],
    ['25%', '25%', 4, 1, 1],
    ['25%', '25%', 3, 1, 0],
    ['1%', '99%', 1, 1, 0],
    ['100%', '100%', 7, 7, 7],
    [0, '10%', 2, 0, 1],
    ['0%', '49%', 2, 0, 1],
    [0, 0, 5, 0, 1],
    ['50%', 0, 0, 0, 1],
    [1, 0, 0, 1, 0],
    [1000, 0, 1000, 1000, 0],
  ])(
    'surge %s, unavailable %s of %d: %d and %d',
    (maxSurge, maxUnavailable, replicas, surge, unavailable) => {
      expect(budget(rolloutOf({ maxSurge, maxUnavailable }), replicas)).toEqual({
        surge,
        unavailable,
      });
    },
  );
});

describe('seconds', () => {
  it.each([
    [0, 0, 15],
    [5, 30, 50],
    [300, 3600, 3915],
  ])('propagation %d and window %d: grace %d', (propagationSeconds, windowSeconds, grace) => {
    expect(graceSeconds({ propagationSeconds, windowSeconds })).toBe(grace);
  });

  it.each([
    [{}, 355],
    [{ minReadySeconds: 60 }, 410],
    [{ progressDeadlineSeconds: 7 }, 7],
  ])('of progress with %j: %d', (part, seconds) => {
    const drain = { propagationSeconds: 5, windowSeconds: 30 };
    expect(deadlineSeconds(rolloutOf(part), drain)).toBe(seconds);
  });
});
