import { budget, graceSeconds } from './amounts.ts';
import type { Action, Observed, PodView, SetView } from './view.ts';

/**
 * How many pods each revision has, and which of them go. Pure.
 *
 * Two reasons to go, one way: a pod of an old revision is replaced, and of the wanted revision those beyond `replicas`
 * are too many. Either is drained through its own admin port, then marked, then its set is made smaller by one.
 *
 *     serving ──drain──► draining ──empty or too late──► marked ──seen──► the set shrinks, the pod is gone
 *        ▲                  │
 *        └────undrain───────┘   it is wanted after all
 *
 * All numbers are absolute and come from what is seen, so doing it twice, or from an older view, changes nothing: a
 * set only grows to what is missing and only shrinks to the pods that are to stay.
 */

/** A pod that has not been ready for this long does not count as serving. */
const LOST_MS = 15_000;

/** @param revision the wanted one */
export function retirement(observed: Observed, revision: string): Action[] {
  const { sets } = observed;
  const current = sets.find((set) => set.revision === revision);
  const olds = sets.filter((set) => set.revision !== revision);
  return [
    ...leaving(observed, olds, revision),
    ...resize(observed, current, olds),
    ...forget(observed, olds),
  ];
}

const ofSet = (pods: readonly PodView[], set: SetView): PodView[] =>
  pods.filter((pod) => pod.revision === set.revision && !pod.terminating && !pod.over);

/**
 * Pods that their kubelet would not start, as with a sysctl that it does not allow. Their set would make another one
 * at once, for ever.
 */
export function rejectedOf(pods: readonly PodView[], revision: string): PodView | undefined {
  return pods.find(
    (pod) =>
      pod.revision === revision && pod.over && pod.problem?.startsWith('SysctlForbidden') === true,
  );
}

/** Drains what may be drained, takes drains back, and marks what is done. */
function leaving(observed: Observed, olds: readonly SetView[], revision: string): Action[] {
  const { pods, server } = observed;
  const { paused } = server.spec.rollout;
  const wanted = pods.filter((pod) => pod.revision === revision && !pod.terminating && !pod.over);
  const old = olds.flatMap((set) => ofSet(pods, set));
  const excess = excessOf(wanted, server.spec.replicas);
  const actions = wanted.filter((pod) => !excess.includes(pod)).flatMap(takeBack);
  const starting = [...excess, ...nextOld(observed, wanted, old)];
  for (const pod of starting) {
    // One that serves nobody has nothing to drain.
    if (pod.drainSince === undefined && !pod.going && isServing(pod))
      actions.push({ do: 'drain', pod: pod.name });
  }
  for (const pod of [...excess, ...old]) {
    // It was told and does not drain: it had not heard, or has been started anew.
    if (pod.drainSince !== undefined && !pod.going && pod.answer?.phase === 'running')
      actions.push({ do: 'drain', pod: pod.name });
  }
  const gone = [
    ...excess.filter((pod) => !isServing(pod) || isDrained(pod, observed)),
    ...old.filter((pod) => isDrained(pod, observed) || (!paused && isIdle(pod, observed.now))),
  ];
  for (const pod of gone) if (!pod.going) actions.push({ do: 'mark', pod: pod.name, going: true });
  return actions;
}

/** It stays after all. */
function takeBack({ name, drainSince, going }: PodView): Action[] {
  if (drainSince !== undefined) return [{ do: 'undrain', pod: name }];
  return going ? [{ do: 'mark', pod: name, going: false }] : [];
}

const isServing = (pod: PodView): boolean => pod.ready || (pod.answer?.connections ?? 0) > 0;

/** Of the wanted revision: those beyond `replicas`; already draining ones first, then the emptiest. */
function excessOf(wanted: readonly PodView[], replicas: number): PodView[] {
  const rank = (pod: PodView): number => {
    if (pod.going) return -3;
    if (!isServing(pod)) return -2;
    return pod.drainSince === undefined ? 0 : -1;
  };
  const connections = (pod: PodView) => pod.answer?.connections ?? 0;
  const order = [...wanted].sort(
    (a, b) => rank(a) - rank(b) || connections(a) - connections(b) || b.createdAt - a.createdAt,
  );
  return order.slice(0, Math.max(0, wanted.length - replicas));
}

