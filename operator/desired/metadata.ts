import { API_VERSION } from '../api/crd.ts';
import type { Meta, OwnerReference } from '../api/meta.ts';
import { labelsOf } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';

/** What every object of a server has in its metadata. */
export function metaOf(server: SocketServer, name: string): Meta {
  return {
    name,
    ...(server.metadata.namespace === undefined ? {} : { namespace: server.metadata.namespace }),
    labels: labelsOf(server),
    ownerReferences: [ownerOf(server)],
  };
}

function ownerOf({ kind, metadata }: SocketServer): OwnerReference {
  return {
    apiVersion: API_VERSION,
    kind,
    name: metadata.name,
    uid: metadata.uid ?? '',
    controller: true,
  };
}
