import { complete } from '../../operator/api/defaults.ts';
import type { SocketServer, SocketServerSpec } from '../../operator/api/types.ts';
import type { ClusterFacts } from '../../operator/decide/tuning.ts';

export const FACTS: ClusterFacts = {
  minor: 36,
  kernel: [6, 18],
  userNamespaces: true,
  allowedSysctls: [],
  podSecurity: 'privileged',
};

/** A server with a full spec. */
export function serverOf(spec: Partial<Record<keyof SocketServerSpec, unknown>>): SocketServer {
  return complete({
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'SocketServer',
    metadata: { name: 'chat', namespace: 'default', uid: 'u1', generation: 1 },
    spec: { image: 'app:1', ...spec } as SocketServerSpec,
  });
}
