import type { ConfigMap } from '../api/meta.ts';
import { namesOf } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { metaOf } from './metadata.ts';

/**
 * What a pod reads when it starts: its hot configuration, a file for each key, and how many processes each worker has.
 * Pods that run get changes of either through their admin port, so that nobody waits for a volume. Pure.
 */
export function configMaps(server: SocketServer): ConfigMap[] {
  const names = namesOf(server);
  const map = (name: string, data: Readonly<Record<string, string>>): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metaOf(server, name),
    data,
  });
  return [
    map(names.config, server.spec.config),
    map(names.workers, { 'workers.json': JSON.stringify(overridesOf(server)) }),
  ];
}

/** What of the workers is different from what the program says, as `LONGSHORE_WORKERS` and `POST /reload` take it. */
export function overridesOf({
  spec,
}: SocketServer): { name: string; count?: number; listen?: string }[] {
  return spec.workers
    .filter(({ count, listen }) => count !== undefined || listen !== undefined)
    .map(({ name, count, listen }) => ({
      name,
      ...(count === undefined ? {} : { count }),
      ...(listen === undefined ? {} : { listen }),
    }));
}