/** Of the old revisions: the ones that may be drained now without having too few that serve. */
function nextOld(
  { server, now }: Observed,
  wanted: readonly PodView[],
  old: readonly PodView[],
): PodView[] {
  const { replicas, rollout } = server.spec;
  const { unavailable } = budget(rollout, replicas);
  if (rollout.paused) return [];
  const serving = old
    .filter((pod) => isServing(pod) && pod.drainSince === undefined && !pod.going)
    .sort(inLine);
  const good = wanted.filter((pod) => isProven(pod, rollout.minReadySeconds, now)).length;
  const spare = good + serving.filter(({ ready }) => ready).length - (replicas - unavailable);
  return serving.slice(0, Math.max(0, spare));
}

/**
 * The order in which old pods go: the emptiest first. Of quick edits those are the pods that were only just made, and
 * fewest clients come to a pod that the next edit replaces. One that does not answer comes after those without clients.
 */
export function inLine(a: PodView, b: PodView): number {
  const clients = ({ answer }: PodView) => answer?.connections ?? 0.5;
  return clients(a) - clients(b) || a.createdAt - b.createdAt;
}

/** Ready for long enough, and here to stay. */
export function isGood(pod: PodView, minReadySeconds: number, now: number): boolean {
  const stays = !pod.terminating && !pod.going && pod.drainSince === undefined;
  return stays && pod.ready && now - pod.since >= minReadySeconds * 1000;
}

/** Good, and it says so itself: an old pod is given up for no other. */
export function isProven(pod: PodView, minReadySeconds: number, now: number): boolean {
  return isGood(pod, minReadySeconds, now) && pod.answer !== undefined;
}

/** Whether a draining pod can be removed now: it is empty, or its time is over. */
function isDrained(pod: PodView, { server, now }: Observed): boolean {
  if (pod.drainSince === undefined) return false;
  if (now - pod.drainSince >= graceSeconds(server.spec.drain) * 1000) return true;
  // One that says nothing has until its deadline.
  const drains = pod.answer !== undefined && pod.answer.phase !== 'running';
  return drains && pod.answer?.connections === 0;
}

/** Not draining, and serving nobody for a while: there is nobody to close. */
const isIdle = (pod: PodView, now: number): boolean =>
  pod.drainSince === undefined && !isServing(pod) && now - pod.since >= LOST_MS;

/** Marked pods are removed by making their set smaller; the wanted set grows into the budget. */
function resize(
  { server, pods }: Observed,
  current: SetView | undefined,
  olds: readonly SetView[],
): Action[] {
  const { replicas, rollout } = server.spec;
  const actions: Action[] = [];
  for (const set of olds) {
    const keep = ofSet(pods, set).filter((pod) => !pod.going).length;
    if (set.replicas > keep) actions.push({ do: 'scale-set', set: set.name, replicas: keep });
  }
  if (!current) return actions;
  const target = grown({ server, pods }, current, olds, budget(rollout, replicas).surge);
  if (target !== current.replicas)
    actions.push({ do: 'scale-set', set: current.name, replicas: target });
  return actions;
}

function grown(
  { server, pods }: Pick<Observed, 'server' | 'pods'>,
  current: SetView,
  olds: readonly SetView[],
  surge: number,
): number {
  const { replicas, rollout } = server.spec;
  const own = ofSet(pods, current);
  if (rejectedOf(pods, current.revision)) return own.filter(({ ready }) => ready).length;
  if (current.replicas > replicas) {
    // Only as fast as pods are marked: a set that shrinks by itself would choose without draining.
    const keep = own.filter((pod) => !pod.going).length;
    return Math.min(current.replicas, Math.max(replicas, keep));
  }
  const old = olds.reduce((sum, set) => sum + Math.max(set.replicas, ofSet(pods, set).length), 0);
  const ending = pods.filter((pod) => pod.terminating && pod.revision !== current.revision).length;
  if (rollout.paused && old > 0) return current.replicas;
  const room = replicas + surge - old - ending;
  return Math.max(current.replicas, Math.min(replicas, room));
}

/** Old revisions without pods are kept as history, the newest of them. Pods that are over go with their set. */
function forget({ server, pods }: Observed, olds: readonly SetView[]): Action[] {
  const empty = olds
    .filter(
      (set) =>
        set.replicas === 0 &&
        !pods.some(({ revision, over }) => !over && revision === set.revision),
    )
    .sort((a, b) => b.number - a.number);
  return empty
    .slice(server.spec.rollout.revisionHistoryLimit)
    .map((set) => ({ do: 'delete-set', set: set.name }));
}
