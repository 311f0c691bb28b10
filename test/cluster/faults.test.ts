import { beforeAll, expect, it } from '@jest/globals';
import { describeOnCluster, kubeconfig, kubectl } from './support/cluster.ts';
import { Crowd } from './support/crowd.ts';
import {
  address,
  code,
  edit,
  LONG_MS,
  type Operator,
  prepared,
  seen,
  server,
  settled,
} from './support/operator.ts';
import { OperatorProcess } from './support/operator-process.ts';
import { PodWatch } from './support/pod-watch.ts';
import { eventually } from './support/run.ts';

const KILLS = 20;
/** It lives this long at most, counted from when it leads. */
const LIFE_MS = 5000;
const REPLICAS = 2;
const CLIENTS = 60;
const NAME = 'faulty';

let here: Operator;

describeOnCluster('kill -9 of the operator', () => {
  beforeAll(async () => {
    here = await prepared('faults');
    await code(here.namespace);
  }, LONG_MS);

  it(`${KILLS} times at random moments of rollouts harms nobody`, async () => {
    await using operator = new OperatorProcess(here.namespace);
    await operator.start();
    await server(here, { replicas: REPLICAS }, NAME);
    await settled(here.namespace, NAME);
    using pods = await PodWatch.of(await kubeconfig(), here.namespace, NAME);
    const crowd = new Crowd(await address(here.namespace, NAME), CLIENTS);
    await crowd.come();
    let [kills, rollouts] = [0, 0];
    while (kills < KILLS) {
      rollouts += 1;
      await edit(here.namespace, { spec: { env: [{ name: 'N', value: `${rollouts}` }] } }, NAME);
      while (kills < KILLS && !(await isThrough())) {
        await new Promise((next) => setTimeout(next, Math.random() * LIFE_MS));
        await operator.kill();
        kills += 1;
        await operator.start();
      }
    }
    await settled(here.namespace, NAME);
    await eventually('every client is back', () => crowd.connected === CLIENTS);
    crowd.leave();
    const codes = new Set(crowd.goodbyes.map(({ code: each }) => each));
    console.log(
      `${kills} kills in ${rollouts} rollouts: at most ${pods.most} pods, at least ` +
        `${pods.fewest} ready, ${pods.names.size} pods in all, ${crowd.goodbyes.length} closes ` +
        `${[...codes]}, failures: ${crowd.failures.join()}`,
    );
    expect(pods.most).toBe(REPLICAS + 1);
    expect(pods.fewest).toBe(REPLICAS);
    // No pod was made in vain.
    expect(pods.names.size).toBe(REPLICAS * (rollouts + 1));
    expect(codes).toEqual(new Set([1012]));
    expect(crowd.failures).toEqual([]);
    await kubectl('delete', 'lss', NAME, '-n', here.namespace, '--timeout=60s');
  }, 1_200_000);
});

async function isThrough(): Promise<boolean> {
  const { status, metadata } = await seen(here.namespace, NAME);
  const ready = status?.conditions.find(({ type }) => type === 'Ready');
  return status?.observedGeneration === metadata.generation && ready?.status === 'True';
}
