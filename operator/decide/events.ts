import { conditionOf } from '../api/conditions.ts';
import type { SocketServerStatus } from '../api/types.ts';
import { failureOf, troubledOf } from './obstacle.ts';
import type { Action, Observed } from './view.ts';

/** What a person wants to read in `kubectl describe`. Pure. */

type Note = Extract<Action, { do: 'event' }>;

/**
 * Events for what is different from the status before.
 *
 * @param revision the wanted one
 */
export function events(observed: Observed, revision: string, status: SocketServerStatus): Note[] {
  const before = observed.server.status;
  const changed = (type: string) => {
    const now = conditionOf(status.conditions, type);
    const was = conditionOf(before?.conditions, type);
    return now && (!was || plain(was.message) !== plain(now.message)) ? now : undefined;
  };
  const stalled = changed('Stalled');
  const tuning = changed('TuningApplied');
  return [
    ...changes(before, status),
    ...(stalled?.status === 'True' ? [warning(stalled.reason, stalled.message)] : []),
    ...(stalled?.status === 'True' ? [] : troubles(observed, revision, status)),
    ...(tuning?.reason === 'Skipped' ? [warning('TuningSkipped', tuning.message)] : []),
  ];
}

/** How often a program was started again is no news. */
const plain = (message: string): string => message.replace(/, restarted (once|\d+ times)/, '');

const warning = (reason: string, message: string): Note => ({
  do: 'event',
  type: 'Warning',
  reason,
  message,
});

function changes(before: SocketServerStatus | undefined, { change }: SocketServerStatus): Note[] {
  if (!change) return [];
  const message = `${change.reason}: ${change.progress}`;
  const say = (reason: string): Note[] => [{ do: 'event', type: 'Normal', reason, message }];
  if (change.finishedAt !== undefined)
    return before?.change?.finishedAt === undefined ? say(`${change.class}Done`) : [];
  return change.startedAt === before?.change?.startedAt ? [] : say(`${change.class}Started`);
}

/** What may still get better by itself: said when `Ready` begins to speak of it, once for each pod. */
function troubles(observed: Observed, revision: string, status: SocketServerStatus): Note[] {
  const said = conditionOf(observed.server.status?.conditions, 'Ready')?.message ?? '';
  const now = conditionOf(status.conditions, 'Ready')?.message ?? '';
  const isNews = (text: string) => now.includes(text) && !said.includes(text);
  const failure = failureOf(observed, revision);
  if (failure !== undefined) return isNews(failure) ? [warning('FailedCreate', failure)] : [];
  const pod = troubledOf(observed.pods, revision);
  if (!pod || !isNews(`; pod ${pod.name}: `)) return [];
  return [warning('PodNotReady', `pod ${pod.name}: ${pod.problem}`)];
}
