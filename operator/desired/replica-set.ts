import type { ReplicaSet } from '../api/meta.ts';
import { ANNOTATION, LABEL, namesOf } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { metaOf } from './metadata.ts';
import type { PodSettings } from './pod.ts';
import { podTemplate } from './pod.ts';

export type SetSettings = PodSettings & {
  readonly number: number;
  readonly replicas: number;
  /** The part of the spec that the revision stands for. */
  readonly inputs: unknown;
  /** Sysctls that are left out, with the reason. */
  readonly skipped: Readonly<Record<string, string>>;
};

/**
 * The ReplicaSet of a revision, as it is made once; later only its `replicas` change. Pure.
 *
 * It carries the part of the spec that it stands for, so that one can go back to it, and a pod template that stays as it
 * is when another version of the operator would make another one.
 */
export function replicaSet(server: SocketServer, settings: SetSettings): ReplicaSet {
  const { revision, number, replicas, inputs, skipped } = settings;
  const meta = metaOf(server, namesOf(server).set(revision));
  const selector = { [LABEL.server]: namesOf(server).server, [LABEL.revision]: revision };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      ...meta,
      labels: { ...meta.labels, [LABEL.revision]: revision },
      annotations: {
        [ANNOTATION.number]: String(number),
        [ANNOTATION.inputs]: JSON.stringify(inputs),
        [ANNOTATION.skipped]: JSON.stringify(skipped),
      },
    },
    spec: {
      replicas,
      selector: { matchLabels: selector },
      template: podTemplate(server, settings),
    } as ReplicaSet['spec'],
  };
}
