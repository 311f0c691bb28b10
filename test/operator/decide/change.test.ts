import { describe, expect, it } from '@jest/globals';
import type { ChangeStatus } from '../../../operator/api/types.ts';
import { changeOf, classOf, type Work } from '../../../operator/decide/change.ts';
import { serverOf } from '../../support/servers.ts';

const NONE: Work = {
  fields: [],
  old: 0,
  due: 0,
  cold: 0,
  missing: 0,
  excess: 0,
  good: 4,
  replacing: false,
  turned: false,
  resumed: false,
  same: false,
};
const NOW = Date.parse('2027-01-01T12:00:00Z');
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();
const { spec } = serverOf({ replicas: 4 });

describe('the class of a change', () => {
  it.each<[Partial<Work>, string]>([
    [{}, 'None'],
    [{ cold: 1 }, 'Hot'],
    [{ due: 1, cold: 4 }, 'WorkerReload'],
    [{ missing: 1, due: 1 }, 'Scale'],
    [{ excess: 1 }, 'Scale'],
    [{ replacing: true }, 'None'],
    [{ missing: 1, replacing: true }, 'PodReplacement'],
    [{ excess: 1, replacing: true }, 'PodReplacement'],
    [{ old: 1, missing: 1 }, 'PodReplacement'],
    [{ fields: ['image'] }, 'PodReplacement'],
  ])('of %j is %s', (work, kind) => {
    expect(classOf({ ...NONE, ...work })).toBe(kind);
  });
});

describe('a change', () => {
  it.each<[string, Partial<Work>, string, string, number]>([
    ['Hot', { cold: 3 }, 'config', '1 of 4 pods', 5],
    ['Hot', { cold: 9 }, 'config', '0 of 4 pods', 5],
    ['WorkerReload', { due: 3 }, 'code, workers or reload', '1 of 4 pods', 30],
    ['Scale', { missing: 2, good: 2 }, 'replicas', '2 of 4 pods', 15],
    ['Scale', { missing: 2, good: 2, same: true }, 'pods lost', '2 of 4 pods', 15],
    ['Scale', { excess: 2, good: 6 }, 'replicas', '4 of 4 pods, 2 to go', 50],
    ['Scale', { excess: 2, good: 6, same: true }, 'replicas', '4 of 4 pods, 2 to go', 50],
    [
      'PodReplacement',
      { fields: ['image'], old: 4, good: 0 },
      'image',
      '0 of 4 pods, 4 old left',
      245,
    ],
    [
      'PodReplacement',
      { fields: ['image', 'env'], old: 1, good: 3 },
      'image, env',
      '3 of 4 pods, 1 old left',
      65,
    ],
    ['PodReplacement', { old: 1, good: 4 }, 'pods', '4 of 4 pods, 1 old left', 65],
    [
      'PodReplacement',
      { fields: ['app'], old: 2, excess: 1, good: 4 },
      'app',
      '4 of 4 pods, 2 old left, 1 to go',
      125,
    ],
  ])('%s of %j begins: %s, %s, %d s', (kind, work, reason, progress, seconds) => {
    expect(changeOf({ ...NONE, ...work }, spec, undefined, NOW)).toEqual({
      class: kind,
      reason,
      startedAt: at(0),
      progress,
      progressedAt: at(0),
      expectedAt: at(seconds),
    });
  });

  it('is expected later with more at a time, and with a longer drain', () => {
    const work = { ...NONE, fields: ['image'], old: 4, good: 0 };
    const expected = (part: object) =>
      changeOf(work, serverOf({ replicas: 4, ...part }).spec, undefined, NOW)?.expectedAt;
    expect(expected({ rollout: { maxSurge: 2 } })).toBe(at(125));
    expect(expected({ rollout: { maxSurge: 2, maxUnavailable: 2 } })).toBe(at(65));
    expect(expected({ drain: { windowSeconds: 90 } })).toBe(at(485));
    expect(expected({ rollout: { minReadySeconds: 60 } })).toBe(at(300));
  });

  const BEFORE: ChangeStatus = {
    class: 'PodReplacement',
    reason: 'image',
    startedAt: at(-100),
    progress: '2 of 4 pods, 2 old left',
    progressedAt: at(-40),
    expectedAt: at(70),
  };
  const half = { ...NONE, fields: ['image'], old: 2, good: 2, replacing: true };

  it('that goes on without progress stays as it is', () => {
    expect(changeOf(half, spec, BEFORE, NOW)).toEqual(BEFORE);
  });

  it('that has got on keeps its beginning', () => {
    expect(changeOf({ ...half, old: 1, good: 3 }, spec, BEFORE, NOW)).toEqual({
      ...BEFORE,
      progress: '3 of 4 pods, 1 old left',
      progressedAt: at(0),
      expectedAt: at(65),
    });
  });

  it('keeps its reason when nothing tells any more what had changed', () => {
    const last = { ...NONE, missing: 1, good: 3, replacing: true };
    expect(changeOf(last, spec, BEFORE, NOW)).toMatchObject({
      class: 'PodReplacement',
      reason: 'image',
      progress: '3 of 4 pods',
    });
    const lost: ChangeStatus = { ...BEFORE, class: 'Scale', reason: 'replicas' };
    const seen = { ...NONE, missing: 1, good: 3, same: true };
    expect(changeOf(seen, spec, lost, NOW)?.reason).toBe('replicas');
  });

  it('to another revision begins anew', () => {
    const turned = { ...half, fields: ['env'], turned: true };
    expect(changeOf(turned, spec, BEFORE, NOW)).toMatchObject({
      reason: 'env',
      startedAt: at(0),
      progressedAt: at(0),
    });
  });

  it('of another class begins anew', () => {
    expect(changeOf({ ...NONE, cold: 1 }, spec, BEFORE, NOW)).toMatchObject({
      class: 'Hot',
      startedAt: at(0),
    });
  });

  it('that is through is the last one, for ever', () => {
    const done = changeOf(NONE, spec, BEFORE, NOW);
    expect(done).toEqual({
      class: 'PodReplacement',
      reason: 'image',
      startedAt: at(-100),
      progress: '4 of 4 pods',
      progressedAt: at(0),
      finishedAt: at(0),
    });
    expect(changeOf(NONE, spec, done, NOW + 5000)).toBe(done);
    expect(changeOf(NONE, spec, undefined, NOW)).toBeUndefined();
  });

  it('after one that is through begins anew, of the same class too', () => {
    const done = { ...BEFORE, finishedAt: at(-10) };
    expect(changeOf(half, spec, done, NOW)).toMatchObject({ startedAt: at(0) });
  });
});
