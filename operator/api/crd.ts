import { record, rule, type Schema } from './json-schema.ts';
import { CHANNEL_SUFFIX } from './names.ts';
import { specSchema } from './schema.ts';
import { channelSpecSchema } from './schema-channel.ts';
import { statusSchema } from './schema-status.ts';

/** The CustomResourceDefinitions of `SocketServer` and `ChannelServer`, from their schemas. Pure. */

export const GROUP = 'longshore.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION: string = `${GROUP}/${VERSION}`;

/** Longest name: its Services, ReplicaSets and pods have it with something behind. */
export const NAME_MAX = 45;

/** What is said of a kind besides its schema. */
export type KindNames = {
  readonly kind: 'SocketServer' | 'ChannelServer';
  readonly plural: string;
  readonly singular: string;
  readonly short: string;
};

export const SOCKET_SERVER: KindNames = {
  kind: 'SocketServer',
  plural: 'socketservers',
  singular: 'socketserver',
  short: 'lss',
};

export const CHANNEL_SERVER: KindNames = {
  kind: 'ChannelServer',
  plural: 'channelservers',
  singular: 'channelserver',
  short: 'lcs',
};

const named = (most: number) => ({
  rule: `size(self.metadata.name) <= ${most} && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')`,
  messageExpression: `'metadata.name is ' + self.metadata.name + ', expected 1 to ${most} lower-case letters, digits and -, beginning with a letter'`,
  message: `metadata.name needs 1 to ${most} lower-case letters, digits and -, beginning with a letter`,
});

const object = (description: string, spec: Schema, rules: readonly object[]): Schema =>
  record(
    description,
    {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec,
      status: statusSchema,
    },
    { required: ['spec'], 'x-kubernetes-validations': rules } as Schema,
  );

const socketServer = object(
  'A long-lived socket server: pods of one program, scaled by replicas, reloaded and replaced without a reconnect storm.',
  specSchema,
  [
    named(NAME_MAX),
    {
      ...rule(
        "self.spec.service.type == 'None' || size(self.spec.workers.filter(w, has(w.listen))) > 0 || size(self.spec.workers) == 0",
        'none of spec.workers has listen, so the Service would have no port; give one, or set service.type None',
      ),
      fieldPath: '.spec.workers',
    },
  ],
);

const channelServer = object(
  'Channel servers, through which programs of any pods publish and subscribe: pods of our own, or NATS servers of yours.',
  channelSpecSchema,
  [named(NAME_MAX - CHANNEL_SUFFIX.length)],
);

const column = (name: string, jsonPath: string, type: string, description: string): object => ({
  name,
  jsonPath,
  type,
  description,
});

const DESIRED = column('Desired', '.spec.replicas', 'integer', 'Pods that there should be.');
const READY = column('Ready', '.status.readyReplicas', 'integer', 'Pods that are ready.');
const PHASE = column('Phase', '.status.phase', 'string', 'What is going on.');
const AGE = column('Age', '.metadata.creationTimestamp', 'date', '');

const SOCKET_COLUMNS = [
  DESIRED,
  READY,
  column(
    'Updated',
    '.status.updatedReplicas',
    'integer',
    'Ready pods that run what the spec says.',
  ),
  column('Draining', '.status.drainingReplicas', 'integer', 'Pods that lose their connections.'),
  column('Connections', '.status.connections', 'integer', 'Open connections of all pods.'),
  PHASE,
  AGE,
];

const CHANNEL_COLUMNS = [
  DESIRED,
  READY,
  column('Engine', '.spec.engine', 'string', 'Whose servers they are: builtin or nats.'),
  PHASE,
  AGE,
];

/** The definition of `SocketServer`. @param annotations such as helm's, that keep it when the chart is removed */
export function crd(annotations: Readonly<Record<string, string>> = {}): object {
  return definition(SOCKET_SERVER, socketServer, SOCKET_COLUMNS, annotations);
}

/** The definition of `ChannelServer`. */
export function channelCrd(annotations: Readonly<Record<string, string>> = {}): object {
  return definition(CHANNEL_SERVER, channelServer, CHANNEL_COLUMNS, annotations);
}

function definition(
  { kind, plural, singular, short }: KindNames,
  schema: Schema,
  columns: readonly object[],
  annotations: Readonly<Record<string, string>>,
): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${GROUP}`,
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        shortNames: [short],
        categories: ['all', 'longshore'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: told(schema) },
          subresources: SUBRESOURCES,
          additionalPrinterColumns: columns,
        },
      ],
    },
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

const SUBRESOURCES = {
  status: {},
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
} as const;
