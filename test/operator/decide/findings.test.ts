import { describe, expect, it } from '@jest/globals';
import type { PodView } from '../../../operator/decide/view.ts';
import { ANSWER, pod, type Scene, said, set, silent, stuck } from '../../support/conditions.ts';

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
    'pods that a quota keeps out',
    { work: { missing: 1, good: 1 }, pods: [pod('p1')], sets: [set({}, 'quota')] },
    'False FailedCreate: 1 of 2 pods are ready and up to date; Kubernetes makes no pod of ReplicaSet chat-r1: quota; raise that bound or remove what refuses the pod; Kubernetes tries again by itself, with pauses of up to minutes',
    'True Scale: 1 of 2 pods',
  ],
  [
    'pods that a quota has kept out, and that are there by now',
    { work: { missing: 1, good: 1 }, sets: [set({}, 'quota')] },
    'False Scale: 1 of 2 pods are ready and up to date',
    'True Scale: 1 of 2 pods',
  ],
  [
    'new pods that do not answer',
    { work: { old: 2, good: 0 }, pods: [pod('p1', { revision: 'r0' }), silent('p2')] },
    'False PodReplacement: 0 of 2 pods are ready and up to date, 2 of an old revision are left; pod p2: timeout',
    'True PodReplacement: 0 of 2 pods, 2 of an old revision are left',
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
      { spec: tuned, pods: [effective('4 5 6', { revision: 'r0' }), pod('p2')] },
      'True Applied: every pod has the kernel settings that it was made with',
    ],
    [
      { pods: [pod('p1', { revision: 'r0' })] },
      'Unknown NoPods: there is no pod that could be asked',
    ],
    [{ pods: [silent('p1')] }, 'Unknown NoAnswer: no pod has answered; pod p1: timeout'],
    [{ pods: [], sets: [set({ a: 'why' })] }, 'False Skipped: a is left out: why'],
  ])('%#', (scene, text) => {
    expect(said('TuningApplied', scene)).toBe(text);
  });
});

const bounded = { limits: { maxConnections: 10 } };
const holding = (connections: number) => pod('p1', { answer: { ...ANSWER, connections } });

describe('Saturated', () => {
  it.each<[Scene, string]>([
    [{ pods: [] }, 'Unknown NoPods: there is no pod that could be asked'],
    [{ pods: [pod('p1', { over: true })] }, 'Unknown NoPods: there is no pod that could be asked'],
    [{ pods: [silent('p1')] }, 'Unknown NoAnswer: no pod has answered; pod p1: timeout'],
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
