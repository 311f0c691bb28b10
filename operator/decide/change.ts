import type { ChangeClass, ChangeStatus, SocketServerSpec } from '../api/types.ts';
import { budget, graceSeconds } from './amounts.ts';

/** What is under way, in the words of the status. Pure. */

/** What there is to do, as numbers. */
export type Work = {
  /** Fields in which the pods of old revisions differ from the spec. */
  readonly fields: readonly string[];
  /** Pods of old revisions, terminating ones included. */
  readonly old: number;
  /** Pods that run another code or another number of processes than they should. */
  readonly due: number;
  /** Pods without the newest hot configuration. */
  readonly cold: number;
  /** Pods that are missing, or too many. */
  readonly missing: number;
  readonly excess: number;
  /** Pods that are as they should be. */
  readonly good: number;
  /** A replacement has begun and was not through yet: its last pods may still be missing when the old ones are gone. */
  readonly replacing: boolean;
  /** Another revision is wanted than at the last look: the clock starts anew. */
  readonly turned: boolean;
  /** It was halted at the last look, by `rollout.paused` or an object that was missing, and is not now. */
  readonly resumed: boolean;
  /** The spec is the same as at the last look: what is missing has been lost. */
  readonly same: boolean;
};

/** What kind of change it is; the dearest, if there are several. */
export function classOf({ fields, old, due, cold, missing, excess, replacing }: Work): ChangeClass {
  if (old > 0 || fields.length > 0) return 'PodReplacement';
  if (missing > 0 || excess > 0) return replacing ? 'PodReplacement' : 'Scale';
  if (due > 0) return 'WorkerReload';
  return cold > 0 ? 'Hot' : 'None';
}

/**
 * The change for the status. One that goes on keeps its beginning; one that is through is kept as the last one.
 *
 * @param before what the status said
 * @param now milliseconds since 1970
 */
export function changeOf(
  work: Work,
  spec: SocketServerSpec,
  before: ChangeStatus | undefined,
  now: number,
): ChangeStatus | undefined {
  const kind = classOf(work);
  const at = new Date(now).toISOString();
  if (kind === 'None')
    return before && before.finishedAt === undefined ? finished(before, spec, at) : before;
  const goesOn = before?.class === kind && before.finishedAt === undefined && !work.turned;
  const reason = reasonOf(kind, work) || (goesOn ? before.reason : 'pods');
  const progress = progressOf(kind, work, spec);
  const same = goesOn && before.progress === progress && !work.resumed;
  const until = same ? before.expectedAt : expected(kind, work, spec, now);
  // One that was wrong is not replaced by the next guess.
  const isAhead = until !== undefined && Date.parse(until) > now;
  return {
    class: kind,
    reason: goesOn && staysReason(kind, work) ? before.reason : reason,
    startedAt: goesOn ? before.startedAt : at,
    progress,
    progressedAt: same ? before.progressedAt : at,
    ...(isAhead ? { expectedAt: until } : {}),
  };
}

function finished(before: ChangeStatus, spec: SocketServerSpec, at: string): ChangeStatus {
  const { expectedAt: _, ...rest } = before;
  const progress = `${spec.replicas} of ${spec.replicas} pods`;
  return { ...rest, progress, progressedAt: at, finishedAt: at };
}

/** When the last old pod is gone nothing tells any more what had changed; nor when a lost pod is seen the second time. */
function staysReason(kind: ChangeClass, { fields }: Work): boolean {
  return kind === 'Scale' || (kind === 'PodReplacement' && fields.length === 0);
}

function reasonOf(kind: ChangeClass, { fields, missing, same }: Work): string {
  if (kind === 'PodReplacement') return fields.join(', ');
  if (kind === 'Scale') return same && missing > 0 ? 'pods lost' : 'replicas';
  return { Hot: 'config', WorkerReload: 'code, workers or reload', None: '' }[kind];
}

function progressOf(kind: ChangeClass, work: Work, spec: SocketServerSpec): string {
  const total = spec.replicas;
  const left = { WorkerReload: work.due, Hot: work.cold }[kind as 'WorkerReload' | 'Hot'];
  const done = left === undefined ? Math.min(work.good, total) : Math.max(0, total - left);
  const beside = [
    ...(work.old > 0 ? [`${work.old} old left`] : []),
    ...(work.excess > 0 ? [`${work.excess} to go`] : []),
  ];
  return [`${done} of ${total} pods`, ...beside].join(', ');
}

/** From pull to ready, as it mostly is. Seconds. */
const START_SECONDS = 10;

function expected(kind: ChangeClass, work: Work, spec: SocketServerSpec, now: number): string {
  const { drain, rollout, replicas } = spec;
  const { surge, unavailable } = budget(rollout, replicas);
  const waves = Math.ceil(work.old / Math.max(1, surge + unavailable));
  const seconds = {
    PodReplacement: waves * (graceSeconds(drain) + START_SECONDS) + rollout.minReadySeconds,
    Scale: work.excess > 0 ? graceSeconds(drain) : START_SECONDS + rollout.minReadySeconds,
    WorkerReload: work.due * START_SECONDS,
    Hot: 5,
    None: 0,
  }[kind];
  return new Date(now + seconds * 1000).toISOString();
}
