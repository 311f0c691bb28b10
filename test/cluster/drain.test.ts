import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeOnCluster, get, kubeconfig, kubectl, PATH } from './support/cluster.ts';
import { Crowd, peakPerSecond } from './support/crowd.ts';
import {
  address,
  code,
  LONG_MS,
  type Operator,
  operator,
  podsOf,
  server,
  settled,
} from './support/operator.ts';
import { eventually, run } from './support/run.ts';
import { Line } from './support/visit.ts';

const PODS = 3;
const CLIENTS = 210;
const DRAIN = { propagationSeconds: 5, windowSeconds: 10 };
const GRACE = 30;
/** Keeps a pod's object until its end has been looked at. */
const HOLD = 'longshore.dev/test';

let here: Operator;
let crowd: Crowd;

type Ended = {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly state?: {
        readonly terminated?: { readonly exitCode: number; readonly finishedAt: string };
      };
    }[];
  };
};

async function hold(pod: string, finalizers: readonly string[]): Promise<void> {
  const patch = JSON.stringify({ metadata: { finalizers } });
  await kubectl('patch', 'pod', pod, '-n', here.namespace, '--type=merge', '-p', patch);
}

/** Waits for the end of a pod that is held, lets it go, and gives how it was. */
async function end(pod: string): Promise<{ exitCode: number; secondsLeft: number }> {
  // The kubelet's own last call sets it anew.
  let until: string | undefined;
  const last = await eventually(
    `the end of ${pod}`,
    async () => {
      const { metadata, status } = await get<Ended>(`pod ${pod}`, here.namespace);
      until ??= metadata.deletionTimestamp;
      return until === undefined ? undefined : status.containerStatuses?.[0]?.state?.terminated;
    },
    LONG_MS,
  );
  await hold(pod, []);
  const secondsLeft = (Date.parse(until ?? '') - Date.parse(last.finishedAt)) / 1000;
  return { exitCode: last.exitCode, secondsLeft };
}

/** Holds pods while something makes them go; gives how they ended. */
async function held(pods: readonly string[], act: () => Promise<unknown>) {
  try {
    for (const pod of pods) await hold(pod, [HOLD]);
    const [ends] = await Promise.all([Promise.all(pods.map(end)), act()]);
    return ends;
  } finally {
    for (const pod of pods) await hold(pod, []).catch(() => {});
  }
}

/** Waits until all pods are ready and none is on its way out. */
async function complete(): Promise<void> {
  await eventually(
    'all pods are ready',
    async () => {
      type List = { items: Ended[] };
      const { items } = await get<List>('pods -l longshore.dev/server=chat', here.namespace);
      const isReady = ({ status }: Ended) =>
        status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True');
      return items.length === PODS && items.every(isReady);
    },
    LONG_MS,
  );
  await eventually('all clients are back', () => crowd.connected === CLIENTS, LONG_MS);
}

/** Pods go in some way, and what their clients see of it is what it should be. */
async function leaving(what: string, pods: readonly string[], act: () => Promise<unknown>) {
  await complete();
  const theirs = pods.reduce((sum, pod) => sum + (crowd.places.get(pod) ?? 0), 0);
  crowd.reset();
  const ends = await held(pods, act);
  await complete();
  const { goodbyes, failures } = crowd;
  const codes = new Set(goodbyes.map((each) => each.code));
  const left = Math.min(...ends.map(({ secondsLeft }) => secondsLeft));
  console.log(
    `${what}: ${goodbyes.length} closes ${[...codes]}, at most ${peakPerSecond(goodbyes)} a second, ` +
      `${failures.length} failed attempts ${failures}, ended with ${left} of ${GRACE} s left`,
  );
  expect(ends.map(({ exitCode }) => exitCode)).toEqual(pods.map(() => 0));
  expect(left).toBeGreaterThan(0);
  expect(goodbyes.length).toBeGreaterThanOrEqual(theirs);
  expect(codes).toEqual(new Set([1012]));
  expect(goodbyes.every(({ reason }) => reason.startsWith('{"reconnect":'))).toBe(true);
  expect(failures).toEqual([]);
}

function evict(pod: string): Promise<string> {
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: pod, namespace: here.namespace },
  };
  const path = `/api/v1/namespaces/${here.namespace}/pods/${pod}/eviction`;
  const line = `echo '${JSON.stringify(eviction)}' | kubectl create --raw ${path} -f -`;
  return run('sh', ['-c', line], { env: environment });
}

let environment: Record<string, string> = {};

const scale = (replicas: number): Promise<string> =>
  kubectl('scale', 'lss', 'chat', '-n', here.namespace, `--replicas=${replicas}`);

