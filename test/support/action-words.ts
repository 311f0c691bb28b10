import type { Action, PodView } from '../../operator/decide/view.ts';
import type { ServerWorld } from './server-world.ts';

/** An action in a few words. */
export function wordsOf(action: Action): string {
  if (action.do === 'event') return `event ${action.reason}`;
  if (action.do === 'create-set') return `create ${action.number} with ${action.replicas}`;
  if (action.do === 'scale-set') return `scale to ${action.replicas}`;
  if (action.do === 'mark') return `mark ${action.pod} ${action.going}`;
  return `${action.do} ${'pod' in action ? action.pod : ''}`.trim();
}

/** What there is in a world, as lines to read. */
export function pictureOf({ sets, pods, decision }: ServerWorld): string {
  const marks = (pod: PodView) =>
    [
      pod.ready ? 'ready' : '-',
      pod.open ? 'open' : 'closed',
      ...(pod.drainSince === undefined ? [] : ['draining']),
      ...(pod.going ? ['going'] : []),
      ...(pod.terminating ? ['terminating'] : []),
    ].join(' ');
  return [
    ...[...sets.values()].map((set) => `set ${set.number} ${set.inputs.image}: ${set.replicas}`),
    ...[...pods.values()].map(
      (pod) => `${pod.name} ${sets.get(pod.revision)?.number} ${marks(pod)} ${pod.connections}`,
    ),
    JSON.stringify(decision?.status.conditions),
  ].join('\n');
}
