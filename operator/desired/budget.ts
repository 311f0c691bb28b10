import type { KubeObject } from '../api/meta.ts';
import { LABEL, namesOf } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { metaOf } from './metadata.ts';

/**
 * The PodDisruptionBudget: one pod at a time may be evicted, and one that is not ready always. None for a server of one
 * pod or less, which could never be evicted then. Pure.
 */
export function budget(server: SocketServer): KubeObject[] {
  if (server.spec.replicas < 2) return [];
  const object = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metaOf(server, namesOf(server).budget),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { [LABEL.server]: namesOf(server).server } },
    },
  };
  return [object];
}
