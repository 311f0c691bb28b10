import type { SocketServerStatus } from '../api/types.ts';
import { classOf } from './change.ts';
import { events } from './events.ts';
import { inputsOf, revisionOf } from './inputs.ts';
import { peerActions } from './peers.ts';
import { reloading } from './reload.ts';
import { retirement } from './retire.ts';
import { numberOf, statusOf, workOf } from './status.ts';
import { steering } from './steer.ts';
import type { Action, Observed, SetView } from './view.ts';

/** What is to be done about a server, and what to say of it. Pure: the same view gives the same decision. */

export type Decision = {
  readonly revision: string;
  readonly actions: readonly Action[];
  readonly status: SocketServerStatus;
  /** Look again after so long, though nothing may have happened. Milliseconds. */
  readonly lookAgainMs: number;
};

/** While something goes on, pods are asked this often. */
const BUSY_MS = 1000;
/** And otherwise: for the number of connections. */
const CALM_MS = 10_000;
/** Without pods there is nothing to ask. */
const EMPTY_MS = 600_000;

export function decide(observed: Observed): Decision {
  const { server, sets, pods, missing, refused, elsewhere } = observed;
  const revision = revisionOf(inputsOf(server.spec));
  const reload = reloading(observed, revision);
  const status = statusOf(observed, revision, reload);
  const current = sets.find((set) => set.revision === revision);
  const blocked = missing.length > 0 || refused !== undefined;
  const deleting = server.metadata.deletionTimestamp !== undefined;
  const retire = blocked ? [] : retirement(observed, revision);
  const actions = deleting
    ? []
    : [
        ...(current || blocked || elsewhere !== undefined ? [] : [creation(observed, revision)]),
        ...(current ? renumbering(observed, current) : []),
        // Closed first and drained then, so that whoever comes back goes elsewhere.
        ...steering(observed, revision, drainedBy(retire)),
        ...retire,
        ...peerActions(observed),
        ...reload.actions,
        ...events(observed, revision, status),
      ];
  const idle = classOf(workOf(observed, revision, reload)) === 'None';
  const calm = pods.length === 0 ? EMPTY_MS : CALM_MS;
  return {
    revision,
    actions,
    status,
    lookAgainMs: idle || blocked ? calm : BUSY_MS,
  };
}

const drainedBy = (actions: readonly Action[]): Set<string> =>
  new Set(actions.flatMap((action) => (action.do === 'drain' ? [action.pod] : [])));

/** The first revision begins whole; a later one grows as the budget lets it. */
function creation(observed: Observed, revision: string): Action {
  const { server, sets, pods } = observed;
  const number = numberOf(observed, revision);
  const first = pods.length === 0 && sets.every(({ replicas }) => replicas === 0);
  return { do: 'create-set', revision, number, replicas: first ? server.spec.replicas : 0 };
}

/** A revision that comes back is the newest: `undo` goes to the one before it. */
function renumbering(observed: Observed, { name, revision, number }: SetView): Action[] {
  const next = numberOf(observed, revision);
  return next === number ? [] : [{ do: 'number-set', set: name, number: next }];
}
