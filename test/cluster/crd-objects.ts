import type { SocketServerSpec } from '../../operator/api/types.ts';

/** Servers that the API server has to refuse, and some that it has to take. */

export type Part = Partial<Record<keyof SocketServerSpec, unknown>> & Record<string, unknown>;

const worker = (...workers: object[]): Part => ({
  workers: workers.map((each, i) => ({
    name: `w${i}`,
    listen: `tcp://0.0.0.0:${80 + i}`,
    ...each,
  })),
});
const pod = (spec: object): Part => ({ podTemplate: { spec } });
const sysctl = (name: string, value = '1'): Part => ({ tuning: { sysctls: { [name]: value } } });

/** A spec, and the sentence that has to be in the answer: it names the field, the value and the bound. */
export const BAD: readonly (readonly [part: Part, sentence: RegExp])[] = [
  [{ image: undefined }, /spec\.image: Required value/],
  [{ image: '' }, /spec\.image: Invalid value: "": .* at least 1 chars long/],
  [
    { image: 'a b' },
    /spec\.image: Invalid value: .*it is "a b", expected the name of an image, without blanks/,
  ],
  [{ image: 'a'.repeat(513) }, /spec\.image: Too long: may not be more than 512 bytes/],
  [{ replicas: -1 }, /spec\.replicas: Invalid value: -1: .* greater than or equal to 0/],
  [{ replicas: 1001 }, /spec\.replicas: Invalid value: 1001: .* less than or equal to 1000/],
  [{ replicas: 'two' }, /spec\.replicas: Invalid value: "string": .* must be of type integer/],
  [{ replcas: 2 }, /unknown field "spec\.replcas"/],
  [
    { imagePullPolicy: 'Often' },
    /spec\.imagePullPolicy: .* "Often": .* "Always", "IfNotPresent", "Never"/,
  ],
  [{ imagePullSecrets: [{}] }, /spec\.imagePullSecrets\[0\]\.name: Required value/],
  [
    { app: 'chat.py' },
    /spec\.app is chat\.py, expected a file ending in \.ts, \.mts, \.js or \.mjs/,
  ],
  [{ app: '../chat.ts' }, /spec\.app is \.\.\/chat\.ts, expected a path without \.\./],
  [
    { app: 'a/chat.ts', code: { configMap: 'c' } },
    /spec\.app is a\/chat\.ts, expected the name of a file in code\.configMap/,
  ],
  [{ code: {} }, /spec\.code\.configMap: Required value/],
  [
    worker({ name: 'a b' }),
    /spec\.workers\[0\]\.name: .* it is "a b", expected letters, digits, -, _ and \./,
  ],
  [worker({}, { name: 'w0' }), /spec\.workers\[1\]: Duplicate value: \{"name":"w0"\}/],
  [
    worker({ listen: 'ws://0.0.0.0:80' }),
    /it is ws:\/\/0\.0\.0\.0:80, expected scheme:\/\/host:port .* tcp, udp, text, frame, websocket, http; write websocket:\/\/, also for TLS/,
  ],
  [worker({ listen: 'tcp://0.0.0.0' }), /it is tcp:\/\/0\.0\.0\.0, expected scheme:\/\/host:port/],
  [worker({ listen: 'tcp://0.0.0.0:0' }), /the port in tcp:\/\/0\.0\.0\.0:0 is not in 1 to 65535/],
  [worker({ listen: 'tcp://[::]:70000' }), /the port in tcp:\/\/\[::\]:70000 is not in 1 to 65535/],
  [
    worker({ listen: 'tcp://0.0.0.0:9464' }),
    /tcp:\/\/0\.0\.0\.0:9464 is the one of the admin port, 9464/,
  ],
  [
    worker({ listen: 'tcp://0.0.0.0:81' }, {}),
    /spec\.workers w0 and w1 both listen on port TCP 81; give one of them another port in listen/,
  ],
  [
    worker(
      { listen: 'tcp://h:1' },
      { listen: 'tcp://h:2' },
      { listen: 'udp://h:2' },
      { listen: 'text://h:2' },
      { listen: 'tcp://h:1' },
    ),
    /spec\.workers w0 and w4 both listen on port TCP 1;/,
  ],
  [
    worker({ servicePort: 7 }, { servicePort: 7 }),
    /spec\.workers w0 and w1 both have the port of the Service TCP 7; give one of them another servicePort/,
  ],
  [worker({ servicePort: 81 }, {}), /w0 and w1 both have the port of the Service TCP 81/],
  [worker({ servicePort: 0 }), /servicePort: Invalid value: 0: .* greater than or equal to 1/],
  [
    worker({}, { listen: undefined, servicePort: 80 }),
    /servicePort needs listen: the port that it stands for/,
  ],
  [
    worker({ listen: undefined }),
    /spec\.workers: .* none of spec\.workers has listen, .* set service\.type None/,
  ],
  [
    worker({ count: 0 }),
    /spec\.workers\[0\]\.count: Invalid value: 0: .* greater than or equal to 1/,
  ],
  [
    worker({ count: 257 }),
    /spec\.workers\[0\]\.count: Invalid value: 257: .* less than or equal to 256/,
  ],
  [
    worker(...Array.from({ length: 33 }, () => ({}))),
    /spec\.workers: Too many: 33: must have at most 32 items/,
  ],
  [{ config: { 'a b': 'x' } }, /spec\.config has the key a b, expected 1 to 253 letters, digits/],
  [{ config: { '..a': 'x' } }, /spec\.config has the key \.\.a, .* not beginning with two dots/],
  [{ config: { a: 1 } }, /spec\.config\.a: Invalid value: "integer": .* must be of type string/],
  [
    { env: [{ name: 'LONGSHORE_ADMIN' }] },
    /env has LONGSHORE_ADMIN; LONGSHORE_… is set from the other fields/,
  ],
  [{ env: [{ value: 'x' }] }, /spec\.env\[0\]\.name: Required value/],
  [
    { service: { type: 'ExternalName' } },
    /spec\.service\.type: .* "ExternalName": .* "ClusterIP", "NodePort", "LoadBalancer", "None"/,
  ],
  [
    { service: { externalTrafficPolicy: 'Local' } },
    /externalTrafficPolicy needs type NodePort or LoadBalancer, type is ClusterIP/,
  ],
  [
    { service: { type: 'NodePort', loadBalancerClass: 'x' } },
    /loadBalancerClass needs type LoadBalancer, type is NodePort/,
  ],
  [
    { drain: { propagationSeconds: 301 } },
    /spec\.drain\.propagationSeconds: Invalid value: 301: .* less than or equal to 300/,
  ],
  [
    { drain: { windowSeconds: 3601 } },
    /spec\.drain\.windowSeconds: Invalid value: 3601: .* less than or equal to 3600/,
  ],
  [
    { rollout: { maxSurge: 0 } },
    /rollout\.maxSurge and rollout\.maxUnavailable are both 0: .* let one be 1/,
  ],
  [
    { rollout: { maxSurge: '0%', maxUnavailable: '0%' } },
    /rollout\.maxSurge and rollout\.maxUnavailable are both 0/,
  ],
  [
    { rollout: { maxSurge: -1 } },
    /spec\.rollout\.maxSurge: .* it is -1, expected a number from 0 to 1000, or a share/,
  ],
  [{ rollout: { maxSurge: '101%' } }, /it is 101%, expected .* a share from 0% to 100%/],
  [
    { rollout: { maxUnavailable: 'half' } },
    /spec\.rollout\.maxUnavailable: .* it is half, expected a number from 0 to 1000/,
  ],
  [
    { rollout: { minReadySeconds: 3601 } },
    /spec\.rollout\.minReadySeconds: Invalid value: 3601: .* less than or equal to 3600/,
  ],
  [
    { rollout: { paused: 'yes' } },
    /spec\.rollout\.paused: Invalid value: "string": .* must be of type boolean/,
  ],
  [
    { rollout: { progressDeadlineSeconds: 86401 } },
    /progressDeadlineSeconds: Invalid value: 86401: .* less than or equal to 86400/,
  ],
  [
    { rollout: { revisionHistoryLimit: 51 } },
    /revisionHistoryLimit: Invalid value: 51: .* less than or equal to 50/,
  ],
  [
    { limits: { maxConnections: -1 } },
    /spec\.limits\.maxConnections: Invalid value: -1: .* greater than or equal to 0/,
  ],
  [
    { limits: { maxConnectionAge: 31536001 } },
    /maxConnectionAge: Invalid value: 31536001: .* less than or equal to 31536000/,
  ],
  [
    { tuning: { mode: 'Unsafe' } },
    /spec\.tuning\.mode: .* "Unsafe": .* "Safe", "UserNamespace", "KubeletAllowed"/,
  ],
  [
    { tuning: { mode: 'Off', sysctls: { 'net.core.somaxconn': '1' } } },
    /tuning\.sysctls has net\.core\.somaxconn though tuning\.mode is Off; take it out/,
  ],
  [sysctl('vm.swappiness'), /tuning\.sysctls has vm\.swappiness; only net\.… belongs to a pod/],
  [
    sysctl('net.core.somaxconn'),
    /has net\.core\.somaxconn, which no Kubernetes allows in mode Safe; use mode UserNamespace/,
  ],
  [
    sysctl('net.ipv4.tcp_rmem', 'many'),
    /net\.ipv4\.tcp_rmem\]?: .* it is "many", expected whole numbers with blanks in between/,
  ],
  [
    pod({ containers: [{ name: 'server', image: 'x' }] }),
    /podTemplate sets image, .* of the container "server"; use the fields of the spec/,
  ],
  [pod({ containers: [{ name: 'log' }] }), /podTemplate has a container log without image/],
  [
    pod({ volumes: [{ name: 'config', emptyDir: {} }] }),
    /podTemplate has a volume config, which is one of the operator/,
  ],
  [
    pod({ securityContext: { sysctls: [] } }),
    /securityContext\.sysctls is set; use spec\.tuning\.sysctls/,
  ],
  [pod({ hostNetwork: true }), /unknown field "spec\.podTemplate\.spec\.hostNetwork"/],
  [
    { podTemplate: { metadata: { labels: { 'longshore.dev/open': 'false' } } } },
    /labels: .* podTemplate has longshore\.dev\/open; longshore\.dev\/… and app\.kubernetes\.io\/… are set by the operator/,
  ],
];

