import { ANNOTATION } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { canonical, hash } from './inputs.ts';
import { isGood } from './retire.ts';
import type { Action, Observed, PodView } from './view.ts';

/**
 * What changes inside living pods: hot configuration, which every process gets at once, and reloads, which replace the
 * processes of one pod after another. Pure.
 *
 * What a pod should run is a name, `want`: of the code, the number of processes and the trigger annotation. It is
 * written on the pod when a reload for it begins. So an operator that starts anew knows which reload has failed, and
 * does not try it again until something is changed.
 */

/** The name of what a pod should run. */
export function wantOf({ server, code }: Pick<Observed, 'server' | 'code'>): string {
  const counts = server.spec.workers
    .flatMap(({ name, count }) => (count === undefined ? [] : [[name, count] as const]))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return [triggerOf(server), hash(canonical([code ?? '', counts]))].join('/');
}

const triggerOf = ({ metadata }: SocketServer): string =>
  hash(metadata.annotations?.[ANNOTATION.reload] ?? '');

export type ReloadState = 'current' | 'adopt' | 'due' | 'running' | 'failed' | 'unknown';

/** How a pod of the wanted revision stands to what it should run. */
export function reloadState(pod: PodView, observed: Observed): ReloadState {
  const { answer, reloadedFor } = pod;
  const want = wantOf(observed);
  if (!answer) return 'unknown';
  const matches = isAsWanted(pod, observed);
  if (reloadedFor === want) {
    if (answer.reload?.state === 'running') return 'running';
    return matches ? 'current' : 'failed';
  }
  // Never reloaded, or for the same trigger: if it runs the right thing there is nothing to do.
  const sameTrigger = reloadedFor === undefined || reloadedFor.split('/')[0] === want.split('/')[0];
  return matches && sameTrigger ? 'adopt' : 'due';
}

function isAsWanted({ answer }: PodView, { server, code }: Observed): boolean {
  if (code !== undefined && answer?.code !== code) return false;
  return server.spec.workers.every(
    ({ name, count }) => count === undefined || answer?.counts[name] === count,
  );
}

/** Why a pod is not as wanted though its reload is over. */
function whyNot({ answer }: PodView, { server }: Observed): string {
  if (answer?.reload?.state === 'failed') return answer.reload.reason ?? 'no reason given';
  const wrong = server.spec.workers.find(
    ({ name, count }) => count !== undefined && answer?.counts[name] !== count,
  );
  if (wrong === undefined) return 'it runs other code than the ConfigMap has';
  const real = answer?.counts[wrong.name];
  return real === undefined
    ? `the program has no worker ${wrong.name}`
    : `worker ${wrong.name} has ${real} processes, not ${wrong.count}`;
}

export type Reloading = {
  readonly actions: readonly Action[];
  /** Pods that do not run what they should yet. */
  readonly due: number;
  /** The pod whose reload failed, and why. */
  readonly failed?: { readonly pod: string; readonly reason: string };
  /** Pods that do not have the hot configuration yet. */
  readonly cold: number;
};

/** @param revision only pods of this one are reloaded; the others go anyway */
export function reloading(observed: Observed, revision: string): Reloading {
  const { server, config } = observed;
  const here = observed.pods.filter((pod) => !pod.terminating && pod.answer !== undefined);
  const cold = here.filter(
    ({ answer }) => answer?.config !== config && answer?.phase === 'running',
  );
  const actions: Action[] = cold.map(({ name }) => ({ do: 'config', pod: name }));
  const mine = here.filter((pod) => pod.revision === revision && pod.drainSince === undefined);
  const states = new Map(mine.map((pod) => [pod, reloadState(pod, observed)]));
  const of = (state: ReloadState) => mine.filter((pod) => states.get(pod) === state);
  const want = wantOf(observed);
  // Without the ConfigMap nobody knows what should run.
  const known = observed.missing.length === 0;
  for (const { name } of known ? of('adopt') : []) actions.push({ do: 'adopt', pod: name, want });
  const [failed] = of('failed');
  const running = of('running');
  if (known && failed === undefined && running.length === 0 && !server.spec.rollout.paused) {
    const [next] = of('due').filter((pod) => isGood(pod, 0, observed.now));
    if (next) actions.push({ do: 'reload', pod: next.name, want });
  }
  return {
    actions,
    due: of('due').length + running.length + of('failed').length,
    cold: cold.length,
    ...(failed ? { failed: { pod: failed.name, reason: whyNot(failed, observed) } } : {}),
  };
}
