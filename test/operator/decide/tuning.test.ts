import { describe, expect, it } from '@jest/globals';
import type { TuningMode } from '../../../operator/api/types.ts';
import {
  type ClusterFacts,
  DEFAULTS,
  sameSetting,
  tuningOf,
} from '../../../operator/decide/tuning.ts';
import { FACTS } from '../../support/servers.ts';

type Sysctls = Readonly<Record<string, string>>;

/** Each setting that is left out, in short: `name: reason`. */
function tuned(mode: TuningMode, facts: Partial<ClusterFacts> = {}, sysctls: Sysctls = {}) {
  const { skipped, ...rest } = tuningOf({ mode, sysctls }, { ...FACTS, ...facts });
  return { ...rest, skipped: Object.entries(skipped).map(([name, why]) => `${name}: ${why}`) };
}

const short = (settings: Sysctls): string =>
  Object.keys(settings)
    .map((name) => name.replace(/^net\.(ipv4|core)\.(tcp_)?/, ''))
    .sort()
    .join(' ');

const BASIC = 'ip_local_port_range ip_unprivileged_port_start';
const ALIVE = `${BASIC} keepalive_intvl keepalive_probes keepalive_time`;
const ALL_SAFE = `${ALIVE} notsent_lowat`;

describe('mode Safe', () => {
  it.each([
    [28, BASIC],
    [29, ALIVE],
    [30, ALIVE],
    [31, ALIVE],
    [32, ALIVE],
    [33, ALIVE],
    [34, ALIVE],
    [35, ALIVE],
    [36, ALIVE],
    [37, ALL_SAFE],
    [38, ALL_SAFE],
  ])('on Kubernetes 1.%d sets %s', (minor, names) => {
    const { pod, init, privileged, hostUsers } = tuned('Safe', { minor });
    expect(short(pod)).toBe(names);
    expect({ init, privileged, hostUsers }).toEqual({
      init: {},
      privileged: false,
      hostUsers: true,
    });
  });

  it.each([
    [[4, 4], BASIC],
    [[4, 5], ALIVE],
    [[4, 6], ALL_SAFE],
    [[3, 10], BASIC],
    [[6, 18], ALL_SAFE],
  ] as const)('on Linux %j sets %s', (kernel, names) => {
    expect(short(tuned('Safe', { minor: 37, kernel: [...kernel] }).pod)).toBe(names);
  });

  it.each([
    ['net.ipv4.tcp_rmem', 31, [6, 18], 'it is safe from Kubernetes 1.32 on, this is 1.31'],
    ['net.ipv4.tcp_rmem', 32, [4, 14], 'it needs Linux 4.15, a node has 4.14'],
    ['net.ipv4.tcp_wmem', 32, [4, 15], undefined],
    ['net.ipv4.tcp_fin_timeout', 28, [6, 18], 'it is safe from Kubernetes 1.29 on, this is 1.28'],
    ['net.ipv4.tcp_fin_timeout', 29, [4, 5], 'it needs Linux 4.6, a node has 4.5'],
    ['net.ipv4.ip_local_reserved_ports', 30, [6, 1], undefined],
    [
      'net.ipv4.tcp_slow_start_after_idle',
      36,
      [6, 18],
      'it is safe from Kubernetes 1.37 on, this is 1.36',
    ],
    ['net.ipv4.tcp_slow_start_after_idle', 37, [6, 18], undefined],
    ['net.ipv4.tcp_syncookies', 30, [3, 1], undefined],
    [
      'net.ipv4.tcp_retries2',
      37,
      [6, 18],
      'Kubernetes lets no pod set it by itself; mode UserNamespace can',
    ],
    ['net.core.rmem_max', 37, [6, 18], 'it belongs to the node, not to a pod'],
    ['net.netfilter.nf_conntrack_max', 37, [6, 18], 'it belongs to the node, not to a pod'],
    ['net.ipv4.tcp_mem', 37, [6, 18], 'it belongs to the node, not to a pod'],
    ['net.ipv4.neigh.default.gc_thresh3', 37, [6, 18], 'it belongs to the node, not to a pod'],
    ['net.core.netdev_max_backlog', 37, [6, 18], 'it belongs to the node, not to a pod'],
    [
      'net.core.optmem_max',
      37,
      [6, 18],
      'Kubernetes lets no pod set it by itself; mode UserNamespace can',
    ],
  ] as const)('%s on 1.%d and Linux %j: %s', (name, minor, kernel, reason) => {
    const { pod, skipped } = tuned('Safe', { minor, kernel: [...kernel] }, { [name]: '7' });
    expect(pod[name]).toBe(reason === undefined ? '7' : undefined);
    expect(skipped.filter((each) => each.startsWith(`${name}: `))).toEqual(
      reason === undefined ? [] : [`${name}: ${reason}`],
    );
  });

  it('does not miss what no pod can have, unless it was asked for', () => {
    expect(tuned('Safe').wanted).not.toHaveProperty(['net.core.somaxconn']);
    const { wanted, skipped } = tuned('Safe', {}, { 'net.core.somaxconn': '9' });
    expect(wanted).toHaveProperty(['net.core.somaxconn'], '9');
    expect(skipped).toContain(
      'net.core.somaxconn: Kubernetes lets no pod set it by itself; mode UserNamespace can',
    );
  });

  it.each(['privileged', 'baseline', 'restricted'] as const)('passes PodSecurity %s', (level) => {
    expect(tuned('Safe', { podSecurity: level })).toEqual(tuned('Safe'));
  });
});

