import { inLine, isProven } from './retire.ts';
import type { Action, Observed, PodView } from './view.ts';

/**
 * Which pods get new connections. Pure.
 *
 * While pods are replaced, whoever is closed should come back to a pod that stays, and to one with room: then a client
 * reconnects once in the whole rollout, and no pod has much more than its share. A closed pod stays ready and keeps its
 * connections; only the label that the Service selects on is taken off.
 *
 * Never are all closed: where no new pod has room, the old pods that are last in line are open too.
 */

/** A pod has room up to this share of the mean. */
const FULL = 1.05;
/** And once it was full, again below this one: labels should not flap. */
const ROOM = 0.95;

/**
 * @param revision the wanted one
 * @param drained pods that are told to drain now
 */
export function steering(
  observed: Observed,
  revision: string,
  drained: ReadonlySet<string>,
): Action[] {
  const open = openOnes(observed, revision, drained);
  const actions: Action[] = [];
  // First open, then close: in between there are too many rather than none.
  for (const pod of live(observed)) {
    if (open.has(pod.name) && !pod.open) actions.push({ do: 'open', pod: pod.name });
  }
  if (open.size === 0) return actions;
  for (const pod of live(observed)) {
    if (!open.has(pod.name) && pod.open && pod.ready) actions.push({ do: 'close', pod: pod.name });
  }
  return actions;
}

const live = ({ pods }: Observed): PodView[] => pods.filter((pod) => !pod.terminating);

function openOnes(observed: Observed, revision: string, drained: ReadonlySet<string>): Set<string> {
  const { server, now } = observed;
  const staying = live(observed).filter(
    (pod) => pod.drainSince === undefined && !pod.going && !drained.has(pod.name),
  );
  const mine = staying.filter((pod) => pod.revision === revision);
  const old = staying.filter((pod) => pod.revision !== revision);
  const good = mine.filter((pod) => isProven(pod, server.spec.rollout.minReadySeconds, now));
  // Those that go still accept for a while; better they than nobody.
  if (!staying.some(({ ready }) => ready)) return names(live(observed));
  if (good.length === 0) return names(withoutPassing(staying, revision, server.spec.replicas));
  // Nobody who is or will be on the way.
  if (!isAnyoneMoving(observed, old, drained)) return names(staying);
  const roomy = good.filter((pod) => hasRoom(pod, observed));
  // Pods that are not good yet are not ready or have just become so: the Service decides by their readiness.
  const young = mine.filter((pod) => !good.includes(pod) && pod.open);
  if (roomy.length > 0) return names([...roomy, ...young]);
  if (old.every(({ ready }) => !ready)) return names(mine);
  const last = old.filter(({ ready }) => ready).sort((a, b) => inLine(b, a));
  return names([...last.slice(0, Math.max(1, Math.floor(last.length / 2))), ...young]);
}

/**
 * There is nothing to steer to yet. Of quick edits there may be pods that were only just made and will go again: whoever
 * came to them would be closed twice. So of the old revisions only the one with most clients is open, unless it has so few
 * pods left that they would have too much to carry.
 */
function withoutPassing(
  staying: readonly PodView[],
  revision: string,
  replicas: number,
): PodView[] {
  const ready = staying.filter((pod) => pod.revision !== revision && pod.ready);
  const weights = new Map<string, [clients: number, pods: number]>();
  for (const pod of ready) {
    const [clients, pods] = weights.get(pod.revision) ?? [0, 0];
    weights.set(pod.revision, [clients + (pod.answer?.connections ?? 0), pods + 1]);
  }
  const [stable] = [...weights].sort(([, a], [, b]) => b[0] - a[0] || b[1] - a[1]);
  if (!stable || stable[1][1] < replicas / 2) return [...staying];
  return staying.filter((pod) => pod.revision === revision || pod.revision === stable[0]);
}

/** Whether pods lose their connections, or will: old ones, and those that are too many. */
function isAnyoneMoving(
  observed: Observed,
  old: readonly PodView[],
  drained: ReadonlySet<string>,
): boolean {
  const going = observed.pods.filter(
    (pod) => pod.terminating || pod.going || pod.drainSince !== undefined || drained.has(pod.name),
  );
  return (
    old.some(({ ready }) => ready) || going.some(({ answer }) => (answer?.connections ?? 0) > 0)
  );
}

const names = (pods: readonly PodView[]): Set<string> => new Set(pods.map(({ name }) => name));

function hasRoom(pod: PodView, { server, pods }: Observed): boolean {
  const all = pods.reduce((sum, { answer }) => sum + (answer?.connections ?? 0), 0);
  const mean = all / Math.max(1, server.spec.replicas);
  const own = pod.answer?.connections ?? 0;
  return own < Math.max(1, mean * (pod.open ? FULL : ROOM));
}
