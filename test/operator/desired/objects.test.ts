import { describe, expect, it } from '@jest/globals';
import { overridesOf } from '../../../operator/desired/config-maps.ts';
import { objectsOf, uselessOf } from '../../../operator/desired/objects.ts';
import { replicaSet } from '../../../operator/desired/replica-set.ts';
import { portNames } from '../../../operator/desired/service.ts';
import { tokenSecret } from '../../../operator/desired/token.ts';
import { serverOf } from '../../support/servers.ts';

const labels = {
  'app.kubernetes.io/name': 'longshore-server',
  'app.kubernetes.io/instance': 'chat',
  'app.kubernetes.io/managed-by': 'longshore',
  'longshore.dev/server': 'chat',
};
const metadata = (name: string) => ({
  name,
  namespace: 'default',
  labels,
  ownerReferences: [
    {
      apiVersion: 'longshore.dev/v1alpha1',
      kind: 'SocketServer',
      name: 'chat',
      uid: 'u1',
      controller: true,
    },
  ],
});
const configMap = (name: string, data: object) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadata(name),
  data,
});

const WORKERS = [
  { name: 'chat', listen: 'websocket://0.0.0.0:7272', servicePort: 80 },
  { name: 'dns', count: 2, listen: 'udp://[::]:53' },
  { name: 'dns-tcp', listen: 'tcp://0.0.0.0:53' },
  { name: 'jobs', count: 1 },
  { name: 'as-it-is' },
];

describe('the objects of a server', () => {
  it('are two ConfigMaps at least', () => {
    expect(objectsOf(serverOf({}))).toEqual([
      configMap('chat-config', {}),
      configMap('chat-workers', { 'workers.json': '[]' }),
    ]);
    expect(uselessOf(serverOf({}))).toEqual([
      { kind: 'Service', name: 'chat' },
      { kind: 'PodDisruptionBudget', name: 'chat' },
    ]);
  });

  it('and a Service with a port for each address, and a budget', () => {
    const server = serverOf({
      replicas: 2,
      config: { motd: 'hi' },
      workers: WORKERS,
      service: {
        type: 'LoadBalancer',
        annotations: { a: 'b' },
        externalTrafficPolicy: 'Local',
        loadBalancerClass: 'c',
      },
    });
    const overrides = [
      { name: 'chat', listen: 'websocket://0.0.0.0:7272' },
      { name: 'dns', count: 2, listen: 'udp://[::]:53' },
      { name: 'dns-tcp', listen: 'tcp://0.0.0.0:53' },
      { name: 'jobs', count: 1 },
    ];
    expect(overridesOf(server)).toEqual(overrides);
    expect(objectsOf(server)).toEqual([
      configMap('chat-config', { motd: 'hi' }),
      configMap('chat-workers', { 'workers.json': JSON.stringify(overrides) }),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { ...metadata('chat'), annotations: { a: 'b' } },
        spec: {
          type: 'LoadBalancer',
          selector: { 'longshore.dev/server': 'chat', 'longshore.dev/open': 'true' },
          ports: [
            { name: 'chat', protocol: 'TCP', port: 80, targetPort: 7272 },
            { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 },
            { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 53 },
          ],
          externalTrafficPolicy: 'Local',
          loadBalancerClass: 'c',
        },
      },
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: metadata('chat'),
        spec: {
          maxUnavailable: 1,
          unhealthyPodEvictionPolicy: 'AlwaysAllow',
          selector: { matchLabels: { 'longshore.dev/server': 'chat' } },
        },
      },
    ]);
    expect(uselessOf(server)).toEqual([]);
  });

  it.each([
    [{ replicas: 0 }, []],
    [{ replicas: 1 }, []],
    [{ replicas: 2 }, ['PodDisruptionBudget']],
    [{ workers: WORKERS }, ['Service']],
    [{ workers: WORKERS, service: { type: 'None' } }, []],
    [{ workers: [{ name: 'jobs', count: 1 }] }, []],
  ])('of %j beside ConfigMaps: %j', (part, kinds) => {
    const server = serverOf(part);
    expect(
      objectsOf(server)
        .slice(2)
        .map(({ kind }) => kind),
    ).toEqual(kinds);
    const all = [...kinds, ...uselessOf(server).map(({ kind }) => kind)];
    expect(all.sort()).toEqual(['PodDisruptionBudget', 'Service']);
  });
});

describe('the ReplicaSet of a revision', () => {
  const tuning = { pod: {}, init: {}, privileged: false, hostUsers: true, wanted: {} };
  const settings = {
    revision: 'r1',
    graceSeconds: 50,
    tuning,
    number: 3,
    replicas: 2,
    inputs: { image: 'app:1' },
    skipped: { a: 'why' },
  };

  it('selects its pods, and carries what it stands for', () => {
    const set = replicaSet(serverOf({}), settings);
    const own = metadata('chat-r1');
    expect(set).toMatchObject({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        ...own,
        labels: { ...labels, 'longshore.dev/revision': 'r1' },
        annotations: {
          'longshore.dev/revision-number': '3',
          'longshore.dev/inputs': '{"image":"app:1"}',
          'longshore.dev/sysctls-skipped': '{"a":"why"}',
        },
      },
      spec: {
        replicas: 2,
        selector: {
          matchLabels: { 'longshore.dev/server': 'chat', 'longshore.dev/revision': 'r1' },
        },
        template: {
          metadata: { labels: { 'longshore.dev/revision': 'r1', 'longshore.dev/open': 'true' } },
        },
      },
    });
  });
});

describe('the Secret', () => {
  it('has the token', () => {
    expect(tokenSecret(serverOf({}), 'dG9rZW4=')).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: metadata('chat-admin'),
      data: { token: 'dG9rZW4=' },
    });
  });
});

describe('names of ports', () => {
  it.each<[string[], string[]]>([
    [['chat'], ['chat']],
    [['Chat_Server.1'], ['chat-server-1']],
    [['notifications-eu'], ['notifications-e']],
    [
      ['notifications-1', 'notifications-10'],
      ['notifications-1', 'notifications-2'],
    ],
    [
      ['a', 'A', 'a'],
      ['a', 'a-2', 'a-3'],
    ],
    [
      ['a', 'a-2', 'A'],
      ['a', 'a-2', 'a-3'],
    ],
    [['admin'], ['admin-2']],
    [['7272'], ['p-7272']],
    [['123456789012-45'], ['p-123456789012']],
    [['abcdefghijklmn-p'], ['abcdefghijklmn']],
    [['9_'], ['p-9']],
  ])('of workers %j are %j', (workers, names) => {
    expect(portNames(workers.map((name) => ({ name })))).toEqual(names);
  });

  it('are such as Kubernetes takes, whatever the workers are called, each only once', () => {
    const parts = ['a', 'B', '1', '.', '_', '-', 'notifications', '12345678901234'];
    const workers = parts.flatMap((one) =>
      parts.flatMap((two) =>
        parts.map((three) => `x${one}${two}${three}`.slice(one === 'B' ? 1 : 0)),
      ),
    );
    const names = portNames(workers.map((name) => ({ name })));
    for (const name of names) {
      expect(name).toMatch(/^(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/);
    }
    expect(new Set(names).size).toBe(workers.length);
  });
});
