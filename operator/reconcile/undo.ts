import { ANNOTATION, isChannel } from '../api/names.ts';
import { channelSpecSchema } from '../api/schema-channel.ts';
import type { SocketServer, WorkerSpec } from '../api/types.ts';
import { inputsOf, revisionOf } from '../decide/inputs.ts';
import type { SetView } from '../decide/view.ts';

/** Going back to a revision: its part of the spec is put back, and then it is an edit like any other. Pure. */

export type Undo =
  | { readonly is: 'nothing' }
  /** A JSON merge patch for the server. */
  | { readonly is: 'patch'; readonly patch: object; readonly message: string }
  | { readonly is: 'impossible'; readonly patch: object; readonly message: string };

/** @param sets of all revisions */
export function undoOf(server: SocketServer, sets: readonly SetView[]): Undo {
  const wish = server.metadata.annotations?.[ANNOTATION.undo];
  if (wish === undefined) return { is: 'nothing' };
  const done = { metadata: { annotations: { [ANNOTATION.undo]: null } } };
  const current = revisionOf(inputsOf(server.spec));
  // One that still has pods is what a rollout that got stuck has left alone, whatever its number.
  const others = sets
    .filter(({ revision }) => revision !== current)
    .sort((a, b) => Number(b.replicas > 0) - Number(a.replicas > 0) || b.number - a.number);
  const target =
    wish === 'previous' ? others[0] : sets.find(({ number }) => String(number) === wish);
  if (!target) {
    const known = sets.map(({ number }) => number).sort((a, b) => a - b);
    const message = `${ANNOTATION.undo} is "${wish}"; there is: previous, ${known.join(', ')}`;
    return { is: 'impossible', patch: done, message };
  }
  return {
    is: 'patch',
    patch: { ...done, spec: ownFields(server, back(server, target)) },
    message: `back to revision ${target.number}`,
  };
}

/** Of a ChannelServer only what its own spec has: the rest follows from it. */
function ownFields(server: SocketServer, spec: object): object {
  if (!isChannel(server)) return spec;
  const { properties = {} } = channelSpecSchema;
  return Object.fromEntries(Object.entries(spec).filter(([field]) => field in properties));
}

/** Fields that the revision does not have are taken away; of a worker only the address goes back. */
function back({ spec }: SocketServer, { inputs }: SetView): object {
  const gone = Object.keys(inputsOf(spec)).filter((field) => !(field in inputs));
  return {
    ...Object.fromEntries(gone.map((field) => [field, null])),
    ...replaced(spec as Record<string, unknown>, inputs),
    workers: workersOf(spec.workers, inputs.workers ?? []),
  };
}

function workersOf(now: readonly WorkerSpec[], then: readonly WorkerSpec[]): WorkerSpec[] {
  // One that had an address and was not there then has come or been renamed since.
  const known = now.filter(
    ({ name, listen }) => listen === undefined || then.some((each) => each.name === name),
  );
  const stay = known.map(({ listen: _, servicePort, ...worker }) => {
    const listen = then.find(({ name }) => name === worker.name)?.listen;
    const port = servicePort === undefined ? {} : { servicePort };
    return listen === undefined ? worker : { ...worker, listen, ...port };
  });
  return [...stay, ...then.filter(({ name }) => !now.some((each) => each.name === name))];
}

/** As a merge patch, which would leave keys alone that are not in it. */
function replaced(before: unknown, after: unknown): object {
  const result: Record<string, unknown> = { ...(after as object) };
  for (const [key, value] of Object.entries(after as object)) {
    const old = (before as Record<string, unknown>)[key];
    if (!isRecord(value) || !isRecord(old)) continue;
    const gone = Object.keys(old).filter((name) => !(name in value));
    result[key] = {
      ...Object.fromEntries(gone.map((name) => [name, null])),
      ...replaced(old, value),
    };
  }
  return result;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
