import { type Finding, no, yes } from '../api/conditions.ts';
import { classOf, type Work } from './change.ts';
import type { Reloading } from './reload.ts';
import { rejectedOf } from './retire.ts';
import { sameSetting } from './tuning.ts';
import type { Observed } from './view.ts';

/** The conditions of a server, each with a sentence. Pure. */

export type Circumstances = {
  readonly revision: string;
  readonly reload: Reloading;
  readonly work: Work;
  /** Nothing has got on for longer than the progress deadline. */
  readonly late: boolean;
};

export function findings(observed: Observed, circumstances: Circumstances): Finding[] {
  const obstacle = obstacleOf(observed, circumstances);
  return [
    ready(observed, circumstances, obstacle),
    progressing(observed, circumstances, obstacle),
    ...kstatus(observed, circumstances, obstacle),
    draining(observed),
    tuning(observed, circumstances.revision),
    saturated(observed),
  ];
}

type Obstacle = { readonly reason: string; readonly message: string };

/** What keeps it from getting on until somebody changes something. */
function obstacleOf(
  { missing, refused, pods }: Observed,
  { revision, reload, work, late }: Circumstances,
): Obstacle | undefined {
  if (refused !== undefined) return { reason: 'Refused', message: refused };
  const rejected = rejectedOf(pods, revision);
  if (rejected)
    return {
      reason: 'PodRejected',
      message: `node of pod ${rejected.name}: ${rejected.problem}; change spec.tuning, no further pod is made until then`,
    };
  const [first] = missing;
  if (first !== undefined)
    return {
      reason: 'Missing',
      message: `${first} does not exist; it is looked for again when it is made`,
    };
  if (reload.failed)
    return {
      reason: 'ReloadFailed',
      message: `pod ${reload.failed.pod} runs the old code, the others were left alone: ${reload.failed.reason}`,
    };
  if (!late) return undefined;
  const stuck = pods.find((pod) => pod.revision === revision && !pod.ready && !pod.terminating);
  const why = stuck
    ? `pod ${stuck.name} does not become ready: ${stuck.problem ?? 'no reason known'}`
    : 'no pod has become good or gone';
  const back =
    work.old > 0
      ? '. Pods of the old revision were left alone; annotate longshore.dev/undo=previous to go back'
      : '';
  return {
    reason: 'ProgressDeadlineExceeded',
    message: `no progress within the deadline; ${why}${back}`,
  };
}

function ready(
  { server, pods }: Observed,
  { work, revision }: Circumstances,
  obstacle: Obstacle | undefined,
): Finding {
  const { replicas } = server.spec;
  const kind = classOf(work);
  if (obstacle) return no('Ready', obstacle.reason, obstacle.message);
  if (kind === 'None')
    return work.good >= replicas ? allReady(replicas) : silent(pods, work, replicas);
  const stuck = pods.find(
    (pod) => pod.revision === revision && !pod.ready && pod.problem !== undefined,
  );
  const problem = stuck ? `; pod ${stuck.name}: ${stuck.problem}` : '';
  return no(
    'Ready',
    kind,
    `${Math.min(work.good, replicas)} of ${replicas} pods are ready and up to date${besideText(work)}${problem}`,
  );
}

const allReady = (replicas: number): Finding =>
  yes('Ready', 'AllPodsReady', `${replicas} of ${replicas} pods are ready and up to date`);

/** Pods that serve, but do not say what they run: nobody can know whether they are as they should be. */
function silent(pods: Observed['pods'], { good }: Work, replicas: number): Finding {
  const first = pods.find(({ answer, terminating }) => !answer && !terminating);
  const which = first ? `; pod ${first.name}: ${first.silence ?? 'not asked yet'}` : '';
  const message = `${good} of ${replicas} pods say that they are up to date${which}`;
  return no('Ready', 'PodSilent', message);
}

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
  const idle = classOf(circumstances.work) === 'None';
  if (obstacle) return [no('Reconciling', reason, message), yes('Stalled', reason, message)];
  const { work } = circumstances;
  const { pods, server } = observed;
  const quiet =
    idle && work.good < server.spec.replicas && silent(pods, work, server.spec.replicas);
  const under = quiet
    ? yes('Reconciling', quiet.reason, quiet.message)
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
  return first
    ? yes(
        'Saturated',
        'MaxConnections',
        `${full.length} of ${pods.length} pods are at limits.maxConnections, ${first.name} first; raise replicas`,
      )
    : no('Saturated', 'RoomLeft', 'every pod takes connections');
}
