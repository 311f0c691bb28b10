import { describe, expect, it } from '@jest/globals';
import { type End, nextOf } from '../../../operator/kube/watch-plan.ts';

describe('nextOf', () => {
  it.each<[string, End, number, [waitMs: number, list: boolean, failures: number]]>([
    ['over as agreed', { how: 'over', livedMs: 300_000 }, 0, [0, false, 0]],
    ['over as agreed after failures', { how: 'over', livedMs: 300_000 }, 7, [0, false, 0]],
    ['over at once', { how: 'over', livedMs: 10 }, 0, [0, false, 1]],
    ['over at once, again', { how: 'over', livedMs: 10 }, 1, [400, false, 2]],
    ['too old after a long life', { how: 'gone', livedMs: 60_000 }, 0, [0, true, 0]],
    ['too old from the start', { how: 'gone', livedMs: 0 }, 0, [0, true, 1]],
    ['too old again and again', { how: 'gone', livedMs: 0 }, 2, [800, true, 3]],
    ['cut after a long life', { how: 'failed', livedMs: 60_000 }, 3, [0, false, 1]],
    ['refused', { how: 'failed', livedMs: 0 }, 0, [200, false, 1]],
    ['refused again', { how: 'failed', livedMs: 0 }, 1, [400, false, 2]],
    ['refused for a while: from the beginning', { how: 'failed', livedMs: 0 }, 4, [3200, true, 5]],
    ['refused for long', { how: 'failed', livedMs: 0 }, 100, [10_000, false, 101]],
  ])('%s', (_, end, before, [waitMs, list, failures]) => {
    expect(nextOf(end, before, 1)).toEqual({ waitMs, list, failures });
  });
});
