import { foreign, list, map, record, rule, type Schema, telling, text } from './json-schema.ts';

/** The part of a pod template that may be patched: what is not listed here, the operator needs for itself. Pure. */

const isReserved = "key.startsWith('longshore.dev/') || key.startsWith('app.kubernetes.io/')";

const keys = (description: string): Schema =>
  map(description, text('', { maxLength: 4096 }), {
    maxProperties: 64,
    'x-kubernetes-validations': [
      telling(
        `self.all(key, !(${isReserved}))`,
        `'podTemplate has ' + self.filter(key, ${isReserved})[0] + '; longshore.dev/… and app.kubernetes.io/… are set by the operator'`,
        'longshore.dev/… and app.kubernetes.io/… are set by the operator',
      ),
    ],
  });

const whatever = {
  type: 'object',
  'x-kubernetes-preserve-unknown-fields': true,
} as const satisfies Schema;
const many = (description: string): Schema => ({
  type: 'array',
  description,
  items: whatever,
  maxItems: 64,
});
const words = list('As in a container.', text('', { maxLength: 4096 }), { maxItems: 64 });

/** A container's `volumeMounts`, `securityContext` and the like, by name; the server's own is called `server`. */
const containers = list(
  'Merged by name: "server" is the server itself, others are added beside it.',
  foreign('', {
    properties: {
      name: text('"server", or another one.', { minLength: 1, maxLength: 63 }),
      // Named so that the rule below can speak of them.
      image: text('Image of a container beside the server.', { maxLength: 512 }),
      command: words,
      args: words,
      env: many('As in a container.'),
      ports: many('As in a container.'),
      resources: foreign('As in a container.'),
    },
    required: ['name'],
    'x-kubernetes-validations': [
      rule(
        "self.name != 'server' || !(has(self.image) || has(self.command) || has(self.args) || has(self.env) || has(self.ports) || has(self.resources))",
        'podTemplate sets image, command, args, env, ports or resources of the container "server"; use the fields of the spec',
      ),
      telling(
        "self.name == 'server' || has(self.image)",
        "'podTemplate has a container ' + self.name + ' without image; the one of the server is called server'",
        'a container beside the server needs an image',
      ),
    ],
  }),
  { maxItems: 16, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
);

export const podPatch: Schema = record(
  'Added to the pods as a strategic patch.',
  {
    metadata: record('Labels and annotations beside those of the operator.', {
      labels: keys('Further labels.'),
      annotations: keys('Further annotations.'),
    }),
    spec: record('Fields of a pod that the operator does not need for itself.', {
      affinity: foreign('As in a pod.'),
      containers,
      dnsConfig: foreign('As in a pod.'),
      dnsPolicy: text('As in a pod.', { maxLength: 64 }),
      hostAliases: many('As in a pod.'),
      nodeSelector: map('As in a pod.', text('', { maxLength: 253 }), { maxProperties: 32 }),
      priorityClassName: text('As in a pod.', { maxLength: 253 }),
      runtimeClassName: text('As in a pod.', { maxLength: 253 }),
      schedulerName: text('As in a pod.', { maxLength: 253 }),
      securityContext: foreign('As in a pod; sysctls belong to spec.tuning.', {
        properties: { sysctls: many('Not here.') },
        'x-kubernetes-validations': [
          rule(
            '!has(self.sysctls)',
            'podTemplate.spec.securityContext.sysctls is set; use spec.tuning.sysctls',
          ),
        ],
      }),
      serviceAccountName: text(
        'As in a pod. Its token is not mounted unless a volume of yours does.',
        { maxLength: 253 },
      ),
      tolerations: many('As in a pod.'),
      topologySpreadConstraints: many(
        'As in a pod. Default: spread over nodes as well as it goes.',
      ),
      volumes: list(
        'Beside the ones that the operator mounts.',
        foreign('', {
          properties: {
            name: text('Name of the volume, not one of the operator.', { maxLength: 63 }),
          },
          required: ['name'],
          'x-kubernetes-validations': [
            telling(
              "!(self.name in ['config', 'workers', 'admin-token', 'code', 'longshore-peers', 'longshore-inner'])",
              "'podTemplate has a volume ' + self.name + ', which is one of the operator; take another name'",
              'config, workers, admin-token, code, longshore-peers and longshore-inner are volumes of the operator',
            ),
          ],
        }),
        {
          maxItems: 32,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
        },
      ),
    }),
  },
  { default: {} },
);
