import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFAULTS } from '../../operator/decide/tuning.ts';
import { apply, describeOnCluster, get, kubectl } from './support/cluster.ts';
import {
  code,
  conditionIn,
  LONG_MS,
  type Operator,
  operator,
  type PodObject,
  podsOf,
  seen,
  server,
  settled,
} from './support/operator.ts';
import { eventually } from './support/run.ts';

/** What every pod may set from 1.29 on, of what the operator wants by itself. */
const SAFE = [
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const UNSAFE = Object.keys(DEFAULTS).filter((name) => !SAFE.includes(name));
const ANNOTATION = 'longshore.dev/allowed-unsafe-sysctls';
/** The kubelets of our own cluster allow it, and not the other one. */
const ALLOWED = 'net.core.somaxconn';
const FORBIDDEN = 'net.ipv4.tcp_tw_reuse';

let here: Operator;
let nodes: string[];

type Values = Record<string, string>;

/** What a pod says of its kernel: on its open metrics, and of /proc behind the token. */
async function kernelOf(called: string): Promise<{ metrics: Values; proc: Values }> {
  const [pod] = await podsOf(here.namespace, called);
  const url = `http://${pod?.status.podIP}:9464`;
  const { data } = await get<{ data: { token: string } }>(`secret ${called}-admin`, here.namespace);
  const token = Buffer.from(data.token, 'base64').toString();
  const headers = { authorization: `Bearer ${token}` };
  return eventually('what the pod says', async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const status = await (await fetch(`${url}/status`, { headers })).json();
    const { sysctls } = status as { sysctls: Values };
    return ALLOWED in sysctls && { metrics: measured(text), proc: sysctls };
  });
}

/** `longshore_sysctl`, the parts of a setting in their order. */
function measured(text: string): Values {
  const values: Values = {};
  for (const [, name = '', value] of text.matchAll(
    /^longshore_sysctl\{.*?name="([^"]+)".*?\} (\S+)$/gm,
  ))
    values[name] = name in values ? `${values[name]} ${value}` : String(value);
  return values;
}

const only = (values: Values, names: readonly string[]): Values =>
  Object.fromEntries(names.map((name) => [name, String(values[name])]));

/** Makes a server and waits until it serves; gives its condition and the kernel of its pod. */
async function tuned(called: string, mode: string, sysctls: Values = {}) {
  await server(here, { tuning: { mode, sysctls } }, called);
  await settled(here.namespace, called);
  const kernel = await kernelOf(called);
  const condition = conditionIn(await seen(here.namespace, called), 'TuningApplied');
  return { ...kernel, condition };
}

/** The nodes' own values, read in their network. */
async function valuesOfNodes(): Promise<Values> {
  const values: Values = {};
  for (const node of nodes) {
    const name = `reader-${node}-${Math.random().toString(36).slice(2, 7)}`;
    const program = `for (const name of ${JSON.stringify(Object.keys(DEFAULTS))})
      console.log(name, require('fs').readFileSync('/proc/sys/' + name.replaceAll('.', '/'), 'utf8').trim());`;
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: here.namespace },
      spec: {
        nodeName: node,
        hostNetwork: true,
        restartPolicy: 'Never',
        containers: [{ name: 'read', image: here.image, command: ['node', '-e', program] }],
      },
    });
    values[node] = await eventually('its values', async () => {
      const pod = await get<PodObject>(`pod ${name}`, here.namespace);
      return pod.status.phase === 'Succeeded' && kubectl('logs', name, '-n', here.namespace);
    });
    await kubectl('delete', 'pod', name, '-n', here.namespace);
  }
  return values;
}