/** Names of servers that are refused. */
export const BAD_NAMES: readonly string[] = ['1chat', 'chat.one', 'a'.repeat(46), 'chat-'];

/** By their names. */
export const GOOD: Readonly<Record<string, Part>> = {
  least: {},
  none: { replicas: 0, service: { type: 'None' } },
  most: { replicas: 1000, rollout: { maxSurge: 1000, maxUnavailable: '100%' } },
  shares: { rollout: { maxSurge: '25%', maxUnavailable: '0%' } },
  'no-surge': { rollout: { maxSurge: 0, maxUnavailable: 1 } },
  code: { code: { configMap: 'chat-code' }, app: 'server.mts' },
  folder: { app: 'dist/server.js' },
  'two-transports': worker({ listen: 'tcp://0.0.0.0:80' }, { listen: 'udp://0.0.0.0:80' }),
  'all-schemes': {
    workers: ['tcp', 'udp', 'text', 'frame', 'websocket', 'http'].map((scheme, i) => ({
      name: scheme,
      listen: `${scheme}://[::]:${1000 + i}`,
    })),
  },
  background: {
    workers: [{ name: 'jobs', count: 2 }],
    service: { type: 'None' },
  },
  swapped: worker({ servicePort: 81 }, { servicePort: 80 }),
  'many-workers': {
    workers: Array.from({ length: 32 }, (_, i) => ({ name: `w${i}`, listen: `tcp://h:${i + 1}` })),
  },
  balancer: {
    service: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', loadBalancerClass: 'a/b' },
  },
  environment: {
    env: [
      { name: 'LONGSHORE_LOG', value: 'text' },
      { name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
    ],
    envFrom: [{ secretRef: { name: 's' } }],
  },
  tuned: {
    tuning: {
      mode: 'UserNamespace',
      sysctls: { 'net.core.somaxconn': '1024', 'net.ipv4.tcp_rmem': '4096 65536 1048576' },
    },
  },
  'tuned-away': sysctl('net.core.somaxconn', ''),
  patched: {
    podTemplate: {
      metadata: { labels: { team: 'a' } },
      spec: {
        containers: [
          { name: 'server', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
          { name: 'log', image: 'log:1', args: ['-f'] },
        ],
        volumes: [{ name: 'data', emptyDir: {} }],
        tolerations: [{ key: 'x', operator: 'Exists' }],
      },
    },
  },
  'null-is-absent': { drain: null, limits: { maxConnections: null } },
};
