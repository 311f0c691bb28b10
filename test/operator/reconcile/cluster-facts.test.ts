import { describe, expect, it } from '@jest/globals';
import type { Namespace, Node } from '../../../operator/api/meta.ts';
import { factsOf } from '../../../operator/reconcile/cluster-facts.ts';

type Part = {
  kubelet?: string;
  kernel?: string;
  ready?: boolean;
  cordoned?: boolean;
  allowed?: string;
  handlers?: NonNullable<Node['status']>['runtimeHandlers'];
};

const WITH = [{ name: '', features: { userNamespaces: true } }];

const node = ({
  kubelet = 'v1.36.3',
  kernel = '6.18.44',
  ready = true,
  cordoned = false,
  allowed,
  handlers = WITH,
}: Part = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'n',
    ...(allowed === undefined
      ? {}
      : { annotations: { 'longshore.dev/allowed-unsafe-sysctls': allowed } }),
  },
  spec: cordoned ? { unschedulable: true } : {},
  status: {
    nodeInfo: { kubeletVersion: kubelet, kernelVersion: kernel },
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }],
    runtimeHandlers: handlers,
  },
});

const place = (level?: string): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: 'chat',
    labels: level === undefined ? {} : { 'pod-security.kubernetes.io/enforce': level },
  },
});

const ONE = {
  minor: 36,
  kernel: [6, 18],
  userNamespaces: true,
  allowedSysctls: [],
  podSecurity: 'privileged',
};

describe('facts of a cluster', () => {
  it.each<[string, Part[], object]>([
    ['of one node', [{}], {}],
    ['of no node', [], { kernel: [0, 0], userNamespaces: false }],
    [
      'count the oldest kubelet',
      [{}, { kubelet: 'v1.34.0' }, { kubelet: 'v1.35.9' }],
      { minor: 34 },
    ],
    ['count an older API server', [{ kubelet: 'v1.40.0' }], {}],
    [
      'read the versions of vendors',
      [{ kubelet: 'v1.35.2-eks-ab12', kernel: '5.10.0-30-cloud-amd64' }],
      { minor: 35, kernel: [5, 10] },
    ],
    [
      'count the oldest kernel, by number',
      [{ kernel: '6.2.0' }, { kernel: '6.18.1' }],
      { kernel: [6, 2] },
    ],
    [
      'of which an older major counts',
      [{ kernel: '5.19.0' }, { kernel: '6.1.0' }],
      { kernel: [5, 19] },
    ],
    [
      'take no part of a node that is cordoned',
      [{}, { kubelet: 'v1.30.0', kernel: '4.1', cordoned: true, handlers: [] }],
      {},
    ],
    ['nor of one that is not ready', [{}, { kubelet: 'v1.30.0', ready: false, handlers: [] }], {}],
    ['need user namespaces everywhere', [{}, { handlers: [] }], { userNamespaces: false }],
    [
      'and in the default runtime',
      [{ handlers: [{ name: 'gvisor', features: { userNamespaces: true } }] }],
      { userNamespaces: false },
    ],
    [
      'and said so',
      [{ handlers: [{ name: '', features: { userNamespaces: false } }] }],
      { userNamespaces: false },
    ],
    ['and not left unsaid', [{ handlers: [{ name: '' }] }], { userNamespaces: false }],
    [
      'know what all kubelets allow',
      [{ allowed: 'net.core.somaxconn, net.ipv4.*' }, { allowed: ' net.ipv4.*,,' }],
      { allowedSysctls: ['net.ipv4.*'] },
    ],
    ['and what one does not', [{ allowed: 'net.*' }, {}], { allowedSysctls: [] }],
  ])('%s', (_, nodes, more) => {
    expect(factsOf(36, nodes.map(node), place())).toEqual({ ...ONE, ...more });
  });

  it.each([
    [undefined, 'privileged'],
    ['privileged', 'privileged'],
    ['baseline', 'baseline'],
    ['restricted', 'restricted'],
    ['other', 'privileged'],
  ])('with PodSecurity %s are %s', (level, podSecurity) => {
    expect(factsOf(36, [node()], place(level)).podSecurity).toBe(podSecurity);
  });

  it('with an unknown namespace are those of an open one', () => {
    expect(factsOf(36, [node()], undefined)).toEqual(ONE);
  });
});
