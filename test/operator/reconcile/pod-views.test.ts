import { describe, expect, it } from '@jest/globals';
import type { Pod, ReplicaSet } from '../../../operator/api/meta.ts';
import type { PodReport } from '../../../operator/api/pod-status.ts';
import { type Asked, podView, setView } from '../../../operator/reconcile/pod-views.ts';
import { trimSet } from '../../../operator/reconcile/watches.ts';

const CREATED = '2027-01-01T00:00:00Z';
const LATER = '2027-01-01T00:00:07Z';
const ms = (time: string): number => Date.parse(time);

type Part = { metadata?: Partial<Pod['metadata']>; status?: Pod['status'] };

const podOf = ({ metadata, status }: Part): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'chat-r1-x',
    creationTimestamp: CREATED,
    labels: { 'longshore.dev/revision': 'r1', 'longshore.dev/open': 'true' },
    ...metadata,
  },
  ...(status ? { status } : {}),
});

const READY = {
  type: 'Ready',
  status: 'True',
  lastTransitionTime: LATER,
  reason: '',
  message: '',
} as const;
const UNREADY = { ...READY, status: 'False' } as const;

const PLAIN = {
  name: 'chat-r1-x',
  revision: 'r1',
  ready: false,
  since: ms(CREATED),
  createdAt: ms(CREATED),
  terminating: false,
  open: true,
  going: false,
  over: false,
};

const annotated = (annotations: Record<string, string>): Part => ({ metadata: { annotations } });
const waiting = (reason?: string, message?: string) => ({
  containerStatuses: [
    {
      name: 'server',
      restartCount: 0,
      state: { waiting: { ...(reason ? { reason } : {}), ...(message ? { message } : {}) } },
    },
  ],
});

describe('a pod', () => {
  it.each<[string, Part, object]>([
    ['that has just been made', {}, {}],
    ['without labels', { metadata: { labels: {} } }, { revision: '', open: false }],
    ['that is ready', { status: { conditions: [READY] } }, { ready: true, since: ms(LATER) }],
    ['that is not ready any more', { status: { conditions: [UNREADY] } }, { since: ms(LATER) }],
    [
      'that is being ended counts as not ready',
      { metadata: { deletionTimestamp: LATER }, status: { conditions: [READY] } },
      { terminating: true, since: ms(LATER) },
    ],
    [
      'that is closed',
      { metadata: { labels: { 'longshore.dev/revision': 'r1', 'longshore.dev/open': 'false' } } },
      { open: false },
    ],
    ['that drains', annotated({ 'longshore.dev/drain-since': LATER }), { drainSince: ms(LATER) }],
    [
      'that is to go',
      annotated({ 'controller.kubernetes.io/pod-deletion-cost': '-1000' }),
      { going: true },
    ],
    [
      'with a cost of somebody else',
      annotated({ 'controller.kubernetes.io/pod-deletion-cost': '5' }),
      {},
    ],
    [
      'that was reloaded',
      annotated({ 'longshore.dev/reloaded-for': 'a/b', 'longshore.dev/code': 'k1' }),
      { reloadedFor: 'a/b', codeTold: 'k1' },
    ],
    ['that is over', { status: { phase: 'Succeeded' } }, { over: true }],
    [
      'that a kubelet refused',
      { status: { phase: 'Failed', reason: 'SysctlForbidden', message: 'net.core.somaxconn' } },
      { over: true, problem: 'SysctlForbidden: net.core.somaxconn' },
    ],
    ['that failed without a reason', { status: { phase: 'Failed' } }, { over: true }],
    [
      'that cannot have its image',
      { status: waiting('ErrImagePull', 'no such image') },
      { problem: 'ErrImagePull: no such image' },
    ],
    ['whose container is being made', { status: waiting('ContainerCreating') }, {}],
    ['whose init container runs', { status: waiting('PodInitializing') }, {}],
    ['that waits for no reason', { status: waiting() }, {}],
    [
      'that fits on no node',
      {
        status: {
          conditions: [
            {
              ...UNREADY,
              type: 'PodScheduled',
              reason: 'Unschedulable',
              message: '0/3 nodes are available',
            },
          ],
        },
      },
      { problem: 'Unschedulable: 0/3 nodes are available' },
    ],
    [
      'with a long message',
      { status: waiting('ErrImagePull', 'x'.repeat(1000)) },
      { problem: `ErrImagePull: ${'x'.repeat(300)}` },
    ],
  ])('%s', (_, part, more) => {
    expect(podView(podOf(part), {})).toEqual({ ...PLAIN, ...more });
  });

  it('with a time that is none has no time left to drain', () => {
    const { drainSince } = podView(podOf(annotated({ 'longshore.dev/drain-since': 'soon' })), {});
    expect(drainSince).toBe(ms(CREATED));
  });
});

