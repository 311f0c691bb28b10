import { describe, expect, it } from '@jest/globals';
import type { Work } from '../../../operator/decide/change.ts';
import { type Circumstances, findings } from '../../../operator/decide/findings.ts';
import type { Observed, PodAnswer, PodView, SetView } from '../../../operator/decide/view.ts';
import type { SpecPart } from '../../support/server-world.ts';
import { FACTS, serverOf } from '../../support/servers.ts';

const NONE: Work = {
  fields: [],
  old: 0,
  due: 0,
  cold: 0,
  missing: 0,
  excess: 0,
  good: 2,
  replacing: false,
  turned: false,
  same: false,
};
const ANSWER: PodAnswer = { phase: 'running', connections: 5, counts: { a: 2 }, sysctls: {} };

const pod = (name: string, part: Partial<PodView> = {}): PodView => ({
  name,
  revision: 'r1',
  ready: true,
  since: 0,
  createdAt: 0,
  terminating: false,
  open: true,
  going: false,
  over: false,
  answer: ANSWER,
  ...part,
});

const set = (skipped: Readonly<Record<string, string>>): SetView => ({
  name: 'chat-r1',
  revision: 'r1',
  number: 1,
  replicas: 2,
  inputs: {},
  skipped,
});

type Scene = Partial<Omit<Observed, 'server'>> & { spec?: SpecPart } & Partial<
    Omit<Circumstances, 'work'>
  > & { work?: Partial<Work> };

