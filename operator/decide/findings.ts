import { type Finding, no, unknown, yes } from '../api/conditions.ts';
import { classOf, type Work } from './change.ts';
import {
  type Circumstances,
  failureOf,
  muteOf,
  type Obstacle,
  obstacleOf,
  silenceOf,
  troubledOf,
} from './obstacle.ts';
import { peersKnown } from './peers.ts';
import { sameSetting } from './tuning.ts';
import type { Observed, PodView } from './view.ts';

/** The conditions of a server, each with a sentence. Pure. */

export function findings(observed: Observed, circumstances: Circumstances): Finding[] {
  const obstacle = obstacleOf(observed, circumstances);
  return [
    ready(observed, circumstances, obstacle),
    progressing(observed, circumstances, obstacle),
    ...kstatus(observed, circumstances, obstacle),
    draining(observed),
    tuning(observed, circumstances.revision),
    saturated(observed),
    ...peersKnown(observed),
  ];
}

function ready(
  observed: Observed,
  { work, revision }: Circumstances,
  obstacle: Obstacle | undefined,
): Finding {
  const { server, pods } = observed;
  const { replicas } = server.spec;
  const kind = classOf(work);
  if (obstacle) return no('Ready', obstacle.reason, obstacle.message);
  if (kind === 'None' && observed.elsewhere !== undefined)
    return yes('Ready', 'Elsewhere', `programs use ${observed.elsewhere}; no pods are made`);
  if (kind === 'None')
    return work.good >= replicas
      ? yes('Ready', 'AllPodsReady', `${replicas} of ${replicas} pods are ready and up to date`)
      : no('Ready', 'PodSilent', silent(observed, work));
  const far = `${Math.min(work.good, replicas)} of ${replicas} pods are ready and up to date${besideText(work)}`;
  const failure = failureOf(observed, revision);
  if (failure !== undefined) return no('Ready', 'FailedCreate', `${far}; ${failure}`);
  return no('Ready', kind, `${far}${troubleText(pods, revision)}`);
}

/** What is the matter with the first pod that is not as it should be. */
function troubleText(pods: readonly PodView[], revision: string): string {
  const stuck = troubledOf(pods, revision);
  return stuck ? `; pod ${stuck.name}: ${stuck.problem}` : silenceOf(muteOf(pods, revision));
}

const silent = ({ server, pods }: Observed, { good }: Work): string =>
  `${good} of ${server.spec.replicas} pods say that they are up to date${silenceOf(pods)}`;

function besideText({ old, excess }: Work): string {
  const olds = old > 0 ? `, ${old} of an old revision are left` : '';
  return excess > 0 ? `${olds}, ${excess} are too many` : olds;
}

function progressing(
  { server }: Observed,
  { work }: Circumstances,
  obstacle: Obstacle | undefined,
): Finding {
  const kind = classOf(work);
  if (obstacle) return no('Progressing', obstacle.reason, obstacle.message);
  if (kind === 'None') return no('Progressing', 'Complete', 'nothing is left to do');
  if (server.spec.rollout.paused && kind !== 'Scale' && kind !== 'Hot')
    return no('Progressing', 'Paused', 'rollout.paused is true; set it to false to go on');
  const { replicas } = server.spec;
  const good = Math.min(work.good, replicas);
  return yes('Progressing', kind, `${good} of ${replicas} pods${besideText(work)}`);
}

/** What `kubectl wait`, helm and Argo CD judge by: under way, or stuck. */
function kstatus(
  observed: Observed,
  circumstances: Circumstances,
  obstacle: Obstacle | undefined,
): Finding[] {
  const { reason, message } = progressing(observed, circumstances, obstacle);
  if (obstacle) return [no('Reconciling', reason, message), yes('Stalled', reason, message)];
  const { work } = circumstances;
  const idle = classOf(work) === 'None';
  const quiet = idle && work.good < observed.server.spec.replicas;
  const under = quiet
    ? yes('Reconciling', 'PodSilent', silent(observed, work))
    : ({ type: 'Reconciling', status: idle ? 'False' : 'True', reason, message } as const);
  return [under, no('Stalled', 'NoObstacle', 'nothing is in the way')];
}

