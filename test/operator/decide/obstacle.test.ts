import { describe, expect, it } from '@jest/globals';
import type { PodView } from '../../../operator/decide/view.ts';
import {
  FORBIDDEN,
  failed,
  NEVER,
  pod,
  type Scene,
  said,
  set,
  silent,
  stuck,
} from '../../support/conditions.ts';

const OBSTACLES: readonly (readonly [Scene, string])[] = [
  [{ refused: 'Service "chat" is invalid' }, 'Refused: Service "chat" is invalid'],
  [
    { pods: [pod('p1', { ready: false, over: true, problem: FORBIDDEN })] },
    `PodRejected: pod p1 was rejected by its node: ${FORBIDDEN}; no further pod is made. Take the setting out of spec.tuning or choose mode UserNamespace; or let every kubelet allow it, then delete pod p1 to have it tried again`,
  ],
  [
    { pods: [pod('p1', { ready: false, problem: 'CrashLoopBackOff: why', crash: NEVER })] },
    'PodCannotStart: pod p1 can never start as it is: CrashLoopBackOff: why',
  ],
  [
    { late: true, pods: [pod('p1')], sets: [set({}, 'no room')], work: { missing: 1 } },
    'FailedCreate: no progress within the deadline; Kubernetes makes no pod of ReplicaSet chat-r1: no room; raise that bound or remove what refuses the pod; Kubernetes tries again by itself, with pauses of up to minutes',
  ],
  [
    { late: true, pods: [silent('p1')], work: { old: 1 } },
    'PodSilent: no progress within the deadline; new pods are ready and do not say what they run; pod p1: timeout. Pods of the old revision were left alone; annotate longshore.dev/undo=previous to go back',
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
    'ProgressDeadlineExceeded: no progress within the deadline; pod p3 does not become ready: no reason known; see kubectl describe pod p3',
  ],
  [
    { late: true, pods: [pod('p3', { ready: false, node: 'n2' })], work: { missing: 1 } },
    'ProgressDeadlineExceeded: no progress within the deadline; pod p3 on node n2 does not become ready: no reason known; see kubectl describe pod p3',
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

  it.each<[string, Partial<PodView>]>([
    ['has ended once', { crash: { exitCode: 78, times: 1 } }],
    ['ends with another code', { crash: { exitCode: 1, times: 9 } }],
    ['is ready by now', { crash: NEVER, ready: true }],
    ['is of another revision', { crash: NEVER, revision: 'r0' }],
  ])('is not a program that %s', (_, part) => {
    const scene = { pods: [pod('p1', { ready: false, problem: 'x', ...part })] };
    expect(said('Stalled', scene)).toBe('False NoObstacle: nothing is in the way');
  });

  it('is not a pod that has ended for another reason', () => {
    const evicted = pod('p1', { over: true, problem: 'Evicted: low on memory' });
    expect(said('Stalled', { pods: [evicted] })).toBe('False NoObstacle: nothing is in the way');
  });
});
