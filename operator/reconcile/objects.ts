import type { KubeObject } from '../api/meta.ts';
import type { SocketServer } from '../api/types.ts';
import { canonical, hash } from '../decide/inputs.ts';
import { objectsOf, uselessOf } from '../desired/objects.ts';
import { isForbidden, isInvalid, isNotFound } from '../kube/api-error.ts';
import type { Client } from '../kube/client.ts';
import { keyOf, resources } from '../kube/resources.ts';
import type { Watches } from './watches.ts';

/** On an object of ours: what it was made from. While it says so, there is nothing to write. */
const MADE_FROM = 'longshore.dev/made-from';

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
): Promise<string | undefined> {
  try {
    for (const object of objectsOf(server)) await ensure(client, watches, object);
    await removeUseless(client, watches, server);
    return undefined;
  } catch (error) {
    if (isInvalid(error) || isForbidden(error)) return (error as Error).message;
    throw error;
  }
}

async function ensure(client: Client, watches: Watches, object: KubeObject): Promise<void> {
  const made = hash(canonical(object));
  const real = storeOf(watches, object.kind).get(keyOf(object));
  const mine = object.metadata.ownerReferences?.[0]?.uid;
  if (real && !real.metadata.ownerReferences?.some(({ uid }) => uid === mine))
    throw new Foreign(object);
  if (real?.metadata.annotations?.[MADE_FROM] === made) return;
  const annotations = { ...object.metadata.annotations, [MADE_FROM]: made };
  await client.apply({ ...object, metadata: { ...object.metadata, annotations } });
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
