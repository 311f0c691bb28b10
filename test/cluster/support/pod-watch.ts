import { readFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { Client } from '../../../operator/kube/client.ts';
import { Credentials } from '../../../operator/kube/credentials.ts';
import { resources } from '../../../operator/kube/resources.ts';
import { Reflector } from '../../../operator/kube/watch.ts';
import type { PodObject } from './operator.ts';

type Seen = PodObject & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
};

/** Watches the pods of a server all the time: how many there were at most, and how few that serve. */
export class PodWatch implements Disposable {
  /** Most pods at the same time, those on their way out included. */
  most: number = 0;
  /** Fewest that were ready, and not on their way out. */
  fewest: number = Number.POSITIVE_INFINITY;
  /** Most revisions that had pods at the same time. */
  revisions: number = 0;
  /** All pods that there ever were. */
  readonly names: Set<string> = new Set();
  readonly #client: Client;
  readonly #pods: Reflector<Seen>;

  private constructor(client: Client, namespace: string, called: string) {
    this.#client = client;
    this.#pods = new Reflector<Seen>({
      client,
      resource: resources.Pod,
      namespaces: [namespace],
      labelSelector: `longshore.dev/server=${called}`,
    });
  }

  /** @param kubeconfig path of one */
  static async of(kubeconfig: string, namespace: string, called: string): Promise<PodWatch> {
    const client = new Client(
      new Credentials(() => {
        const config = new KubeConfig();
        config.loadFromString(readFileSync(kubeconfig, 'utf8'));
        return config;
      }),
    );
    const watch = new PodWatch(client, namespace, called);
    await watch.#pods.synced;
    watch.#look();
    watch.#pods.onChange(() => watch.#look());
    return watch;
  }

  [Symbol.dispose](): void {
    this.#pods.stop();
    this.#client.close();
  }

  #look(): void {
    const pods = [...this.#pods.store.values()].filter(
      ({ status }) => status.phase !== 'Failed' && status.phase !== 'Succeeded',
    );
    for (const { metadata } of pods) this.names.add(metadata.name);
    this.most = Math.max(this.most, pods.length);
    this.fewest = Math.min(this.fewest, pods.filter(isServing).length);
    const revisions = new Set(
      pods.map(({ metadata }) => metadata.labels['longshore.dev/revision']),
    );
    this.revisions = Math.max(this.revisions, revisions.size);
  }
}

function isServing({ metadata, status }: Seen): boolean {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  return metadata.deletionTimestamp === undefined && ready?.status === 'True';
}
