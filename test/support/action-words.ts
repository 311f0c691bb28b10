import type { Action, PodView } from '../../operator/decide/view.ts';
import type { ServerWorld } from './server-world.ts';

/** An action in a few words. */
export function wordsOf(action: Action, { sets }: Pick<ServerWorld, 'sets'>): string {
  switch (action.do) {
    case 'event':
      return `${action.type === 'Warning' ? 'warn' : 'say'} ${action.reason}: ${action.message}`;
    case 'create-set':
      return `create #${action.number} with ${action.replicas}`;
    case 'scale-set':
      return `scale #${sets.get(action.set)?.number} to ${action.replicas}`;
    case 'number-set':
      return `number #${sets.get(action.set)?.number} as #${action.number}`;
    case 'delete-set':
      return `delete #${sets.get(action.set)?.number}`;
    case 'mark':
      return `${action.going ? 'mark' : 'unmark'} ${action.pod}`;
    default:
      return `${action.do} ${action.pod}`;
  }
}

const marks = (pod: PodView): string =>
  [
    pod.ready ? 'ready' : '-',
    pod.open ? 'open' : 'closed',
    ...(pod.drainSince === undefined ? [] : ['draining']),
    ...(pod.going ? ['going'] : []),
    ...(pod.terminating ? ['terminating'] : []),
    ...(pod.over ? ['over'] : []),
  ].join(' ');

/** What there is in a world, as lines to read. */
export function pictureOf({ sets, pods, decision }: ServerWorld): string {
  return [
    ...[...sets.values()].map((set) => `set ${set.number} ${set.inputs.image}: ${set.replicas}`),
    ...[...pods.values()].map(
      (pod) =>
        `${pod.name} ${sets.get(pod.revision)?.number} ${marks(pod)} ${pod.answer.connections}`,
    ),
    JSON.stringify(decision?.status.conditions),
  ].join('\n');
}
