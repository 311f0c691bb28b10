import type { ContainerStatus, Node, Pod } from '../api/meta.ts';
import type { Crash } from '../decide/view.ts';

/** Why a pod does not run, from what Kubernetes writes into its status. Pure. */

/** Name of the program's container in `desired/pod.ts`; others are somebody else's. */
const OWN = 'server';

/**
 * Why a pod does not run, as `REASON: sentence`: first what its kubelet or its containers say, then the scheduler, then
 * that its node is away.
 *
 * @param node the one that it is on, if that is known
 * @returns `undefined` if nothing is wrong as far as one can see
 */
export function problemOf(pod: Pod, node?: Node): string | undefined {
  const { status } = pod;
  if (status?.reason !== undefined && status.phase === 'Failed')
    return sentence(status.reason, status.message);
  for (const container of containersOf(pod)) {
    const problem = waitingOf(container) ?? endedOf(pod.metadata.name, container);
    if (problem !== undefined) return problem;
  }
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return sentence(scheduled.reason, scheduled.message);
  return lostWith(node);
}

/** How the program of a pod ended last; `undefined` if it never has. */
export function crashOf({ status }: Pod): Crash | undefined {
  const own = status?.containerStatuses?.find(({ name }) => name === OWN);
  const ended = own && lastEnd(own);
  return ended && { exitCode: ended.exitCode, times: timesOf(own) };
}

const containersOf = ({ status }: Pod): ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];

const lastEnd = ({ state, lastState }: ContainerStatus) =>
  state?.terminated ?? lastState?.terminated;

/** It has ended once more than it was started again, if it does not run now. */
const timesOf = ({ restartCount, state }: ContainerStatus): number =>
  state?.running ? restartCount : restartCount + 1;

/** What every container goes through is no problem. */
const USUAL = ['ContainerCreating', 'PodInitializing', 'CrashLoopBackOff'];

function waitingOf(container: ContainerStatus): string | undefined {
  const { reason, message } = container.state?.waiting ?? {};
  if (reason === 'CrashLoopBackOff' && !lastEnd(container)) return sentence(reason, message);
  return reason === undefined || USUAL.includes(reason) ? undefined : sentence(reason, message);
}

/** Between two ends it runs for a moment: that is no recovery as long as the pod is not ready. */
function endedOf(pod: string, container: ContainerStatus): string | undefined {
  const ended = lastEnd(container);
  // An init container that ended well is done.
  if (!ended || (ended.exitCode === 0 && container.state?.terminated && container.name !== OWN))
    return undefined;
  const times = timesOf(container);
  const reason = times > 1 ? 'CrashLoopBackOff' : (ended.reason ?? 'Error');
  const again = times > 1 ? `, restarted ${times === 2 ? 'once' : `${times - 1} times`}` : '';
  const of = container.name === OWN ? '' : ` -c ${container.name}`;
  return sentence(
    reason,
    `container ${container.name} ended with exit code ${ended.exitCode}${again}${lastWords(ended.message)}`,
    `; read kubectl logs ${pod}${of}`,
  );
}

/** The last line of a program's log, as it reads. */
function lastWords(text = ''): string {
  const line = text.trim().split('\n').at(-1) ?? '';
  return line === '' ? '' : `: ${messageIn(line)}`;
}

/** Our own logs are JSON in a pod. */
function messageIn(line: string): string {
  try {
    const { message } = JSON.parse(line) as { message?: unknown };
    return typeof message === 'string' ? message : line;
  } catch {
    return line;
  }
}

/** A kubelet that is away starts nothing and says nothing. */
function lostWith(node: Node | undefined): string | undefined {
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
  if (!node || !ready || ready.status === 'True') return undefined;
  return sentence(
    'NodeNotReady',
    `node ${node.metadata.name} is not ready; bring it back, or delete the pod to have another one elsewhere`,
  );
}

/** @param advice kept whole however long the message is */
const sentence = (reason = 'Unknown', message?: string, advice = ''): string =>
  message === undefined ? reason : `${reason}: ${message.slice(0, 300)}${advice}`;
