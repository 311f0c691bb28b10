import type { Secret } from '../api/meta.ts';
import { namesOf } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { metaOf } from './metadata.ts';

/** The Secret with the bearer token of the pods' admin ports. Pure: the token comes from outside. */
export function tokenSecret(
  server: SocketServer,
  token: string,
): Secret & { readonly type: string } {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: metaOf(server, namesOf(server).token),
    data: { token },
  };
}