function draining({ pods }: Observed): Finding {
  const going = pods.filter((pod) => pod.drainSince !== undefined || pod.terminating);
  const left = going.reduce((sum, { answer }) => sum + (answer?.connections ?? 0), 0);
  if (going.length === 0) return no('Draining', 'NoPodLeaves', 'no pod is losing its connections');
  const list = going.slice(0, 3).map(({ name }) => name);
  const more = going.length > list.length ? ` and ${going.length - list.length} more` : '';
  return yes('Draining', 'PodsLeave', `${left} connections are left on ${list.join(', ')}${more}`);
}

/** Wanted and effective kernel settings of the pods that could be asked. */
function tuning({ server, sets, pods }: Observed, revision: string): Finding {
  const skipped = Object.entries(sets.find((set) => set.revision === revision)?.skipped ?? {});
  if (server.spec.tuning.mode === 'Off') return no('TuningApplied', 'Off', 'tuning.mode is Off');
  const wrong = pods.flatMap(({ name, answer, revision: own }) =>
    own === revision && answer
      ? wrongSettings(name, answer.sysctls, observedWanted(server.spec.tuning.sysctls))
      : [],
  );
  const [left] = skipped;
  if (left) {
    const more = skipped.length > 1 ? ` (and ${skipped.length - 1} more)` : '';
    return no('TuningApplied', 'Skipped', `${left[0]} is left out: ${left[1]}${more}`);
  }
  const [first] = wrong;
  if (first !== undefined) return no('TuningApplied', 'NotEffective', first);
  const gap = nobody(pods.filter((pod) => pod.revision === revision));
  if (gap) return unknown('TuningApplied', gap.reason, gap.message);
  return yes('TuningApplied', 'Applied', 'every pod has the kernel settings that it was made with');
}

const observedWanted = (sysctls: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(sysctls).filter(([, value]) => value !== '');

function wrongSettings(
  pod: string,
  effective: Readonly<Record<string, string>>,
  wanted: readonly (readonly [string, string])[],
): string[] {
  return wanted.flatMap(([name, value]) => {
    const real = effective[name];
    if (real === undefined || sameSetting(real, value)) return [];
    return [`${name} is ${real} in pod ${pod}, wanted ${value}`];
  });
}

/** At the bound of what its limits let in. */
function saturated({ server, pods }: Observed): Finding {
  const { maxConnections = 0 } = server.spec.limits;
  const full = pods.filter(({ answer }) => {
    if (!answer || maxConnections === 0) return false;
    const processes = Object.values(answer.counts).reduce((sum, count) => sum + count, 0);
    return processes > 0 && answer.connections >= 0.95 * maxConnections * processes;
  });
  const [first] = full;
  const gap = nobody(pods);
  if (gap) return unknown('Saturated', gap.reason, gap.message);
  return first
    ? yes(
        'Saturated',
        'MaxConnections',
        `${full.length} of ${pods.length} pods are at limits.maxConnections, ${first.name} first; raise replicas`,
      )
    : no('Saturated', 'RoomLeft', 'every pod takes connections');
}

/** Of pods that are not there, or have said nothing yet, nothing is known. */
function nobody(pods: readonly PodView[]): Obstacle | undefined {
  const here = pods.filter(({ terminating, over }) => !terminating && !over);
  const [first] = here;
  if (!first) return { reason: 'NoPods', message: 'there is no pod that could be asked' };
  if (here.some(({ answer }) => answer !== undefined)) return undefined;
  const why = first.silence ?? first.problem ?? 'it has not been asked yet';
  return { reason: 'NoAnswer', message: `no pod has answered; pod ${first.name}: ${why}` };
}
