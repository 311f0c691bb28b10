import type { TuningMode, TuningSpec } from '../api/types.ts';

/** Which kernel settings a pod gets, how, and which it does not, and why. Pure. */

/** What is known of the cluster; the lowest of all nodes where nodes differ. */
export type ClusterFacts = {
  /** 36 for Kubernetes 1.36: the API server's or the oldest kubelet's. */
  readonly minor: number;
  /** As in [6, 18]. */
  readonly kernel: readonly [number, number];
  /** Whether every node can run pods with `hostUsers: false`. */
  readonly userNamespaces: boolean;
  /** Patterns of unsafe sysctls that every node says its kubelet allows. */
  readonly allowedSysctls: readonly string[];
  /** What PodSecurity enforces in the namespace. */
  readonly podSecurity: 'privileged' | 'baseline' | 'restricted';
};

/** How the pods are to be made. */
export type Tuning = {
  /** For the pod's `securityContext.sysctls`. */
  readonly pod: Readonly<Record<string, string>>;
  /** For an init container; none if empty. */
  readonly init: Readonly<Record<string, string>>;
  readonly privileged: boolean;
  readonly hostUsers: boolean;
  /** Everything that was asked for. */
  readonly wanted: Readonly<Record<string, string>>;
  /** What of it is left out, with the reason. */
  readonly skipped: Readonly<Record<string, string>>;
};

/** First Kubernetes minor that lets every pod set it, and first kernel that has it in a pod's own network. */
const SAFE: Readonly<Record<string, readonly [minor: number, kernel: readonly [number, number]]>> =
  {
    'net.ipv4.ip_local_port_range': [0, [0, 0]],
    'net.ipv4.tcp_syncookies': [0, [0, 0]],
    'net.ipv4.ping_group_range': [0, [0, 0]],
    'net.ipv4.ip_unprivileged_port_start': [0, [0, 0]],
    'net.ipv4.ip_local_reserved_ports': [27, [3, 16]],
    'net.ipv4.tcp_keepalive_time': [29, [4, 5]],
    'net.ipv4.tcp_keepalive_intvl': [29, [4, 5]],
    'net.ipv4.tcp_keepalive_probes': [29, [4, 5]],
    'net.ipv4.tcp_fin_timeout': [29, [4, 6]],
    'net.ipv4.tcp_rmem': [32, [4, 15]],
    'net.ipv4.tcp_wmem': [32, [4, 15]],
    'net.ipv4.tcp_slow_start_after_idle': [37, [4, 15]],
    'net.ipv4.tcp_notsent_lowat': [37, [4, 6]],
  };

/** What every mode but `Off` sets unless told otherwise, as far as it can. */
export const DEFAULTS: Readonly<Record<string, string>> = {
  // Both ends of the accept queue; the framework asks for 65,535.
  'net.core.somaxconn': '65535',
  'net.ipv4.tcp_max_syn_backlog': '65535',
  // A reload loses no handshake.
  'net.ipv4.tcp_migrate_req': '1',
  // A peer that is gone is noticed after 5 minutes instead of 2 hours.
  'net.ipv4.tcp_keepalive_time': '180',
  'net.ipv4.tcp_keepalive_intvl': '30',
  'net.ipv4.tcp_keepalive_probes': '4',
  // What is unsent stays with the program, where it can still be dropped or counted.
  'net.ipv4.tcp_notsent_lowat': '131072',
  // For connections that the pod itself opens.
  'net.ipv4.ip_local_port_range': '10240 65535',
  'net.ipv4.tcp_tw_reuse': '1',
  // Ports 80 and 443 without root.
  'net.ipv4.ip_unprivileged_port_start': '0',
};

/** Never in a pod's own network, so that no mode can set them. */
const OF_THE_NODE =
  /^net\.(core\.(rmem|wmem)_(max|default)|core\.(netdev_|busy_|default_qdisc|bpf_|dev_weight)|netfilter\.nf_conntrack_(max|buckets)|ipv4\.(tcp_mem|udp_mem|tcp_max_orphans)|ipv[46]\.neigh\.)/;

