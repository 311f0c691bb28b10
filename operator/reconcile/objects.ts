import type { KubeObject } from '../api/meta.ts';
import type { SocketServer } from '../api/types.ts';
import { canonical, hash } from '../decide/inputs.ts';
import { objectsOf, uselessOf } from '../desired/objects.ts';
import { isInvalid, isNotFound, isUnacceptable } from '../kube/api-error.ts';
import type { Client } from '../kube/client.ts';
import { keyOf, refOf, resources } from '../kube/resources.ts';
import type { Watches } from './watches.ts';

/** On an object of ours: what it was made from. While it says so, there is nothing to write. */
const MADE_FROM = 'longshore.dev/made-from';

/** As which version each object was last known to be as it should be, by kind and key. */
export type Marks = Map<string, string>;

/** Changes with what somebody writes into an object; with its status only where there is nothing better. */
const versionOf = ({ metadata }: KubeObject): string =>
  String(metadata.generation ?? metadata.resourceVersion);

/**
 * Makes the objects of a server as they should be, and removes those that it has no more use for.
 *
 * @returns what the API server says against them, for ever; `undefined` if they are there
 * @throws {ApiError} for what may be better next time
 */
export async function ensureObjects(
  client: Client,
  watches: Watches,
  server: SocketServer,
  marks: Marks,
): Promise<string | undefined> {
  try {
    for (const object of objectsOf(server)) await ensure(client, watches, object, marks);
    await removeUseless(client, watches, server);
    return undefined;
  } catch (error) {
    if (isUnacceptable(error)) return (error as Error).message;
    throw error;
  }
}

/** Makes one object as it should be; nothing is written while it is. @throws {ApiError} @throws {Foreign} */
export async function ensure(
  client: Client,
  watches: Watches,
  object: KubeObject,
  marks: Marks,
): Promise<void> {
  const key = `${object.kind} ${keyOf(object)}`;
  const made = hash(canonical(object));
  const real = storeOf(watches, object.kind).get(keyOf(object));
  const mine = object.metadata.ownerReferences?.[0]?.uid;
  if (real && !real.metadata.ownerReferences?.some(({ uid }) => uid === mine))
    throw new Foreign(object);
  if (real?.metadata.annotations?.[MADE_FROM] === made) {
    // What somebody else has written since is written over; what was there before we came is taken as it is.
    const mark = marks.get(key);
    if (mark === undefined) marks.set(key, versionOf(real));
    if (mark === undefined || mark === versionOf(real)) return;
  }
  const annotations = { ...object.metadata.annotations, [MADE_FROM]: made };
  const full = { ...object, metadata: { ...object.metadata, annotations } };
  const applied = await client.apply(full).catch((error) => {
    if (!real || !isInvalid(error)) throw error;
    // Items of a list that somebody has added do not go with ours; a merge patch replaces the list.
    const { apiVersion: _, kind: __, ...patch } = full;
    return client.patch(refOf(object), patch);
  });
  marks.set(key, versionOf(applied));
}

/** An object of that name is there and belongs to somebody else. */
export class Foreign extends Error {
  constructor({ kind, metadata }: KubeObject) {
    super(
      `${kind} ${metadata.name} exists and is not ours; remove or rename it, or give the server another name`,
    );
  }
}

async function removeUseless(
  client: Client,
  watches: Watches,
  server: SocketServer,
): Promise<void> {
  const { namespace, uid } = server.metadata;
  for (const { kind, name } of uselessOf(server)) {
    const real = storeOf(watches, kind).get(`${namespace}/${name}`);
    if (!real?.metadata.ownerReferences?.some((owner) => owner.uid === uid)) continue;
    await client.remove({ resource: resources[kind], namespace, name }).catch((error) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

function storeOf(watches: Watches, kind: string): ReadonlyMap<string, KubeObject> {
  if (kind === 'Service') return watches.services.store;
  if (kind === 'PodDisruptionBudget') return watches.budgets.store;
  return watches.configMaps.store;
}