/** A condition as `STATUS reason: message`. */
function said(
  type: string,
  { spec = {}, work = {}, reload, late = false, ...rest }: Scene,
): string {
  const observed: Observed = {
    server: serverOf({ replicas: 2, ...spec }),
    sets: [],
    pods: [pod('p1'), pod('p2')],
    config: 'c1',
    missing: [],
    cluster: FACTS,
    now: 0,
    ...rest,
  };
  const found = findings(observed, {
    revision: 'r1',
    reload: reload ?? { actions: [], due: 0, cold: 0 },
    work: { ...NONE, ...work },
    late,
  }).find((each) => each.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
}

const stuck = pod('p3', { ready: false, problem: 'ErrImagePull: no' });
const FORBIDDEN = 'SysctlForbidden: net.core.somaxconn';
const failed = { actions: [], due: 1, cold: 0, failed: { pod: 'p1', reason: 'no' } };

const OBSTACLES: readonly (readonly [Scene, string])[] = [
  [{ refused: 'Service "chat" is invalid' }, 'Refused: Service "chat" is invalid'],
  [
    { pods: [pod('p1', { ready: false, over: true, problem: FORBIDDEN })] },
    `PodRejected: node of pod p1: ${FORBIDDEN}; change spec.tuning, no further pod is made until then`,
  ],
  [
    { missing: ['ConfigMap a', 'ConfigMap b'] },
    'Missing: ConfigMap a does not exist; it is looked for again when it is made',
  ],
  [{ reload: failed }, 'ReloadFailed: pod p1 runs the old code, the others were left alone: no'],
  [
    { late: true, pods: [pod('p1'), stuck], work: { old: 2 } },
    'ProgressDeadlineExceeded: no progress within the deadline; pod p3 does not become ready: ErrImagePull: no. Pods of the old revision were left alone; annotate longshore.dev/undo=previous to go back',
  ],
  [
    { late: true, pods: [pod('p3', { ready: false })], work: { missing: 1 } },
    'ProgressDeadlineExceeded: no progress within the deadline; pod p3 does not become ready: no reason known',
  ],
  [
    { late: true, work: { missing: 1 } },
    'ProgressDeadlineExceeded: no progress within the deadline; no pod has become good or gone',
  ],
];

describe('an obstacle', () => {
  it.each(OBSTACLES)('%j is in every condition', (scene, text) => {
    expect(said('Ready', scene)).toBe(`False ${text}`);
    expect(said('Progressing', scene)).toBe(`False ${text}`);
    expect(said('Reconciling', scene)).toBe(`False ${text}`);
    expect(said('Stalled', scene)).toBe(`True ${text}`);
  });

  it('that the API server or a node has put there comes before others', () => {
    const scene = { refused: 'no', missing: ['ConfigMap a'], reload: failed, late: true };
    expect(said('Ready', scene)).toBe('False Refused: no');
  });

  it('is not a pod of another revision that a node rejected', () => {
    const old = pod('p1', { revision: 'r0', over: true, problem: FORBIDDEN });
    expect(said('Stalled', { pods: [old] })).toBe('False NoObstacle: nothing is in the way');
  });

  it('is not a pod that has ended for another reason', () => {
    const evicted = pod('p1', { over: true, problem: 'Evicted: low on memory' });
    expect(said('Stalled', { pods: [evicted] })).toBe('False NoObstacle: nothing is in the way');
  });
});

const DOING: readonly (readonly [string, Scene, ready: string, progressing: string])[] = [
  [
    'nothing',
    {},
    'True AllPodsReady: 2 of 2 pods are ready and up to date',
    'False Complete: nothing is left to do',
  ],
  [
    'a replacement',
    { work: { fields: ['image'], old: 2, good: 0 } },
    'False PodReplacement: 0 of 2 pods are ready and up to date, 2 of an old revision are left',
    'True PodReplacement: 0 of 2 pods, 2 of an old revision are left',
  ],
  [
    'a replacement with a problem',
    { work: { old: 1, good: 1 }, pods: [pod('p1'), stuck] },
    'False PodReplacement: 1 of 2 pods are ready and up to date, 1 of an old revision are left; pod p3: ErrImagePull: no',
    'True PodReplacement: 1 of 2 pods, 1 of an old revision are left',
  ],
  [
    'pods too many',
    { work: { excess: 2, good: 4 } },
    'False Scale: 2 of 2 pods are ready and up to date, 2 are too many',
    'True Scale: 2 of 2 pods, 2 are too many',
  ],
  [
    'a reload',
    { work: { due: 1, good: 1 } },
    'False WorkerReload: 1 of 2 pods are ready and up to date',
    'True WorkerReload: 1 of 2 pods',
  ],
  [
    'a paused replacement',
    { work: { old: 2, good: 0 }, spec: { rollout: { paused: true } } },
    'False PodReplacement: 0 of 2 pods are ready and up to date, 2 of an old revision are left',
    'False Paused: rollout.paused is true; set it to false to go on',
  ],
  [
    'a paused reload',
    { work: { due: 1, good: 1 }, spec: { rollout: { paused: true } } },
    'False WorkerReload: 1 of 2 pods are ready and up to date',
    'False Paused: rollout.paused is true; set it to false to go on',
  ],
  [
    'a missing pod while paused',
    { work: { missing: 1, good: 1 }, spec: { rollout: { paused: true } } },
    'False Scale: 1 of 2 pods are ready and up to date',
    'True Scale: 1 of 2 pods',
  ],
  [
    'a paused server with hot configuration on its way',
    { work: { cold: 1 }, spec: { rollout: { paused: true } } },
    'False Hot: 2 of 2 pods are ready and up to date',
    'True Hot: 2 of 2 pods',
  ],
];

describe('what is going on', () => {
  it.each(DOING)('%s', (_, scene, ready, progressing) => {
    expect(said('Ready', scene)).toBe(ready);
    expect(said('Progressing', scene)).toBe(progressing);
    const text = progressing.replace(/^\w+ /, '');
    expect(said('Reconciling', scene)).toBe(
      `${ready.startsWith('True') ? 'False' : 'True'} ${text}`,
    );
    expect(said('Stalled', scene)).toBe('False NoObstacle: nothing is in the way');
  });
});

describe('a pod that says nothing', () => {
  const mute = (part: Partial<PodView>) => ({ name: 'p2', answer: undefined, ...part }) as PodView;
  it.each<[PodView, string]>([
    [
      mute({ silence: 'admin port timeout' }),
      'PodSilent: 1 of 2 pods say that they are up to date; pod p2: admin port timeout',
    ],
    [mute({}), 'PodSilent: 1 of 2 pods say that they are up to date; pod p2: not asked yet'],
    [mute({ terminating: true }), 'PodSilent: 1 of 2 pods say that they are up to date'],
  ])('%#', (other, text) => {
    const scene = { work: { good: 1 }, pods: [pod('p1'), other] };
    expect(said('Ready', scene)).toBe(`False ${text}`);
    expect(said('Reconciling', scene)).toBe(`True ${text}`);
    expect(said('Stalled', scene)).toBe('False NoObstacle: nothing is in the way');
  });
});

const leaving = (name: string) => pod(name, { drainSince: 1 });

describe('Draining', () => {
  it.each<[Scene, string]>([
    [{}, 'False NoPodLeaves: no pod is losing its connections'],
    [{ pods: [pod('p1'), leaving('p2')] }, 'True PodsLeave: 5 connections are left on p2'],
    [
      { pods: ['p1', 'p2', 'p3', 'p4', 'p5'].map(leaving) },
      'True PodsLeave: 25 connections are left on p1, p2, p3 and 2 more',
    ],
    [{ pods: [pod('p1', { terminating: true })] }, 'True PodsLeave: 5 connections are left on p1'],
  ])('%#', (scene, text) => {
    expect(said('Draining', scene)).toBe(text);
  });
});

const tuned = { tuning: { sysctls: { 'net.ipv4.tcp_rmem': '1 2 3', 'net.ipv4.tcp_wmem': '' } } };
const effective = (value: string, part: Partial<PodView> = {}) =>
  pod('p1', { answer: { ...ANSWER, sysctls: { 'net.ipv4.tcp_rmem': value } }, ...part });

describe('TuningApplied', () => {
  it.each<[Scene, string]>([
    [{}, 'True Applied: every pod has the kernel settings that it was made with'],
    [{ spec: { tuning: { mode: 'Off' } } }, 'False Off: tuning.mode is Off'],
    [{ sets: [set({ a: 'why' })] }, 'False Skipped: a is left out: why'],
    [
      { sets: [set({ a: 'why', b: 'x', c: 'y' })] },
      'False Skipped: a is left out: why (and 2 more)',
    ],
    [
      { spec: tuned, pods: [effective('4 5 6')] },
      'False NotEffective: net.ipv4.tcp_rmem is 4 5 6 in pod p1, wanted 1 2 3',
    ],
    [
      { spec: tuned, pods: [effective('1\t2  3')] },
      'True Applied: every pod has the kernel settings that it was made with',
    ],
    [
      { spec: tuned, pods: [effective('4 5 6', { revision: 'r0' })] },
      'True Applied: every pod has the kernel settings that it was made with',
    ],
  ])('%#', (scene, text) => {
    expect(said('TuningApplied', scene)).toBe(text);
  });
});

const bounded = { limits: { maxConnections: 10 } };
const holding = (connections: number) => pod('p1', { answer: { ...ANSWER, connections } });

describe('Saturated', () => {
  it.each<[Scene, string]>([
    [{ pods: [holding(1000)] }, 'False RoomLeft: every pod takes connections'],
    [{ spec: bounded, pods: [holding(18)] }, 'False RoomLeft: every pod takes connections'],
    [
      { spec: bounded, pods: [holding(19), pod('p2')] },
      'True MaxConnections: 1 of 2 pods are at limits.maxConnections, p1 first; raise replicas',
    ],
    [{ spec: { limits: { maxConnections: 0 } } }, 'False RoomLeft: every pod takes connections'],
    [
      { spec: bounded, pods: [pod('p1', { answer: { ...ANSWER, counts: {}, connections: 0 } })] },
      'False RoomLeft: every pod takes connections',
    ],
  ])('%#', (scene, text) => {
    expect(said('Saturated', scene)).toBe(text);
  });
});