/** The fullest one first. */
async function names(): Promise<string[]> {
  const count = (name: string) => crowd.places.get(name) ?? 0;
  const all = (await podsOf(here.namespace)).map(({ metadata }) => metadata.name);
  return all.sort((a, b) => count(b) - count(a));
}

describeOnCluster('a pod that goes', () => {
  beforeAll(async () => {
    environment = { KUBECONFIG: await kubeconfig(), PATH };
    here = await operator('drain');
    await code(here.namespace);
    await server(here, { replicas: PODS, drain: DRAIN });
    await settled(here.namespace);
    crowd = new Crowd(await address(here.namespace), CLIENTS);
    await crowd.come();
  }, LONG_MS);

  it(
    'because there are too many is the emptiest one, and closes at an even pace',
    async () => {
      const [emptiest, ...others] = [...crowd.places].sort(([, a], [, b]) => a - b);
      if (!emptiest) throw new Error('there is no pod');
      // So many more that nobody has to count twice.
      const lines: Line[] = [];
      for (const { metadata, status } of await podsOf(here.namespace)) {
        const isOther = others.some(([name]) => name === metadata.name);
        for (let i = 0; isOther && i < 50; i += 1)
          lines.push(await Line.to(`ws://${status.podIP}:7272`));
      }
      const [name, theirs] = emptiest;
      crowd.reset();
      const [ended] = await held([name], () => scale(PODS - 1));
      await eventually('it is gone', async () => !(await names()).includes(name));
      await settled(here.namespace);
      await eventually('all clients are back', () => crowd.connected === CLIENTS);
      const { goodbyes } = crowd;
      const first = Math.min(...goodbyes.map(({ at }) => at));
      const seconds = (Math.max(...goodbyes.map(({ at }) => at)) - first) / 1000;
      const peak = peakPerSecond(goodbyes);
      console.log(
        `scale-down: ${goodbyes.length} closes in ${seconds} s, at most ${peak} a second`,
      );
      await scale(PODS);
      expect(ended?.exitCode).toBe(0);
      expect(goodbyes).toHaveLength(theirs);
      expect(new Set(goodbyes.map((each) => each.code))).toEqual(new Set([1012]));
      expect(goodbyes.every(({ reason }) => reason.startsWith('{"reconnect":'))).toBe(true);
      expect(peak).toBeLessThanOrEqual((1.5 * theirs) / DRAIN.windowSeconds);
      expect(seconds).toBeGreaterThan(DRAIN.windowSeconds / 2);
      expect(crowd.failures).toEqual([]);
      expect(lines.map(({ closed }) => closed)).toEqual(lines.map(() => undefined));
      for (const line of lines) line.hangUp();
    },
    2 * LONG_MS,
  );

  describe.each([[1], [0]])('with %d operators', (operators) => {
    beforeAll(async () => {
      const count = `--replicas=${operators}`;
      await kubectl('scale', 'deployment', 'longshore', '-n', here.namespace, count);
      await eventually('the operator', async () => {
        type List = { items: unknown[] };
        const pods = 'pods -l app.kubernetes.io/name=longshore';
        return (await get<List>(pods, here.namespace)).items.length === operators;
      });
    }, LONG_MS);

    it(
      'by kubectl delete',
      async () => {
        const [pod = ''] = await names();
        await leaving('delete', [pod], () =>
          kubectl('delete', 'pod', pod, '-n', here.namespace, '--wait=false'),
        );
      },
      2 * LONG_MS,
    );

    it(
      'by eviction goes alone',
      async () => {
        const [pod = '', other = ''] = await names();
        await leaving('eviction', [pod], async () => {
          await evict(pod);
          await expect(evict(other)).rejects.toThrow(/disruption budget/);
        });
      },
      2 * LONG_MS,
    );

    it(
      'by kubectl drain comes back on the other node',
      async () => {
        const before = await podsOf(here.namespace);
        const [fullest] = await names();
        const node = before.find(({ metadata }) => metadata.name === fullest)?.spec.nodeName ?? '';
        const pods = before.filter(({ spec }) => spec.nodeName === node);
        try {
          await leaving(
            `drain of ${node}`,
            pods.map(({ metadata }) => metadata.name),
            // Only ours: others share the node.
            () =>
              kubectl(
                ...['drain', node, '--pod-selector=longshore.dev/server=chat'],
                ...['--delete-emptydir-data', '--timeout=110s'],
              ),
          );
          const nodes = (await podsOf(here.namespace)).map(({ spec }) => spec.nodeName);
          expect(nodes).not.toContain(node);
        } finally {
          await kubectl('uncordon', node);
        }
      },
      2 * LONG_MS,
    );
  });

  afterAll(() => crowd?.leave());
});