describeOnCluster('tuning', () => {
  let before: Values;

  beforeAll(async () => {
    here = await operator('tuning');
    await code(here.namespace);
    type Nodes = { items: { metadata: { name: string } }[] };
    nodes = (await get<Nodes>('nodes', here.namespace)).items.map(({ metadata }) => metadata.name);
    before = await valuesOfNodes();
  }, LONG_MS);

  it(
    'Off leaves the kernel as it is',
    async () => {
      const { metrics, condition } = await tuned('off', 'Off');
      expect(metrics).toMatchObject({
        [ALLOWED]: '4096',
        'net.ipv4.tcp_keepalive_time': '7200',
      });
      expect(condition).toMatchObject({ status: 'False', reason: 'Off' });
    },
    LONG_MS,
  );

  it(
    'Safe sets what every pod may, and leaves the rest',
    async () => {
      const { metrics, proc, condition } = await tuned('safe', 'Safe');
      expect(only(proc, SAFE)).toEqual(only(DEFAULTS, SAFE));
      expect(only(metrics, SAFE.slice(0, 1))).toEqual(only(DEFAULTS, SAFE.slice(0, 1)));
      expect(metrics[ALLOWED]).toBe('4096');
      expect(condition).toMatchObject({ status: 'True', reason: 'Applied' });
    },
    LONG_MS,
  );

  it(
    'Safe leaves out what would keep the pod from starting, and says so',
    async () => {
      const { metrics, condition } = await tuned('wish', 'Safe', {
        'net.core.optmem_max': '200000',
      });
      expect(metrics[ALLOWED]).toBe('4096');
      expect(condition).toMatchObject({
        status: 'False',
        reason: 'Skipped',
        message:
          'net.core.optmem_max is left out: Kubernetes lets no pod set it by itself; mode UserNamespace can',
      });
      const field = '--field-selector=reason=TuningSkipped';
      await eventually('an event', async () =>
        (await kubectl('get', 'events', '-n', here.namespace, field)).includes('optmem_max'),
      );
    },
    LONG_MS,
  );

  it.each(['UserNamespace', 'Privileged'])(
    '%s sets everything that a pod has',
    async (mode) => {
      const name = mode.toLowerCase();
      const { metrics, proc, condition } = await tuned(name, mode, {
        'net.core.rmem_max': '8388608',
        'net.ipv4.tcp_fin_timeout': '15',
      });
      expect(only(proc, Object.keys(DEFAULTS))).toEqual(DEFAULTS);
      expect(metrics).toMatchObject({
        ...only(DEFAULTS, [ALLOWED, 'net.ipv4.tcp_migrate_req', 'net.ipv4.tcp_max_syn_backlog']),
        'net.ipv4.tcp_fin_timeout': '15',
      });
      // Only what is the node's is left out.
      expect(condition).toMatchObject({
        reason: 'Skipped',
        message: 'net.core.rmem_max is left out: it belongs to the node, not to a pod',
      });
      type Pod = {
        spec: {
          hostUsers?: boolean;
          initContainers: { securityContext: { privileged?: boolean } }[];
        };
      };
      const { items } = await get<{ items: Pod[] }>(
        `pods -l longshore.dev/server=${name}`,
        here.namespace,
      );
      expect(items.map(({ spec }) => spec.hostUsers !== false)).toEqual([mode === 'Privileged']);
      expect(items.map(({ spec }) => spec.initContainers[0]?.securityContext.privileged)).toEqual([
        mode === 'Privileged' ? true : undefined,
      ]);
    },
    LONG_MS,
  );

  it(
    'KubeletAllowed sets nothing that the nodes do not say they allow',
    async () => {
      const { proc, condition } = await tuned('unsaid', 'KubeletAllowed');
      expect(only(proc, SAFE)).toEqual(only(DEFAULTS, SAFE));
      expect(proc[ALLOWED]).toBe('4096');
      expect(condition).toMatchObject({
        reason: 'Skipped',
        message: `net.core.somaxconn is left out: not every node says that its kubelet allows it (and ${UNSAFE.length - 1} more)`,
      });
    },
    LONG_MS,
  );

  describe('with the annotation on the nodes', () => {
    const annotate = (names: string) =>
      kubectl('annotate', '--overwrite', 'node', ...nodes, `${ANNOTATION}=${names}`);

    // Only of our own cluster is it known what its kubelets allow.
    (process.env['KUBECONFIG'] ? it.skip : it)(
      'KubeletAllowed sets what the kubelets allow',
      async () => {
        await annotate(ALLOWED);
        const { proc, condition } = await tuned('said', 'KubeletAllowed');
        expect(only(proc, [ALLOWED, ...SAFE])).toEqual(only(DEFAULTS, [ALLOWED, ...SAFE]));
        expect(condition?.message).not.toContain(ALLOWED);
      },
      LONG_MS,
    );

    it(
      'KubeletAllowed stops at the first pods that a kubelet rejects, until it is changed',
      async () => {
        await annotate(FORBIDDEN);
        await server(here, { replicas: 2, tuning: { mode: 'KubeletAllowed' } }, 'lie');
        const found = await eventually(
          'it says so',
          async () => {
            const now = await seen(here.namespace, 'lie');
            return conditionIn(now, 'Ready')?.reason === 'PodRejected' && now;
          },
          LONG_MS,
        );
        expect(conditionIn(found, 'Stalled')).toMatchObject({ status: 'True' });
        expect(conditionIn(found, 'Ready')?.message).toMatch(
          /^pod lie-\S+ was rejected by node \S+: SysctlForbidden: .*"net.ipv4.tcp_tw_reuse".*; no further pod is made. Take/,
        );
        // Its set would make another one at once, for ever.
        const path = ['-o', 'jsonpath={.items[*].spec.replicas}', '-n', here.namespace];
        const set = () => kubectl('get', 'rs', '-l', 'longshore.dev/server=lie', ...path);
        await eventually('the set being empty', async () => (await set()) === '0');
        const pods = new Set<string>();
        const look = async () => {
          for (const { metadata } of await podsOf(here.namespace, 'lie')) pods.add(metadata.name);
          return pods.size;
        };
        const count = await look();
        const end = Date.now() + 10_000;
        await eventually('time', async () => (await look()) > 0 && Date.now() > end);
        console.log(`${count} pods were rejected`);
        expect(pods.size).toBe(count);
        await server(here, { replicas: 2 }, 'lie');
        await settled(here.namespace, 'lie');
      },
      2 * LONG_MS,
    );

    afterAll(() => kubectl('annotate', 'node', ...nodes, `${ANNOTATION}-`));
  });

  it(
    'UserNamespace is left out where PodSecurity forbids it, and the server runs',
    async () => {
      const label = 'pod-security.kubernetes.io/enforce=baseline';
      await kubectl('label', 'namespace', here.namespace, label);
      const { proc, condition } = await tuned('baseline', 'UserNamespace');
      expect(only(proc, SAFE)).toEqual(only(DEFAULTS, SAFE));
      expect(condition).toMatchObject({
        status: 'False',
        reason: 'Skipped',
        message: `net.core.somaxconn is left out: PodSecurity of the namespace is baseline; mode UserNamespace needs privileged (and ${UNSAFE.length - 1} more)`,
      });
      await kubectl('label', 'namespace', here.namespace, `${label.split('=')[0]}-`);
    },
    LONG_MS,
  );

  it(
    'leaves the nodes as they were',
    async () => {
      expect(await valuesOfNodes()).toEqual(before);
      expect(Object.keys(before)).toHaveLength(nodes.length);
    },
    LONG_MS,
  );
});
