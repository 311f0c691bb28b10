import type { ConfigMap } from '../api/meta.ts';
import { namesOf, PEERS_KEY } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { metaOf } from './metadata.ts';

/** The ConfigMap from which pods that start know their peers, before they are told. Pure. */
export function peersMap(server: SocketServer, peers: { readonly version: number }): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metaOf(server, namesOf(server).peers),
    data: { [PEERS_KEY]: JSON.stringify(peers) },
  };
}
