import { describe, expect, it } from '@jest/globals';
import { conditionOf, conditionsOf, no, yes } from '../../../operator/api/conditions.ts';

const THEN = '2027-01-01T00:00:00Z';
const NOW = '2027-01-01T00:01:00Z';

describe('conditions', () => {
  const before = conditionsOf([yes('Ready', 'A', 'a'), no('Stalled', 'B', 'b')], [], 1, THEN);

  it('have the time when they came about, and the generation', () => {
    expect(before).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: 'A',
        message: 'a',
        lastTransitionTime: THEN,
        observedGeneration: 1,
      },
      {
        type: 'Stalled',
        status: 'False',
        reason: 'B',
        message: 'b',
        lastTransitionTime: THEN,
        observedGeneration: 1,
      },
    ]);
  });

  it('keep that time while the status is the same, whatever the reason', () => {
    const after = conditionsOf([yes('Ready', 'C', 'c'), yes('Stalled', 'B', 'b')], before, 2, NOW);
    expect(after).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: 'C',
        message: 'c',
        lastTransitionTime: THEN,
        observedGeneration: 2,
      },
      {
        type: 'Stalled',
        status: 'True',
        reason: 'B',
        message: 'b',
        lastTransitionTime: NOW,
        observedGeneration: 2,
      },
    ]);
  });

  it('are found by their type', () => {
    expect(conditionOf(before, 'Stalled')?.reason).toBe('B');
    expect(conditionOf(before, 'Other')).toBeUndefined();
    expect(conditionOf(undefined, 'Ready')).toBeUndefined();
  });
});
