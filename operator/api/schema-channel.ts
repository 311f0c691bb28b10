import { list, record, rule, type Schema, telling, text, whole } from './json-schema.ts';
import { specSchema } from './schema.ts';

/** The spec of a `ChannelServer`: what it has in common with a `SocketServer` is the same field. Pure. */

const NATS = '^nats://[^/@\\s:,]+(:[0-9]{1,5})?$';

const shared = (name: string): Schema => specSchema.properties?.[name] ?? {};

export const channelSpecSchema: Schema = record(
  'What the channel servers should be.',
  {
    replicas: whole(
      'Pods. Channels are spread over them; each is on one of them. kubectl scale changes it.',
      [0, 64],
      { default: 1 },
    ),
    engine: text(
      'builtin: our own servers, in memory. nats: servers of yours that speak NATS; no pods are made, and programs change nothing.',
      { enum: ['builtin', 'nats'], default: 'builtin' },
    ),
    nats: record(
      'Where the servers of engine nats are.',
      {
        servers: list(
          'Addresses as nats://host:4222. Each is one member; clients use them as one cluster.',
          text('', {
            maxLength: 256,
            'x-kubernetes-validations': [
              telling(
                `self.matches('${NATS.replaceAll('\\', '\\\\')}')`,
                "'it is ' + self + ', expected nats://host:port without a user or a path'",
                'expected nats://host:port without a user or a path',
              ),
            ],
          }),
          { minItems: 1, maxItems: 16, 'x-kubernetes-list-type': 'set' },
        ),
      },
      { required: ['servers'] },
    ),
    image: text(
      'Image with Longshore in it; needed for engine builtin. Its own programs do not run.',
      {
        minLength: 1,
        maxLength: 512,
        pattern: '^[^\\s]+$',
      },
    ),
    imagePullPolicy: shared('imagePullPolicy'),
    imagePullSecrets: shared('imagePullSecrets'),
    history: record(
      'Bounds of what a pod keeps of channels with history; how much of each channel is for the clients to say.',
      {
        maxBytes: whole(
          'Bytes of all channels of one pod; beyond it the oldest events go. The memory of the pod has to have room for it.',
          [1_048_576, 1_099_511_627_776],
          { default: 67_108_864 },
        ),
      },
      { default: {} },
    ),
    resources: shared('resources'),
    drain: shared('drain'),
    rollout: shared('rollout'),
    tuning: shared('tuning'),
    podTemplate: shared('podTemplate'),
  },
  {
    'x-kubernetes-validations': [
      rule(
        "self.engine != 'builtin' || has(self.image)",
        'spec.image is needed for engine builtin: an image with Longshore in it',
      ),
      rule(
        "self.engine != 'nats' || has(self.nats)",
        'spec.nats.servers is needed for engine nats: where the servers are',
      ),
      rule(
        "self.engine == 'nats' || !has(self.nats)",
        'spec.nats is set though spec.engine is builtin; set engine nats, or take nats away',
      ),
    ],
  },
);
