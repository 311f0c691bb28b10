import type { KubeObject } from '../api/meta.ts';
import { namesOf } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { budget } from './budget.ts';
import { configMaps } from './config-maps.ts';
import { service } from './service.ts';

/** The objects of a server besides its ReplicaSets, in the order in which they are made. Pure. */
export function objectsOf(server: SocketServer): KubeObject[] {
  return [...configMaps(server), ...service(server), ...budget(server)];
}

/** Names of objects that a server has no more use for, as `Service chat`. */
export function uselessOf(
  server: SocketServer,
): { kind: 'Service' | 'PodDisruptionBudget'; name: string }[] {
  const names = namesOf(server);
  return [
    ...(service(server).length === 0 ? [{ kind: 'Service', name: names.service } as const] : []),
    ...(budget(server).length === 0
      ? [{ kind: 'PodDisruptionBudget', name: names.budget } as const]
      : []),
  ];
}