/** Decides it. */
export function tuningOf({ mode, sysctls }: TuningSpec, facts: ClusterFacts): Tuning {
  const all = mode === 'Off' ? {} : { ...DEFAULTS, ...sysctls };
  const wanted = Object.fromEntries(
    Object.entries(all).filter(
      ([name, value]) => value !== '' && isFor({ mode, sysctls }, name, facts),
    ),
  );
  const ways = Object.entries(wanted).map(([name, value]) => ({
    name,
    value,
    way: wayOf(mode, name, facts),
  }));
  const by = (way: 'pod' | 'init') =>
    Object.fromEntries(
      ways.filter((each) => each.way === way).map(({ name, value }) => [name, value]),
    );
  const skipped = ways.flatMap(({ name, way }) =>
    typeof way === 'string' ? [] : [[name, way.not] as const],
  );
  const init = by('init');
  const byInit = Object.keys(init).length > 0;
  return {
    pod: by('pod'),
    init,
    privileged: byInit && mode === 'Privileged',
    hostUsers: !(byInit && mode === 'UserNamespace'),
    wanted,
    skipped: Object.fromEntries(skipped),
  };
}

/** How one setting gets into a pod, or why it does not. */
function wayOf(
  mode: TuningMode,
  name: string,
  facts: ClusterFacts,
): 'pod' | 'init' | { readonly not: string } {
  if (OF_THE_NODE.test(name)) return { not: 'it belongs to the node, not to a pod' };
  const unsafe = notSafe(name, facts);
  if (unsafe === undefined) return 'pod';
  if (mode === 'Safe') return { not: unsafe };
  const obstacle = obstacleOf(mode, facts);
  if (obstacle !== undefined) return { not: obstacle };
  if (mode !== 'KubeletAllowed') return 'init';
  return isAllowed(name, facts.allowedSysctls)
    ? 'pod'
    : { not: 'not every node says that its kubelet allows it' };
}

/** In mode Safe, a default that this cluster lets no pod set is not even wanted; a user's own wish is. */
function isFor({ mode, sysctls }: TuningSpec, name: string, facts: ClusterFacts): boolean {
  return mode !== 'Safe' || name in sysctls || notSafe(name, facts) === undefined;
}

/** Why not every pod may set it; `undefined` if it may. */
function notSafe(name: string, { minor, kernel }: ClusterFacts): string | undefined {
  const known = SAFE[name];
  if (!known) return 'Kubernetes lets no pod set it by itself; mode UserNamespace can';
  const [since, [major, minorOf]] = known;
  if (minor < since) return `it is safe from Kubernetes 1.${since} on, this is 1.${minor}`;
  if (kernel[0] < major || (kernel[0] === major && kernel[1] < minorOf))
    return `it needs Linux ${major}.${minorOf}, a node has ${kernel.join('.')}`;
  return undefined;
}

/** What stands in the way of a mode as a whole. */
function obstacleOf(mode: TuningMode, facts: ClusterFacts): string | undefined {
  const { minor, userNamespaces, podSecurity } = facts;
  if (mode === 'UserNamespace') {
    if (minor < 33) return `mode UserNamespace needs Kubernetes 1.33, this is 1.${minor}`;
    if (!userNamespaces) return 'a node cannot run pods in user namespaces';
  }
  if (mode !== 'Safe' && podSecurity !== 'privileged')
    return `PodSecurity of the namespace is ${podSecurity}; mode ${mode} needs privileged`;
  return undefined;
}

/** Patterns as kubelets take them: a name, or a prefix with `*`. */
function isAllowed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/** Numbers apart from how they are spaced. */
export const sameSetting = (one: string, other: string): boolean =>
  one.trim().split(/\s+/).join(' ') === other.trim().split(/\s+/).join(' ');
