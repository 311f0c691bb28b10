import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { crd } from '../../operator/api/crd.ts';
import { apply, describeOnCluster, get, helm, kubectl } from './support/cluster.ts';
import { Crowd } from './support/crowd.ts';
import {
  address,
  code,
  edit,
  install,
  LONG_MS,
  type Operator,
  type PodObject,
  podsOf,
  prepared,
  release,
  server,
  settled,
  uninstall,
} from './support/operator.ts';
import { eventually } from './support/run.ts';
import { Line } from './support/visit.ts';

const FIRST_ECHO_MS = 30_000;
const CLIENTS = 100;
/** Of the server. */
const NAME = 'kept';

let here: Operator;
let crowd: Crowd;

/** In a namespace with PodSecurity `restricted`, from nothing to an upgrade, an end and a new beginning. */
describeOnCluster('the operator in a namespace of restricted pods', () => {
  beforeAll(async () => {
    here = await prepared('clean');
    const level = 'pod-security.kubernetes.io/enforce=restricted';
    await kubectl('label', 'namespace', here.namespace, level);
  }, LONG_MS);

  afterAll(async () => {
    crowd?.leave();
    await kubectl('delete', 'lss', '--all', '-n', here.namespace, '--timeout=60s');
    await uninstall(here);
  }, LONG_MS);

  it(
    'serves the first client within 30 s of helm install',
    async () => {
      const began = Date.now();
      await helm('install', ...release(here));
      const installed = Date.now();
      await code(here.namespace);
      await server(here, { replicas: 2 }, NAME);
      const url = await eventually('a Service', () => address(here.namespace, NAME));
      const { pod } = await eventually('an echo', async () => {
        const line = await Line.to(url);
        return line.ask().finally(() => line.hangUp());
      });
      const echoed = Date.now();
      const operators = await eventually('the operator is ready', async () => {
        const found = await get<Pods>(
          'pods -l app.kubernetes.io/component=operator',
          here.namespace,
        );
        return readyAt(found.items);
      });
      await settled(here.namespace, NAME);
      const pods = readyAt(await podsOf(here.namespace, NAME)) ?? 0;
      const after = (at: number) => `${((at - began) / 1000).toFixed(1)} s`;
      console.log(
        `helm install to first echo: ${after(echoed)}; helm was through after ${after(installed)}, ` +
          `the operator ready after ${after(operators)}, both pods after ${after(pods)}`,
      );
      expect(await uids('name')).toContain(pod);
      expect(echoed - began).toBeLessThanOrEqual(FIRST_ECHO_MS);
    },
    LONG_MS,
  );

  it(
    'passes helm test',
    async () => {
      const log = await helm('test', 'longshore', '-n', here.namespace, '--logs');
      expect(log).toContain('echoes');
    },
    LONG_MS,
  );

  it('gives the pods of servers no token of the API', async () => {
    for (const { metadata, spec } of (await podsOf(here.namespace, NAME)) as readonly Full[]) {
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(JSON.stringify(spec.volumes)).not.toContain('serviceAccountToken');
      const look = `console.log(require('node:fs').existsSync('/var/run/secrets/kubernetes.io'))`;
      const there = ['exec', metadata.name, '-n', here.namespace, '--', 'node', '-e', look];
      expect((await kubectl(...there)).trim()).toBe('false');
    }
  });

  it(
    'touches no pod when it is upgraded, and its definition with it',
    async () => {
      crowd = new Crowd(await address(here.namespace, NAME), CLIENTS);
      await crowd.come();
      const before = await uids();
      await helm('upgrade', ...release(here, 'podLabels.version=next'), '--wait', '--timeout=120s');
      const { items } = await get<Pods>('pods -l version=next', here.namespace);
      expect(items).toHaveLength(1);
      const next = JSON.stringify(crd()).replace('What is going on.', 'What goes on.');
      expect(JSON.stringify(await apply(JSON.parse(next)))).toContain('What goes on.');
      await edit(here.namespace, { spec: { config: { greeting: 'hi' } } }, NAME);
      await settled(here.namespace, NAME);
      await apply(crd());
      await edit(here.namespace, { spec: { config: { greeting: 'hello' } } }, NAME);
      await settled(here.namespace, NAME);
      expect(await uids()).toEqual(before);
      expect(crowd.goodbyes).toEqual([]);
    },
    LONG_MS,
  );

  it(
    'leaves servers and clients alone when it goes, and takes them over when it comes again',
    async () => {
      const before = await uids();
      await uninstall(here);
      await eventually('no operator', async () => {
        const found = await get<Pods>(
          'pods -l app.kubernetes.io/component=operator',
          here.namespace,
        );
        return found.items.length === 0;
      });
      // Two of the kubelets' and the controllers' rounds.
      await new Promise((next) => setTimeout(next, 20_000));
      expect(await uids()).toEqual(before);
      await install(here);
      await edit(here.namespace, { spec: { config: { greeting: 'again' } } }, NAME);
      await settled(here.namespace, NAME);
      expect(await uids()).toEqual(before);
      expect(crowd.goodbyes).toEqual([]);
      expect(crowd.connected).toBe(CLIENTS);
      await kubectl('scale', `lss/${NAME}`, '--replicas=3', '-n', here.namespace);
      await settled(here.namespace, NAME);
      expect(await uids()).toEqual(expect.arrayContaining(before));
    },
    LONG_MS,
  );
});

type Condition = { readonly type: string; readonly lastTransitionTime: string };
type Full = PodObject & {
  readonly spec: { readonly automountServiceAccountToken?: boolean; readonly volumes: object[] };
  readonly status: { readonly conditions: readonly (Condition & { readonly status: string })[] };
};
type Pods = { readonly items: readonly PodObject[] };

async function uids(what: 'uid' | 'name' = 'uid'): Promise<string[]> {
  return (await podsOf(here.namespace, NAME)).map(({ metadata }) => metadata[what]).sort();
}

/** When the last of them became ready, to the second; `undefined` if one is not. */
function readyAt(pods: readonly PodObject[]): number | undefined {
  const times = (pods as readonly Full[]).map(({ status }) =>
    status.conditions.find(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
  if (times.length === 0 || times.includes(undefined)) return undefined;
  return Math.max(...times.map((each) => Date.parse(each?.lastTransitionTime ?? '')));
}
