import type { KubeObject } from '../api/meta.ts';
import { LABEL, namesOf } from '../api/names.ts';
import type { SocketServer, WorkerSpec } from '../api/types.ts';
import { portOf, transportOf } from './listen.ts';
import { metaOf } from './metadata.ts';

/**
 * The Service of a server: one port for each worker with an address. It selects only pods that are open to new
 * connections; a pod that is closed keeps those that it has. None if there is no port, or if none is wanted. Pure.
 */
export function service(server: SocketServer): KubeObject[] {
  const { service: wanted, workers } = server.spec;
  const ports = workers.flatMap(servicePort);
  if (wanted.type === 'None' || ports.length === 0) return [];
  const { type, annotations, externalTrafficPolicy, loadBalancerClass } = wanted;
  const meta = metaOf(server, namesOf(server.metadata.name).service);
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...meta, annotations },
    spec: {
      type,
      selector: { [LABEL.server]: server.metadata.name, [LABEL.open]: 'true' },
      ports,
      ...(externalTrafficPolicy === undefined ? {} : { externalTrafficPolicy }),
      ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
    },
  };
  return [object];
}

function servicePort({ name, listen, servicePort: wanted }: WorkerSpec): object[] {
  if (listen === undefined) return [];
  const port = portOf(listen);
  return [
    {
      name: portName(name),
      protocol: transportOf(listen),
      port: wanted ?? port,
      targetPort: port,
    },
  ];
}

/** A worker's name as the name of a port: at most 15 lower-case letters, digits and `-`, with a letter. */
export function portName(worker: string): string {
  const name = worker
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 15)
    .replaceAll(/^-+|-+$/g, '');
  return /[a-z]/.test(name) ? name : `p-${name}`.slice(0, 15);
}
