import { ADMIN_PORT } from '../../src/contract.ts';
import {
  foreign,
  list,
  map,
  type Rule,
  record,
  rule,
  type Schema,
  shaped,
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
const IMAGE = '^[^\\s]*$';
const NAME = '^[A-Za-z0-9][A-Za-z0-9_.-]*$';
const isAddress = `self.matches('${LISTEN.replaceAll('\\', '\\\\')}')`;
/** The last part of an address, in CEL. */
const portIn = (address: string): string =>
  `${address}.split(':')[size(${address}.split(':')) - 1]`;
/** The port in an address, in CEL. */
const portOf = (address: string): string => `int(${portIn(address)})`;
/** The port that a worker listens on, as text, in CEL. */
const ownPortOf = (worker: string): string => portIn(`${worker}.listen`);
/** The port of the Service, as text, in CEL. */
const servicePortOf = (worker: string): string =>
  `(has(${worker}.servicePort) ? string(${worker}.servicePort) : ${ownPortOf(worker)})`;

/**
 * No two workers with an address have the same port of a kind and the same transport. Lists of one give names to what
 * would else be worked out again and again, which the API server does not let a rule do.
 */
function differ(of: (worker: string) => string, what: string, instead: string): Rule {
  const ports = `ws.map(w, (w.listen.startsWith('udp:') ? 'UDP ' : 'TCP ') + ${of('w')})`;
  const bound = (macro: string, inside: string) =>
    `[self.workers.filter(w, has(w.listen))].${macro}(ws, [${ports}].${macro}(ps, ${inside}))`;
  const pair = "'spec.workers ' + ws[ps.indexOf(p)].name + ' and ' + ws[ps.lastIndexOf(p)].name";
  return telling(
    bound('all', 'ps.all(p, ps.indexOf(p) == ps.lastIndexOf(p))'),
    `${bound('map', `ps.filter(p, ps.indexOf(p) != ps.lastIndexOf(p)).map(p, ${pair} + ' ${what} ' + p + '; ${instead}')[0]`)}[0][0]`,
    `two of spec.workers ${what}; ${instead}`,
  );
}

const worker: Schema = record(
  'One Worker of the program, and what is different from what the program says.',
  {
    name: text("The Worker's name in the program.", {
      pattern: NAME,
      maxLength: 63,
      'x-kubernetes-validations': [
        shaped(NAME, 'letters, digits, -, _ and ., beginning with a letter or digit'),
      ],
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
            `'it is ' + self + ', expected scheme://host:port with a scheme of tcp, udp, text, frame, websocket, http' + (self.matches('^wss?://') ? '; write websocket://, also for TLS, which is an option of the Worker' : '')`,
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
      pattern: IMAGE,
      'x-kubernetes-validations': [shaped(IMAGE, 'the name of an image, without blanks')],
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
    channelRef: record(
      'The channel servers that ChannelClient uses in these pods; without it each pod has one of its own.',
      {
        name: text('Name of a ChannelServer of this namespace.', { minLength: 1, maxLength: 253 }),
      },
      { required: ['name'] },
    ),
    gatewayRef: record(
      'The gateways that BusinessWorkers and GatewayClient use in these pods.',
      {
        name: text('Name of a SocketServer of this namespace whose program has Gateway workers.', {
          minLength: 1,
          maxLength: 253,
        }),
      },
      { required: ['name'] },
    ),
    podTemplate: podPatch,
  },
  {
    required: ['image'],
    'x-kubernetes-validations': [
      telling(
        "!has(self.code) || self.app.matches('^[-._a-zA-Z0-9]+$')",
        "'spec.app is ' + self.app + ', expected the name of a file in code.configMap, without a folder'",
        'spec.app must be the name of a file in code.configMap, without a folder',
      ),
      telling(
        "has(self.code) || !self.app.contains('..')",
        "'spec.app is ' + self.app + ', expected a path without ..'",
        'spec.app must not contain ..',
      ),
      telling(
        "self.app.matches('[.](ts|mts|js|mjs)$')",
        "'spec.app is ' + self.app + ', expected a file ending in .ts, .mts, .js or .mjs'",
        'spec.app must end in .ts, .mts, .js or .mjs',
      ),
      differ(ownPortOf, 'both listen on port', 'give one of them another port in listen'),
      differ(
        servicePortOf,
        'both have the port of the Service',
        'give one of them another servicePort',
      ),
      telling(
        `self.config.all(key, ${isKey})`,
        `'spec.config has the key ' + self.config.filter(key, !(${isKey}))[0] + ', expected 1 to 253 letters, digits, -, _ and ., not beginning with two dots'`,
        'keys of spec.config have 1 to 253 letters, digits, -, _ and .',
      ),
    ],
  },
);
