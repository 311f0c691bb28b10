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
  const names = portNames(workers);
  const ports = workers.flatMap((worker, i) => servicePort(worker, names[i]));
  if (wanted.type === 'None' || ports.length === 0) return [];
  const { type, annotations, externalTrafficPolicy, loadBalancerClass } = wanted;
  const meta = metaOf(server, namesOf(server).service);
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...meta, annotations },
    spec: {
      type,
      selector: { [LABEL.server]: namesOf(server).server, [LABEL.open]: 'true' },
      ports,
      ...(externalTrafficPolicy === undefined ? {} : { externalTrafficPolicy }),
      ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
    },
  };
  return [object];
}

function servicePort(
  { listen, servicePort: wanted }: WorkerSpec,
  name: string | undefined,
): object[] {
  if (listen === undefined) return [];
  const port = portOf(listen);
  return [
    {
      name,
      protocol: transportOf(listen),
      port: wanted ?? port,
      targetPort: port,
    },
  ];
}

const NAME_MAX = 15;

/**
 * The workers' names as names of ports, in their order: at most 15 lower-case letters, digits and `-`, with a letter, each
 * only once. `admin` is the admin port.
 */
export function portNames(workers: readonly Pick<WorkerSpec, 'name'>[]): string[] {
  const taken = new Set(['admin']);
  return workers.map(({ name: worker }) => {
    const name = portName(worker);
    let free = name;
    for (let i = 2; taken.has(free); i += 1)
      free = `${trimmed(name, NAME_MAX - 1 - String(i).length)}-${i}`;
    taken.add(free);
    return free;
  });
}

function portName(worker: string): string {
  const name = worker.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const short = trimmed(name, NAME_MAX);
  return /[a-z]/.test(short) ? short : trimmed(`p-${short}`, NAME_MAX);
}

const trimmed = (name: string, most: number): string =>
  name.replace(/^-+/, '').slice(0, most).replace(/-+$/, '');
