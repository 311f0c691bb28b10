import { record, rule, type Schema } from './json-schema.ts';
import { specSchema } from './schema.ts';
import { statusSchema } from './schema-status.ts';

/** The CustomResourceDefinition of `SocketServer`, from its schema. Pure. */

export const GROUP = 'longshore.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION: string = `${GROUP}/${VERSION}`;
export const KIND = 'SocketServer';
export const PLURAL = 'socketservers';

/** Longest name: its Services, ReplicaSets and pods have it with something behind. */
export const NAME_MAX = 45;

const root: Schema = record(
  'A long-lived socket server: pods of one program, scaled by replicas, reloaded and replaced without a reconnect storm.',
  {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: specSchema,
    status: statusSchema,
  },
  {
    required: ['spec'],
    'x-kubernetes-validations': [
      {
        rule: `size(self.metadata.name) <= ${NAME_MAX} && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')`,
        messageExpression: `'metadata.name is ' + self.metadata.name + ', expected 1 to ${NAME_MAX} lower-case letters, digits and -, beginning with a letter'`,
        message: `metadata.name needs 1 to ${NAME_MAX} lower-case letters, digits and -, beginning with a letter`,
      },
      {
        ...rule(
          "self.spec.service.type == 'None' || size(self.spec.workers.filter(w, has(w.listen))) > 0 || size(self.spec.workers) == 0",
          'none of spec.workers has listen, so the Service would have no port; give one, or set service.type None',
        ),
        fieldPath: '.spec.workers',
      },
    ],
  },
);

const column = (name: string, jsonPath: string, type: string, description: string): object => ({
  name,
  jsonPath,
  type,
  description,
});

/** @param annotations such as helm's, that keep it when the chart is removed */
export function crd(annotations: Readonly<Record<string, string>> = {}): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${PLURAL}.${GROUP}`,
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: 'socketserver',
        shortNames: ['lss'],
        categories: ['all', 'longshore'],
      },
      versions: [version()],
    },
  };
}

function version(): object {
  return {
    name: VERSION,
    served: true,
    storage: true,
    schema: { openAPIV3Schema: told(root) },
    subresources: {
      status: {},
      scale: {
        specReplicasPath: '.spec.replicas',
        statusReplicasPath: '.status.replicas',
        labelSelectorPath: '.status.selector',
      },
    },
    additionalPrinterColumns: [
      column('Desired', '.spec.replicas', 'integer', 'Pods that there should be.'),
      column('Ready', '.status.readyReplicas', 'integer', 'Pods that are ready.'),
      column(
        'Updated',
        '.status.updatedReplicas',
        'integer',
        'Ready pods that run what the spec says.',
      ),
      column(
        'Draining',
        '.status.drainingReplicas',
        'integer',
        'Pods that lose their connections.',
      ),
      column('Connections', '.status.connections', 'integer', 'Open connections of all pods.'),
      column('Phase', '.status.phase', 'string', 'What is going on.'),
      column('Age', '.metadata.creationTimestamp', 'date', ''),
    ],
  };
}

/**
 * A schema without the patterns that a rule checks too: an API server would show the expression before the sentence, and
 * leave out other rules. They stay for whoever knows no rules, as helm.
 */
function told(schema: Schema): Schema {
  const isTold = schema['x-kubernetes-validations'] !== undefined;
  const own = Object.entries(schema).filter(([key]) => !(isTold && key === 'pattern'));
  return Object.fromEntries(own.map(([key, value]) => [key, inside(key, value)]));
}

function inside(key: string, value: unknown): unknown {
  if (key === 'items' || key === 'additionalProperties') return told(value as Schema);
  if (key !== 'properties') return value;
  const entries = Object.entries(value as Readonly<Record<string, Schema>>);
  return Object.fromEntries(entries.map(([name, each]) => [name, told(each)]));
}