const process = (connections: number) => ({
  pid: 1,
  worker_name: 'chat',
  worker_id: 0,
  state: 'ready',
  connections,
  busy: false,
});
const REPORT: PodReport = {
  version: '0.1.0',
  pid: 7,
  startedAt: 1,
  now: 2,
  phase: 'running',
  workers: [
    { name: 'chat', count: 2 },
    { name: 'jobs', count: 1 },
  ],
  processes: [process(3), process(4)],
};

describe('what a pod says', () => {
  it.each<[string, Asked, object]>([
    ['nothing asked', {}, {}],
    ['no answer', { silence: 'admin port timeout' }, { silence: 'admin port timeout' }],
    [
      'the least',
      { report: { ...REPORT, workers: [], processes: [] } },
      { answer: { phase: 'running', connections: 0, counts: {}, sysctls: {} } },
    ],
    [
      'connections that the program has opened itself',
      { report: { ...REPORT, workers: [], processes: [{ ...process(3), clients: 1 }] } },
      { answer: { phase: 'running', connections: 1, counts: {}, sysctls: {} } },
    ],
    [
      'everything',
      {
        report: {
          ...REPORT,
          code: 'k1',
          config: 'c1',
          sysctls: { a: '1' },
          reload: { id: 1, state: 'failed', replaced: 0, total: 2, reason: 'no' },
        },
      },
      {
        answer: {
          phase: 'running',
          connections: 7,
          counts: { chat: 2, jobs: 1 },
          code: 'k1',
          config: 'c1',
          sysctls: { a: '1' },
          reload: { state: 'failed', reason: 'no' },
        },
      },
    ],
    [
      'a reload that goes on',
      { report: { ...REPORT, reload: { id: 1, state: 'running', replaced: 0, total: 2 } } },
      {
        answer: {
          phase: 'running',
          connections: 7,
          counts: { chat: 2, jobs: 1 },
          sysctls: {},
          reload: { state: 'running' },
        },
      },
    ],
  ])('%s', (_, asked, more) => {
    expect(podView(podOf({}), asked)).toEqual({ ...PLAIN, ...more });
  });
});

const setOf = (annotations: Record<string, string>, replicas?: number): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'chat-r1', labels: { 'longshore.dev/revision': 'r1' }, annotations },
  spec: replicas === undefined ? {} : { replicas },
});

describe('a ReplicaSet', () => {
  it('as we made it', () => {
    const set = setOf(
      {
        'longshore.dev/revision-number': '4',
        'longshore.dev/inputs': '{"image":"a"}',
        'longshore.dev/sysctls-skipped': '{"b":"why"}',
      },
      3,
    );
    expect(setView(set)).toEqual({
      name: 'chat-r1',
      revision: 'r1',
      number: 4,
      replicas: 3,
      inputs: { image: 'a' },
      skipped: { b: 'why' },
    });
  });

  it.each<['True' | 'False', string | undefined]>([
    ['True', 'exceeded quota'],
    ['False', undefined],
  ])('that fails to make pods: %s', (status, failure) => {
    const condition = {
      type: 'ReplicaFailure',
      status,
      reason: 'FailedCreate',
      message: 'exceeded quota',
    };
    const other = { ...condition, type: 'Other' };
    const set = { ...setOf({}, 3), status: { replicas: 1, conditions: [other, condition] } };
    // Also of what the watch keeps of it.
    expect(setView(trimSet(set)).failure).toBe(failure);
  });

  const EMPTY = {
    name: 'chat-r1',
    revision: 'r1',
    number: 0,
    replicas: 0,
    inputs: {},
    skipped: {},
  };

  it.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['no JSON', { 'longshore.dev/inputs': '{', 'longshore.dev/sysctls-skipped': 'x' }],
    [
      'JSON of another kind',
      { 'longshore.dev/inputs': 'null', 'longshore.dev/sysctls-skipped': '[1]' },
    ],
    ['no number', { 'longshore.dev/revision-number': 'many' }],
  ])('with %s written on it does not stop us', (_, annotations) => {
    expect(setView(setOf(annotations))).toEqual(EMPTY);
  });
});
