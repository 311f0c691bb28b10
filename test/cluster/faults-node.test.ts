import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeOnCluster, get, kubeconfig, kubectl } from './support/cluster.ts';
import { Crowd } from './support/crowd.ts';
import {
  address,
  code,
  conditionIn,
  edit,
  LONG_MS,
  type Operator,
  operator,
  podsOf,
  seen,
  server,
  settled,
  uninstall,
} from './support/operator.ts';
import { PodWatch } from './support/pod-watch.ts';
import { eventually, run } from './support/run.ts';
import { describeUnless } from './support/skip.ts';

const RUN = join(process.env['CLUSTER_HOME'] || '/var/lib/longshore-cluster', 'run');
const PARTS = ['kubelet-2', 'containerd-2'];
const OWN = join(RUN, 'admin.kubeconfig');
const isOurs = [undefined, '', OWN].includes(process.env['KUBECONFIG']);
const noNode =
  isOurs && existsSync(join(RUN, 'pid/kubelet-2'))
    ? undefined
    : 'a node fails only in the cluster of test/cluster/cluster, while it runs with two';

const NAME = 'node';
const REPLICAS = 2;
const CLIENTS = 60;
/** The control plane believes a node for 20 s. */
const LOST_MS = 60_000;

let here: Operator;
let crowd: Crowd;

describeUnless(noNode, 'a node', () => {
  describeOnCluster('that is lost in mid-rollout', () => {
    beforeAll(async () => {
      here = await operator('node', 'nodeSelector.kubernetes\\.io/hostname=node-1');
      await code(here.namespace);
      await server(here, { replicas: REPLICAS, rollout: { minReadySeconds: 5 } }, NAME);
      await settled(here.namespace, NAME);
      crowd = new Crowd(await address(here.namespace, NAME), CLIENTS);
      await crowd.come();
    }, LONG_MS);

    afterAll(async () => {
      crowd?.leave();
      await kubectl('delete', 'lss', '--all', '-n', here.namespace, '--timeout=60s');
      await uninstall(here);
    }, LONG_MS);

    it(
      'costs its pods and no others, and the rollout ends when it is back',
      async () => {
        expect(
          new Set((await podsOf(here.namespace, NAME)).map(({ spec }) => spec.nodeName)),
        ).toEqual(new Set(['node-1', 'node-2']));
        using pods = await PodWatch.of(await kubeconfig(), here.namespace, NAME);
        await edit(here.namespace, { spec: { env: [{ name: 'N', value: '1' }] } }, NAME);
        await eventually('the first new pod', async () => {
          const found = await podsOf(here.namespace, NAME);
          return found.length > REPLICAS;
        });
        try {
          await lose();
          await new Promise((next) => setTimeout(next, LOST_MS));
          expect(await isReady()).toBe(false);
          const lost = await seen(here.namespace, NAME);
          expect(conditionIn(lost, 'Ready')?.status).toBe('False');
          expect(lost.status).toMatchObject({ phase: 'Updating', readyReplicas: 1 });
        } finally {
          await bringBack();
        }
        await eventually('the node is back', isReady, LONG_MS);
        const after = await settled(here.namespace, NAME);
        await eventually('every client is back', () => crowd.connected === CLIENTS, LONG_MS);
        console.log(
          `at most ${pods.most} pods, at least ${pods.fewest} ready, ${pods.names.size} in all, ` +
            `${crowd.goodbyes.length} closes, failures: ${crowd.failures.join()}`,
        );
        expect(after.status).toMatchObject({ updatedReplicas: REPLICAS, replicas: REPLICAS });
        expect(pods.most).toBeLessThanOrEqual(REPLICAS + 1);
        expect(pods.fewest).toBeGreaterThanOrEqual(1);
        expect(pods.revisions).toBe(2);
      },
      4 * LONG_MS,
    );
  });
});

/** Its kubelet and containerd stand still, and nothing reaches its pods. */
async function lose(): Promise<void> {
  signal('SIGSTOP');
  await run('ip', ['link', 'set', 'lsh-port-2', 'down']);
}

async function bringBack(): Promise<void> {
  await run('ip', ['link', 'set', 'lsh-port-2', 'up']);
  signal('SIGCONT');
}

function signal(name: NodeJS.Signals): void {
  for (const part of PARTS) {
    const pid = Number(readFileSync(join(RUN, 'pid', part), 'utf8'));
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(RUN))
      throw new Error(`${part} does not run`);
    process.kill(pid, name);
  }
}

type Node = {
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
  };
};

async function isReady(): Promise<boolean> {
  const { status } = await get<Node>('node node-2', here.namespace);
  return status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
}