const UNSAFE = 'max_syn_backlog migrate_req notsent_lowat somaxconn tw_reuse';

describe('other modes', () => {
  it.each([
    ['UserNamespace', {}, UNSAFE, 'hostUsers false'],
    ['UserNamespace', { minor: 33 }, UNSAFE, 'hostUsers false'],
    ['UserNamespace', { minor: 37 }, UNSAFE.replace('notsent_lowat ', ''), 'hostUsers false'],
    ['UserNamespace', { minor: 32 }, '', 'mode UserNamespace needs Kubernetes 1.33, this is 1.32'],
    ['UserNamespace', { userNamespaces: false }, '', 'a node cannot run pods in user namespaces'],
    [
      'UserNamespace',
      { podSecurity: 'baseline' },
      '',
      'PodSecurity of the namespace is baseline; mode UserNamespace needs privileged',
    ],
    [
      'UserNamespace',
      { podSecurity: 'restricted' },
      '',
      'PodSecurity of the namespace is restricted; mode UserNamespace needs privileged',
    ],
    ['Privileged', {}, UNSAFE, 'privileged'],
    ['Privileged', { minor: 30, userNamespaces: false }, UNSAFE, 'privileged'],
    [
      'Privileged',
      { podSecurity: 'restricted' },
      '',
      'PodSecurity of the namespace is restricted; mode Privileged needs privileged',
    ],
  ] as const)('%s with %j: by init %s; %s', (mode, facts, names, how) => {
    const { init, pod, privileged, hostUsers, skipped } = tuned(mode, facts);
    expect(short(init)).toBe(names);
    expect(short(pod).split(' ')).toEqual(expect.arrayContaining(ALIVE.split(' ')));
    const ways = [
      ...(hostUsers ? [] : ['hostUsers false']),
      ...(privileged ? ['privileged'] : []),
      ...new Set(skipped.map((each) => each.replace(/^.*?: /, ''))),
    ];
    expect(ways).toEqual([how]);
  });

  it.each([
    [[], '', 5],
    [['net.core.somaxconn'], 'somaxconn', 4],
    [['net.core.*'], 'somaxconn', 4],
    [['net.*'], UNSAFE, 0],
    [['net.ipv4.tcp_m*', 'net.ipv4.tcp_tw_reuse'], 'max_syn_backlog migrate_req tw_reuse', 2],
    [['net.core.somaxcon'], '', 5],
  ])('KubeletAllowed with %j: %s, %d left out', (allowedSysctls, names, left) => {
    const { init, pod, skipped } = tuned('KubeletAllowed', { allowedSysctls });
    expect(init).toEqual({});
    const unsafe = Object.entries(pod).filter(
      ([name]) => !ALIVE.split(' ').includes(short({ [name]: '' })),
    );
    expect(short(Object.fromEntries(unsafe))).toBe(names);
    expect(skipped).toHaveLength(left);
    for (const each of skipped)
      expect(each).toMatch('not every node says that its kubelet allows it');
  });

  it('Off sets nothing and misses nothing', () => {
    expect(tuned('Off')).toEqual({
      pod: {},
      init: {},
      privileged: false,
      hostUsers: true,
      wanted: {},
      skipped: [],
    });
  });

  it.each(['UserNamespace', 'Privileged', 'KubeletAllowed'] as const)(
    '%s cannot set what is the node’s',
    (mode) => {
      const { init, pod, skipped } = tuned(
        mode,
        { allowedSysctls: ['net.*'] },
        { 'net.core.wmem_max': '1' },
      );
      expect({ ...init, ...pod }).not.toHaveProperty(['net.core.wmem_max']);
      expect(skipped).toEqual(['net.core.wmem_max: it belongs to the node, not to a pod']);
    },
  );

  it('needs no user namespace where everything is safe', () => {
    const none = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, '']));
    const { hostUsers, init, pod } = tuned(
      'UserNamespace',
      {},
      { ...none, 'net.ipv4.tcp_rmem': '1 2 3' },
    );
    expect({ hostUsers, init, pod }).toEqual({
      hostUsers: true,
      init: {},
      pod: { 'net.ipv4.tcp_rmem': '1 2 3' },
    });
  });
});

describe('settings of one’s own', () => {
  it('replace those of the mode, and an empty text takes one away', () => {
    const { pod, wanted } = tuned(
      'Safe',
      {},
      {
        'net.ipv4.tcp_keepalive_time': '60',
        'net.ipv4.ip_local_port_range': '',
      },
    );
    expect(pod['net.ipv4.tcp_keepalive_time']).toBe('60');
    expect(wanted).not.toHaveProperty(['net.ipv4.ip_local_port_range']);
  });

  it.each([
    ['1 2\t3', '1  2 3', true],
    [' 1 ', '1', true],
    ['1 2', '1 3', false],
    ['', '0', false],
  ])('%j and %j are the same: %s', (one, other, same) => {
    expect(sameSetting(one, other)).toBe(same);
  });
});
