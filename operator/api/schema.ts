import { ADMIN_PORT } from '../../src/contract.ts';
import {
  foreign,
  list,
  map,
  record,
  rule,
  type Schema,
  telling,
  text,
  whole,
} from './json-schema.ts';
import { podPatch } from './schema-pod.ts';
import { drain, limits, REPLICAS_MAX, rollout } from './schema-rollout.ts';
import { service } from './schema-service.ts';
import { tuning } from './schema-tuning.ts';

/**
 * The spec of a `SocketServer`: fields, defaults and rules. It is the source of the CRD, of `kubectl explain` and of
 * the page on the spec; `types.ts` is the same for TypeScript, and a test holds the two together.
 */

const LISTEN =
  '^(tcp|udp|text|frame|websocket|http)://([^:/\\[\\]\\s]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}$';
const isAddress = `self.matches('${LISTEN.replaceAll('\\', '\\\\')}')`;
/** The last part of an address, in CEL. */
const portIn = (address: string): string =>
  `${address}.split(':')[size(${address}.split(':')) - 1]`;
/** The port in an address, in CEL. */
const portOf = (address: string): string => `int(${portIn(address)})`;
/** The port of the Service, in CEL. */
const servicePortOf = (worker: string): string =>
  `(has(${worker}.servicePort) ? ${worker}.servicePort : ${portOf(`${worker}.listen`)})`;
/** Whether no two workers with an address have the same of something and the same transport, in CEL. */
const differ = (of: (worker: string) => string): string =>
  `self.workers.all(a, !has(a.listen) || self.workers.exists_one(b, has(b.listen) && ${of('b')} == ${of('a')} && b.listen.startsWith('udp:') == a.listen.startsWith('udp:')))`;

const worker: Schema = record(
  'One Worker of the program, and what is different from what the program says.',
  {
    name: text("The Worker's name in the program.", {
      pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$',
      maxLength: 63,
    }),
    count: whole(
      'Processes in each pod. Without it: what the program says. A change replaces processes inside the pods.',
      [1, 256],
    ),
    listen: text(
      'Address to listen on, as in websocket://0.0.0.0:7272; schemes: tcp, udp, text, frame, websocket, http. It gives the ' +
        'Service its port. Without it the Worker listens where the program says and the Service has no port for it.',
      {
        pattern: LISTEN,
        maxLength: 256,
        'x-kubernetes-validations': [
          telling(
            isAddress,
            `'it is ' + self + ', expected scheme://host:port with a scheme of tcp, udp, text, frame, websocket, http'`,
            'expected scheme://host:port with a scheme of tcp, udp, text, frame, websocket, http',
          ),
          telling(
            `!${isAddress} || (${portOf('self')} >= 1 && ${portOf('self')} <= 65535)`,
            "'the port in ' + self + ' is not in 1 to 65535'",
            'the port is not in 1 to 65535',
          ),
          telling(
            `!${isAddress} || ${portOf('self')} != ${ADMIN_PORT}`,
            `'the port in ' + self + ' is the one of the admin port, ${ADMIN_PORT}; take another'`,
            `port ${ADMIN_PORT} is the admin port`,
          ),
        ],
      },
    ),
    servicePort: whole(
      'Port of the Service, if it is not the one that is listened on.',
      [1, 65_535],
    ),
  },
  {
    required: ['name'],
    'x-kubernetes-validations': [
      rule(
        '!has(self.servicePort) || has(self.listen)',
        'servicePort needs listen: the port that it stands for',
      ),
    ],
  },
);

const env: Schema = list(
  'Environment variables of the server, as in a container.',
  foreign('name, and value or valueFrom.', {
    properties: { name: text('Name of the variable.', { minLength: 1, maxLength: 256 }) },
    required: ['name'],
    'x-kubernetes-validations': [
      telling(
        "!self.name.startsWith('LONGSHORE_') || self.name == 'LONGSHORE_LOG'",
        "'env has ' + self.name + '; LONGSHORE_… is set from the other fields of the spec'",
        'LONGSHORE_… is set from the other fields of the spec',
      ),
    ],
  }),
  {
    default: [],
    maxItems: 256,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  },
);

/** What the key of a ConfigMap may be, in CEL. */
const isKey = "key.matches('^[-._a-zA-Z0-9]{1,253}$') && key != '.' && !key.startsWith('..')";

export const specSchema: Schema = record(
  'What the server should be.',
  {
    replicas: whole('Pods. kubectl scale and autoscalers change it.', [0, REPLICAS_MAX], {
      default: 1,
    }),
    image: text('Image with Longshore in it: FROM longshore, and COPY of the program.', {
      minLength: 1,
      maxLength: 512,
      pattern: '^[^\\s]+$',
    }),
    imagePullPolicy: text('Default: Always for :latest, else IfNotPresent.', {
      enum: ['Always', 'IfNotPresent', 'Never'],
    }),
    imagePullSecrets: list(
      'Secrets to pull the image with.',
      record('', { name: text('Name of the Secret.', { maxLength: 253 }) }, { required: ['name'] }),
      {
        maxItems: 16,
      },
    ),
    app: text(
      'The program: a path in the image, from /app on; with code.configMap the name of a file in it.',
      {
        minLength: 1,
        maxLength: 512,
        default: 'app.ts',
      },
    ),
    code: record(
      'Where the program comes from, if not from the image. Other files in it replace processes inside the pods.',
      {
        configMap: text('ConfigMap whose files are mounted at /app.', {
          minLength: 1,
          maxLength: 253,
        }),
      },
      { required: ['configMap'] },
    ),
    workers: list(
      'The Workers of the program that the Service or you have something to say about.',
      worker,
      {
        default: [],
        maxItems: 32,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      },
    ),
    config: map(
      'Values that every running process gets as they change, in worker.config and onWorkerReload.',
      text('', { maxLength: 65_536 }),
      { default: {}, maxProperties: 256 },
    ),
    env,
    envFrom: list('ConfigMaps and Secrets with environment variables.', foreign(''), {
      default: [],
      maxItems: 32,
    }),
    resources: foreign('CPU and memory of a pod, as in a container.', { default: {} }),
    service,
    drain,
    rollout,
    limits,
    tuning,
    podTemplate: podPatch,
  },
  {
    required: ['image'],
    'x-kubernetes-validations': [
      rule(
        "!has(self.code) || self.app.matches('^[-._a-zA-Z0-9]+$')",
        'spec.app must be the name of a file in code.configMap, without a folder',
      ),
      rule("has(self.code) || !self.app.contains('..')", 'spec.app must not contain ..'),
      telling(
        "self.app.matches('[.](ts|mts|js|mjs)$')",
        "'spec.app is ' + self.app + ', expected a file ending in .ts, .mts, .js or .mjs'",
        'spec.app must end in .ts, .mts, .js or .mjs',
      ),
      rule(
        differ((worker) => portIn(`${worker}.listen`)),
        'two of spec.workers listen on the same port',
      ),
      rule(differ(servicePortOf), 'two of spec.workers have the same port of the Service'),
      telling(
        `self.config.all(key, ${isKey})`,
        `'spec.config has the key ' + self.config.filter(key, !(${isKey}))[0] + ', expected 1 to 253 letters, digits, -, _ and ., not beginning with two dots'`,
        'keys of spec.config have 1 to 253 letters, digits, -, _ and .',
      ),
    ],
  },
);
