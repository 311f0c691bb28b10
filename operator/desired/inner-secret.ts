import type { Secret } from '../api/meta.ts';
import { INNER_SECRET, MANAGER } from '../api/names.ts';

/**
 * The Secret with which the inner ports of a namespace know each other: channel, gateway, global data. It belongs to no
 * server, because all have it. Pure: the secret comes from outside.
 */
export function innerSecret(namespace: string, secret: string): Secret & { readonly type: string } {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name: INNER_SECRET.name,
      namespace,
      labels: { 'app.kubernetes.io/managed-by': MANAGER },
    },
    data: { [INNER_SECRET.key]: Buffer.from(secret).toString('base64') },
  };
}
