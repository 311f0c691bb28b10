import { conditionsOf, type Finding } from '../api/conditions.ts';
import { LABEL, namesOf } from '../api/names.ts';
import type { ChangeStatus, Phase, PodStatus, SocketServerStatus } from '../api/types.ts';
import { deadlineSeconds } from './amounts.ts';
import { changeOf, classOf, type Work } from './change.ts';
import { findings } from './findings.ts';
import { differences, inputsOf } from './inputs.ts';
import type { Reloading } from './reload.ts';
import { reloadState } from './reload.ts';
import { isGood } from './retire.ts';
import type { Observed, PodView } from './view.ts';

/** The status of a server. Pure. */

/** Pods listed in the status. */
const PODS_MAX = 50;

/** @param revision the wanted one */
export function statusOf(
  observed: Observed,
  revision: string,
  reload: Reloading,
): SocketServerStatus {
  const { server, pods, now } = observed;
  const before = server.status;
  const generation = server.metadata.generation ?? 0;
  const live = pods.filter(({ terminating, over }) => !terminating && !over);
  const work = workOf(observed, revision, reload);
  const change = changeOf(work, server.spec, before?.change, now);
  const at = new Date(now).toISOString();
  const late = isLate(observed, revision, work, change?.progressedAt);
  const found = findings(observed, { revision, reload, work, late });
  return {
    observedGeneration: generation,
    replicas: live.length,
    readyReplicas: live.filter(({ ready }) => ready).length,
    updatedReplicas: work.good,
    drainingReplicas: pods.filter(isDraining).length,
    connections: pods.reduce((sum, { answer }) => sum + (answer?.connections ?? 0), 0),
    selector: `${LABEL.server}=${namesOf(server).server}`,
    revision,
    revisionNumber: numberOf(observed, revision),
    phase: phaseOf(observed, work, found),
    ...(change ? { change: isHalted(found) ? endless(change) : change } : {}),
    conditions: conditionsOf(found, before?.conditions ?? [], generation, at),
    pods: podStatuses(pods),
  };
}

/** Of the wanted revision: the highest, also if it is made only now or is wanted again after others. */
export function numberOf({ sets }: Pick<Observed, 'sets'>, revision: string): number {
  const known = sets.find((set) => set.revision === revision)?.number ?? 0;
  const others = sets.filter((set) => set.revision !== revision);
  const highest = Math.max(0, ...others.map(({ number }) => number));
  return known > highest ? known : highest + 1;
}

/** Nobody knows when it will go on. */
const isHalted = (found: readonly Finding[]): boolean =>
  found.some(
    ({ type, status, reason }) =>
      (type === 'Stalled' && status === 'True') || (type === 'Progressing' && reason === 'Paused'),
  );

function endless({ expectedAt: _, ...change }: ChangeStatus): ChangeStatus {
  return change;
}

const isDraining = (pod: PodView): boolean => pod.drainSince !== undefined || pod.terminating;

/** What there is to do. */
export function workOf(observed: Observed, revision: string, reload: Reloading): Work {
  const { server, sets, pods, now } = observed;
  const { replicas, rollout } = server.spec;
  const change = server.status?.change;
  const mine = pods.filter((pod) => pod.revision === revision && !pod.terminating && !pod.over);
  const staying = mine.filter((pod) => pod.drainSince === undefined && !pod.going);
  const old = pods.filter((pod) => pod.revision !== revision && !pod.over);
  const inputs = inputsOf(server.spec);
  const oldSets = sets
    .filter((set) => old.some((pod) => pod.revision === set.revision))
    .sort((a, b) => b.number - a.number);
  const good = staying.filter(
    (pod) =>
      isGood(pod, rollout.minReadySeconds, now) &&
      ['current', 'adopt'].includes(reloadState(pod, observed)),
  );
  const up = staying.filter((pod) => isGood(pod, rollout.minReadySeconds, now)).length;
  return {
    fields: oldSets[0] ? differences(oldSets[0].inputs, inputs) : [],
    old: old.length,
    due: reload.due,
    cold: reload.cold,
    missing: Math.max(0, replicas - up),
    excess: Math.max(0, mine.length - replicas),
    good: good.length,
    replacing: change?.class === 'PodReplacement' && change.finishedAt === undefined,
    turned: server.status !== undefined && server.status.revision !== revision,
    resumed: wasHalted(server.status) && !isHeldUp(observed),
    same: server.status?.observedGeneration === server.metadata.generation,
  };
}

