import { EXIT } from '../../src/contract.ts';
import type { Work } from './change.ts';
import { peersKnown } from './peers.ts';
import type { Reloading } from './reload.ts';
import { rejectedOf } from './retire.ts';
import type { Observed, PodView, SetView } from './view.ts';

/** What keeps a server from getting on, and what helps against it. Pure. */

export type Circumstances = {
  readonly revision: string;
  readonly reload: Reloading;
  readonly work: Work;
  /** Nothing has got on for longer than the progress deadline. */
  readonly late: boolean;
};

/** One word in CamelCase, and a sentence. */
export type Obstacle = { readonly reason: string; readonly message: string };

/** What keeps it from getting on until somebody changes something. */
export function obstacleOf(
  observed: Observed,
  { revision, reload, work, late }: Circumstances,
): Obstacle | undefined {
  const { missing, refused, pods } = observed;
  if (refused !== undefined) return { reason: 'Refused', message: refused };
  const rejected = rejectedOf(pods, revision);
  if (rejected) return { reason: 'PodRejected', message: rejection(rejected) };
  const [first] = missing;
  if (first !== undefined)
    return {
      reason: 'Missing',
      message: `${first} does not exist; it is looked for again when it is made`,
    };
  const [peers] = peersKnown(observed);
  if (peers?.reason === 'Missing') return { reason: 'PeersMissing', message: peers.message };
  if (reload.failed)
    return {
      reason: 'ReloadFailed',
      message: `pod ${reload.failed.pod} runs the old code, the others were left alone: ${reload.failed.reason}`,
    };
  const hopeless = pods.find((pod) => isWaitedFor(pod, revision) && neverStarts(pod));
  if (hopeless)
    return {
      reason: 'PodCannotStart',
      message: `pod ${hopeless.name} can never start as it is: ${hopeless.problem}${wayBack(work)}`,
    };
  return late ? tooLate(observed, revision, work) : undefined;
}

/** A pod that does not become ready though it should, the first that says why. */
export function troubledOf(pods: readonly PodView[], revision: string): PodView | undefined {
  return pods.find((pod) => isWaitedFor(pod, revision) && pod.problem !== undefined);
}

/** Why pods are missing that Kubernetes was told to make, as with a quota; with what helps. */
export function failureOf({ sets, pods }: Observed, revision: string): string | undefined {
  const set = sets.find((each) => each.revision === revision);
  if (set?.failure === undefined || !isShort(set, pods)) return undefined;
  return `Kubernetes makes no pod of ReplicaSet ${set.name}: ${set.failure}; raise that bound or remove what refuses the pod; Kubernetes tries again by itself, with pauses of up to minutes`;
}

/**
 * The first pod that does not say what it runs, as `; pod NAME: why`: nobody can know whether it is as it should be.
 *
 * @returns an empty text if all say it
 */
export function silenceOf(pods: readonly PodView[]): string {
  const first = pods.find(({ answer, terminating }) => !answer && !terminating);
  return first ? `; pod ${first.name}: ${first.silence ?? 'not asked yet'}` : '';
}

/** Pods of the wanted revision that serve and do not answer. */
export const muteOf = (pods: readonly PodView[], revision: string): PodView[] =>
  pods.filter((pod) => pod.revision === revision && pod.ready && !pod.answer);

const isWaitedFor = (pod: PodView, revision: string): boolean =>
  pod.revision === revision && !pod.ready && !pod.terminating && !pod.over;

/** Twice: the first time something that it needs may not have been there yet. */
const neverStarts = ({ crash }: PodView): boolean =>
  crash !== undefined && crash.exitCode === EXIT.neverStarts && crash.times > 1;

const isShort = (set: SetView, pods: readonly PodView[]): boolean =>
  pods.filter((pod) => pod.revision === set.revision && !pod.terminating && !pod.over).length <
  set.replicas;

function rejection({ name, node, problem = '' }: PodView): string {
  const place = node === undefined ? 'its node' : `node ${node}`;
  return (
    `pod ${name} was rejected by ${place}: ${problem}; no further pod is made. ` +
    'Take the setting out of spec.tuning or choose mode UserNamespace; ' +
    `or let every kubelet allow it, then delete pod ${name} to have it tried again`
  );
}

const wayBack = ({ old }: Work): string =>
  old > 0
    ? '. Pods of the old revision were left alone; annotate longshore.dev/undo=previous to go back'
    : '';

function tooLate(observed: Observed, revision: string, work: Work): Obstacle {
  const { pods } = observed;
  const failure = failureOf(observed, revision);
  const stuck = troubledOf(pods, revision) ?? pods.find((pod) => isWaitedFor(pod, revision));
  const mute = muteOf(pods, revision);
  const late = (reason: string, why: string) => ({
    reason,
    message: `no progress within the deadline; ${why}${wayBack(work)}`,
  });
  if (stuck) return late('ProgressDeadlineExceeded', unready(stuck));
  if (failure !== undefined) return late('FailedCreate', failure);
  if (mute.length > 0)
    return late('PodSilent', `new pods are ready and do not say what they run${silenceOf(mute)}`);
  return late('ProgressDeadlineExceeded', 'no pod has become good or gone');
}

function unready({ name, node, problem }: PodView): string {
  const place = node === undefined ? '' : ` on node ${node}`;
  return `pod ${name}${place} does not become ready: ${problem ?? `no reason known; see kubectl describe pod ${name}`}`;
}
