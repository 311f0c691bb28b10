import { describe, expect, it } from '@jest/globals';
import type { ContainerStatus, Node, Pod } from '../../../operator/api/meta.ts';
import { crashOf, problemOf } from '../../../operator/reconcile/pod-problem.ts';
import { podView } from '../../../operator/reconcile/pod-views.ts';
import { trimPod } from '../../../operator/reconcile/watches.ts';

const podOf = (part: Pick<Pod, 'spec' | 'status'>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'chat-x' },
  ...part,
});

const own = (container: Partial<ContainerStatus>): Pod =>
  podOf({
    status: { containerStatuses: [{ name: 'server', restartCount: 0, ...container }] },
  });

const BACK_OFF = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } };

/** It waits to be started the fourth time. */
const crashed = (exitCode: number, message?: string): Pod =>
  own({
    restartCount: 3,
    state: BACK_OFF,
    lastState: { terminated: { exitCode, ...(message === undefined ? {} : { message }) } },
  });

const END = { exitCode: 78, reason: 'Error', message: 'no Worker' };

describe('a program that ends', () => {
  it.each<[string, Pod, problem: string, times: number]>([
    [
      'with its last words',
      crashed(78, 'starting\nlongshore: /app/no.ts does not exist\n'),
      'CrashLoopBackOff: container server ended with exit code 78, restarted 3 times: longshore: /app/no.ts does not exist; read kubectl logs chat-x',
      4,
    ],
    [
      'with last words in JSON',
      crashed(1, '{"level":"error","message":"no database"}'),
      'CrashLoopBackOff: container server ended with exit code 1, restarted 3 times: no database; read kubectl logs chat-x',
      4,
    ],
    [
      'without a word',
      crashed(137),
      'CrashLoopBackOff: container server ended with exit code 137, restarted 3 times; read kubectl logs chat-x',
      4,
    ],
    [
      'with many words: what to do is not cut off',
      crashed(1, 'x'.repeat(1000)),
      `CrashLoopBackOff: ${`container server ended with exit code 1, restarted 3 times: ${'x'.repeat(300)}`.slice(0, 300)}; read kubectl logs chat-x`,
      4,
    ],
    [
      'for the first time',
      own({ state: { terminated: END } }),
      'Error: container server ended with exit code 78: no Worker; read kubectl logs chat-x',
      1,
    ],
    [
      'well, though it should not',
      own({ state: { terminated: { exitCode: 0, reason: 'Completed' } } }),
      'Completed: container server ended with exit code 0; read kubectl logs chat-x',
      1,
    ],
    [
      'and runs again for a moment',
      own({ restartCount: 2, state: { running: {} }, lastState: { terminated: END } }),
      'CrashLoopBackOff: container server ended with exit code 78, restarted once: no Worker; read kubectl logs chat-x',
      2,
    ],
  ])('%s', (_, pod, problem, times) => {
    expect(problemOf(pod)).toBe(problem);
    expect(crashOf(pod)).toMatchObject({ times });
    expect(podView(pod, {})).toMatchObject({ problem, crash: { times } });
  });

  it('has not crashed before it has ended', () => {
    expect(crashOf(own({ state: { running: {} } }))).toBeUndefined();
    expect(crashOf(own({ state: BACK_OFF }))).toBeUndefined();
    expect(problemOf(own({ state: BACK_OFF }))).toBe('CrashLoopBackOff: back-off 10s');
  });
});

describe('another container', () => {
  it('that crashes is named, and is not the program', () => {
    const pod = podOf({
      status: {
        containerStatuses: [
          { name: 'proxy', restartCount: 1, state: BACK_OFF, lastState: { terminated: END } },
        ],
      },
    });
    expect(problemOf(pod)).toBe(
      'CrashLoopBackOff: container proxy ended with exit code 78, restarted once: no Worker; read kubectl logs chat-x -c proxy',
    );
    expect(crashOf(pod)).toBeUndefined();
  });

  it.each<[string, ContainerStatus['state'], string | undefined]>([
    ['is done', { terminated: { exitCode: 0 } }, undefined],
    ['waits', { waiting: { reason: 'CrashLoopBackOff' } }, 'CrashLoopBackOff'],
    [
      'fails',
      { terminated: { exitCode: 1 } },
      'Error: container tune ended with exit code 1; read kubectl logs chat-x -c tune',
    ],
  ])('before it that %s', (_, state, problem) => {
    const pod = podOf({
      status: {
        initContainerStatuses: [{ name: 'tune', restartCount: 0, ...(state ? { state } : {}) }],
        containerStatuses: [
          { name: 'server', restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } },
        ],
      },
    });
    expect(problemOf(pod)).toBe(problem);
  });
});

describe('a node', () => {
  it.each<[string, string | undefined]>([
    ['True', undefined],
    [
      'Unknown',
      'NodeNotReady: node n1 is not ready; bring it back, or delete the pod to have another one elsewhere',
    ],
  ])('whose Ready is %s', (status, problem) => {
    const node: Node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1' },
      status: { conditions: [{ type: 'Ready', status }] },
    };
    const pod = podOf({ spec: { nodeName: 'n1' } });
    expect(problemOf(pod, node)).toBe(problem);
    // What the watch keeps of a pod has its node still.
    expect(podView(trimPod(pod), {}, node)).toMatchObject({ node: 'n1' });
  });
});
