import type { KubeObject, Pod } from '../../operator/api/meta.ts';
import { labelsOf } from '../../operator/api/names.ts';
import type { PodReport } from '../../operator/api/pod-status.ts';
import type { SocketServer } from '../../operator/api/types.ts';
import { Reports } from '../../operator/reconcile/reports.ts';
import type { Watches } from '../../operator/reconcile/watches.ts';

type Handler = (key: string, now: KubeObject | undefined, before: KubeObject | undefined) => void;

/** What a Reflector is to its readers: a store, and calls at each change. */
class Copies {
  readonly store: Map<string, KubeObject> = new Map();
  readonly #handlers: Handler[] = [];

  onChange(handler: Handler): void {
    this.#handlers.push(handler);
  }

  put(object: KubeObject): void {
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    const before = this.store.get(key);
    this.store.set(key, object);
    for (const each of this.#handlers) each(key, object, before);
  }

  drop({ metadata }: KubeObject): void {
    const key = `${metadata.namespace}/${metadata.name}`;
    const before = this.store.get(key);
    this.store.delete(key);
    for (const each of this.#handlers) each(key, undefined, before);
  }
}

/** What an operator has seen of a cluster, as a test tells it. */
export class PeerScene {
  readonly copies: {
    readonly [K in
      | 'servers'
      | 'channels'
      | 'pods'
      | 'sets'
      | 'services'
      | 'budgets'
      | 'configMaps']: Copies;
  } = {
    servers: new Copies(),
    channels: new Copies(),
    pods: new Copies(),
    sets: new Copies(),
    services: new Copies(),
    budgets: new Copies(),
    configMaps: new Copies(),
  };
  readonly reports: Reports = new Reports();

  get watches(): Watches {
    return this.copies as unknown as Watches;
  }

  server(name: string, spec: object = {}, generation = 1, namespace = 'default'): SocketServer {
    const server = {
      apiVersion: 'longshore.dev/v1alpha1',
      kind: 'SocketServer',
      metadata: { name, namespace, uid: `uid ${name}`, generation },
      spec: { image: 'app:1', ...spec },
    } as unknown as SocketServer;
    this.copies.servers.put(server);
    return server;
  }

  channel(name: string, spec: object = { image: 'app:1' }, generation = 1): KubeObject {
    const channel = {
      apiVersion: 'longshore.dev/v1alpha1',
      kind: 'ChannelServer',
      metadata: { name, namespace: 'default', uid: `uid channel ${name}`, generation },
      spec,
    } as unknown as KubeObject;
    this.copies.channels.put(channel);
    return channel;
  }

  /** A pod of a server that runs and is ready, unless `part` says otherwise. */
  pod(
    of: Pick<KubeObject, 'kind' | 'metadata'>,
    name: string,
    ip: string,
    part: {
      ready?: boolean;
      annotations?: Record<string, string>;
      deleted?: boolean;
      phase?: string;
    } = {},
  ): Pod {
    const { ready = true, annotations = {}, deleted = false, phase = 'Running' } = part;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: of.metadata.namespace,
        uid: `uid ${name}`,
        labels: labelsOf(of as never),
        annotations,
        ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
      },
      status: {
        podIP: ip,
        phase,
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      },
    } as unknown as Pod;
    this.copies.pods.put(pod);
    return pod;
  }

  /** A pod has said where its gateways are. */
  hear(pod: Pod, gateways: readonly string[], peers?: number): void {
    const report = {
      gateways,
      ...(peers === undefined ? {} : { peers }),
      workers: [],
      processes: [],
    };
    this.reports.keep(pod.metadata.uid ?? '', report as unknown as PodReport);
  }
}