const HALTS = ['Paused', 'Missing', 'Refused'];

function wasHalted(status: SocketServerStatus | undefined): boolean {
  const last = status?.conditions.find(({ type }) => type === 'Progressing');
  return last !== undefined && HALTS.includes(last.reason);
}

const isHeldUp = ({ server, missing, refused }: Observed): boolean =>
  server.spec.rollout.paused || missing.length > 0 || refused !== undefined;

/** Whether nothing has got on for longer than allowed, and no pod that came late is on its way to be good. */
function isLate(
  { server, pods, now }: Observed,
  revision: string,
  work: Work,
  progressedAt: string | undefined,
): boolean {
  const { rollout, drain } = server.spec;
  if (classOf(work) === 'None' || rollout.paused || progressedAt === undefined) return false;
  if (now - Date.parse(progressedAt) <= deadlineSeconds(rollout, drain) * 1000) return false;
  return !pods.some(
    (pod) => pod.revision === revision && isComing(pod, rollout.minReadySeconds, now),
  );
}

/** A pod that was made so long ago may still be starting. Milliseconds. */
const YOUNG_MS = 60_000;

/** It was only just made and has no trouble, or it is ready and soon counts as good. */
function isComing(pod: PodView, minReadySeconds: number, now: number): boolean {
  if (pod.terminating || pod.over) return false;
  if (!pod.ready) return pod.problem === undefined && now - pod.createdAt < YOUNG_MS;
  return isGood(pod, 0, now) && !isGood(pod, minReadySeconds, now);
}

function phaseOf(
  { server, pods, missing, refused }: Observed,
  work: Work,
  found: readonly Finding[],
): Phase {
  const is = (type: string) => found.some((each) => each.type === type && each.status === 'True');
  if (server.metadata.deletionTimestamp !== undefined) return 'Deleting';
  if (missing.length > 0 || refused !== undefined) return 'Invalid';
  if (is('Stalled')) return 'Stalled';
  const kind = classOf(work);
  if (kind === 'None') return work.good >= server.spec.replicas ? 'Running' : 'Degraded';
  if (server.spec.rollout.paused && kind !== 'Scale' && kind !== 'Hot') return 'Paused';
  if (kind === 'PodReplacement') return 'Updating';
  if (kind === 'WorkerReload' || kind === 'Hot') return 'Reloading';
  if (pods.every(({ ready }) => !ready)) return 'Pending';
  return work.missing > 0 && work.excess === 0 && isShort(server.status) ? 'Degraded' : 'Scaling';
}

/** Whether it was complete before: then a pod has been lost, and nobody has asked for more. */
function isShort(before: SocketServerStatus | undefined): boolean {
  return before?.phase === 'Running' || before?.phase === 'Degraded';
}

function podStatuses(pods: readonly PodView[]): PodStatus[] {
  const rank = (pod: PodView) => (pod.ready ? 2 : 0) + (isDraining(pod) ? 0 : 1);
  return [...pods]
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
    .slice(0, PODS_MAX)
    .map((pod) => ({
      name: pod.name,
      revision: pod.revision,
      ready: pod.ready,
      open: pod.open,
      ...(pod.answer ? { connections: pod.answer.connections } : {}),
      state: stateOf(pod),
    }));
}

function stateOf(pod: PodView): string {
  if (pod.terminating) return 'Terminating';
  if (pod.drainSince !== undefined) return 'Draining';
  if (!pod.ready) return pod.problem ?? (pod.over ? 'Over' : 'Starting');
  if (pod.silence !== undefined) return pod.silence;
  return pod.open ? 'Serving' : 'Closed';
}
