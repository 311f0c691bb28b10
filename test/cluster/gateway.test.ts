import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Crowd } from '../gateway/crowd.ts';
import { pairs } from '../gateway/pairs.ts';
import { describeOnCluster, kubectl } from './support/cluster.ts';
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
} from './support/operator.ts';
import { eventually } from './support/run.ts';

/** Two servers of one namespace: gateways that hold the clients, and the application behind them, which is deployed. */

const CLIENTS = Number(process.env['CLIENTS'] ?? 1000);

const GATEWAYS = `
import { Gateway, Worker } from 'longshore';
new Gateway('websocket://0.0.0.0:7272', { name: 'gateway' });
await Worker.runAll();
`;

const BEHIND = {
  code: { configMap: 'business-code' },
  replicas: 2,
  gatewayRef: { name: 'edge' },
  service: { type: 'None' },
  workers: [{ name: 'business', count: 2 }],
};

let here: Operator;
let crowd: Crowd | undefined;

/** Longest since the last row, and the median, of what a message took from one client to the other. */
const rows: { readonly deployed: string; readonly median: number; readonly longest: number }[] = [];

/** Changes something of the application and waits until all of it is done, and clients have talked for a while since. */
async function deployed(what: string, act: () => Promise<unknown>, replicas = 2): Promise<void> {
  await act();
  await eventually(
    `${what} is through`,
    async () => {
      const found = await settled(here.namespace, 'business');
      return found.status?.change?.finishedAt !== undefined;
    },
    LONG_MS,
  );
  await eventually(
    'old pods are gone',
    async () => (await podsOf(here.namespace, 'business')).length === replicas,
    LONG_MS,
  );
  await crowd?.more(CLIENTS);
  rows.push({ deployed: what, ...(crowd as Crowd).mark() });
}

/** Waits until every process of the application runs a version. */
async function runs(version: string, processes: number): Promise<void> {
  await eventually(`${processes} processes of ${version}`, async () => {
    const output = await kubectl(
      ...['logs', '-n', here.namespace, '-l', 'longshore.dev/server=business'],
      ...['--tail=1000', '--prefix'],
    );
    return output.split(`version ${version}`).length - 1 >= processes;
  });
}

describeOnCluster(`${CLIENTS} clients of two gateway pods that talk without a break`, () => {
  beforeAll(async () => {
    here = await operator('gateway');
    await code(here.namespace, GATEWAYS, 'edge-code');
    await code(here.namespace, pairs({ version: 'one' }), 'business-code');
    const workers = [{ name: 'gateway', listen: 'websocket://0.0.0.0:7272', count: 1 }];
    await server(here, { code: { configMap: 'edge-code' }, replicas: 2, workers }, 'edge');
    await server(here, BEHIND, 'business');
    await settled(here.namespace, 'edge');
    await settled(here.namespace, 'business');
  }, 2 * LONG_MS);

  it('do not notice that the application is deployed three times', async () => {
    const known = conditionIn(await seen(here.namespace, 'business'), 'PeersKnown');
    expect(known).toMatchObject({ status: 'True', message: '2 gateways of SocketServer edge' });
    await runs('one', 4);
    crowd = await Crowd.of(CLIENTS, [await address(here.namespace, 'edge')]);
    crowd.talk();
    await crowd.more(2 * CLIENTS);
    crowd.mark();
    await deployed('nothing', async () => {});
    await deployed('another image', () =>
      edit(here.namespace, { spec: { image: here.otherImage } }, 'business'),
    );
    await runs('one', 4);
    await deployed('other code', async () => {
      await code(here.namespace, pairs({ version: 'two' }), 'business-code');
      await runs('two', 4);
    });
    const spec = { replicas: 3, workers: [{ name: 'business', count: 1 }] };
    await deployed(
      'three pods with one process for two pods with two',
      () => edit(here.namespace, { spec }, 'business'),
      3,
    );
    await deployed('two pods', () => edit(here.namespace, { spec: { replicas: 2 } }, 'business'));
    const { lost } = await crowd.hush();
    const { closes, wrong, sent } = crowd;
    console.log(
      [
        `${sent} messages between ${CLIENTS} clients; median and longest time of one, in ms:`,
        ...rows.map((r) => `${r.deployed}: ${r.median.toFixed(1)}, ${r.longest.toFixed(1)}`),
      ].join('\n'),
    );
    expect({ lost, closes, wrong }).toEqual({ lost: 0, closes: 0, wrong: [] });
  }, 900_000);

  afterAll(async () => {
    crowd?.end();
    await kubectl('delete', 'lss', '--all', '-n', here.namespace, '--timeout=60s');
  }, LONG_MS);
});
