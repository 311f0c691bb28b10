import type { Work } from '../../operator/decide/change.ts';
import { findings } from '../../operator/decide/findings.ts';
import type { Circumstances } from '../../operator/decide/obstacle.ts';
import type { Reloading } from '../../operator/decide/reload.ts';
import type { Crash, Observed, PodAnswer, PodView, SetView } from '../../operator/decide/view.ts';
import type { SpecPart } from './server-world.ts';
import { FACTS, serverOf } from './servers.ts';

/** Servers at one moment, and what their conditions say. */

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
  resumed: false,
  same: false,
};
export const ANSWER: PodAnswer = {
  phase: 'running',
  connections: 5,
  counts: { a: 2 },
  sysctls: {},
};

export const pod = (name: string, part: Partial<PodView> = {}): PodView => ({
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

export const set = (skipped: Readonly<Record<string, string>>, failure?: string): SetView => ({
  name: 'chat-r1',
  revision: 'r1',
  number: 1,
  replicas: 2,
  inputs: {},
  skipped,
  ...(failure === undefined ? {} : { failure }),
});

export type Scene = Partial<Omit<Observed, 'server'>> & { spec?: SpecPart } & Partial<
    Omit<Circumstances, 'work'>
  > & { work?: Partial<Work> };

/** A condition as `STATUS reason: message`. */
export function said(
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

export const stuck: PodView = pod('p3', { ready: false, problem: 'ErrImagePull: no' });
export const silent = (name: string): PodView => {
  const { answer: _, ...rest } = pod(name, { silence: 'timeout' });
  return rest;
};
export const NEVER: Crash = { exitCode: 78, times: 2 };
export const FORBIDDEN = 'SysctlForbidden: net.core.somaxconn';
export const failed: Reloading = {
  actions: [],
  due: 1,
  cold: 0,
  failed: { pod: 'p1', reason: 'no' },
};
