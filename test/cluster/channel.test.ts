import { beforeAll, expect, it } from '@jest/globals';
import { Crowd } from './support/channel-crowd.ts';
import { apply, describeOnCluster, get, kubectl } from './support/cluster.ts';
import {
  code,
  LONG_MS,
  type Operator,
  operator,
  type PodObject,
  podsOf,
  server,
  settled,
} from './support/operator.ts';
import { eventually } from './support/run.ts';

/** Channel servers in the cluster: who finds them, and what is lost when they come, go, are replaced and are killed. */

const SERVERS = 3;

/** Publishes what it is told to and hands what it hears to all its clients; says who its channel servers are. */
const RELAY = `
import { ChannelClient, Worker } from 'longshore';
const relay = new Worker('websocket://0.0.0.0:7272', { name: 'chat', count: 1 });
const channel = new ChannelClient({ history: [{ channels: 'kept:*', size: 100000, seconds: 600 }] });
const tell = (message) => {
  for (const each of relay.connections.values()) each.send(JSON.stringify(message));
};
relay.onWorkerStart = () => {
  channel.connect();
  channel.onRecovery = (recovery) => tell({ recovery });
  for (let i = 0; i < 30; i += 1) channel.on('kept:' + i, (data, name) => tell({ name, data }));
};
relay.onMessage = (connection, text) => {
  const { name, data } = JSON.parse(text);
  if (channel.publish(name, data) === false) connection.send(JSON.stringify({ refused: name }));
};
await Worker.runAll();
`;

let here: Operator;

const channelServer = (spec: object = {}, name = 'events'): Promise<object> =>
  apply({
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'ChannelServer',
    metadata: { name, namespace: here.namespace },
    spec: {
      image: here.image,
      replicas: SERVERS,
      drain: { propagationSeconds: 1, windowSeconds: 3 },
      rollout: { minReadySeconds: 2 },
      resources: { requests: { cpu: '10m', memory: '64Mi' } },
      ...spec,
    },
  } as never);

/** Waits until the status of a ChannelServer is about its newest spec, and it is Running; gives the sentence of Ready. */
const running = (name: string): Promise<string> =>
  eventually(
    `${name} is Running`,
    async () => {
      const { metadata, status } = await get<Served>(`lcs ${name}`, here.namespace);
      if (status?.observedGeneration !== metadata.generation || status.phase !== 'Running')
        return false;
      const ready = status.conditions?.find(({ type }) => type === 'Ready');
      return `${ready?.status} ${ready?.reason}: ${ready?.message}`;
    },
    LONG_MS,
  );

type Status = {
  status?: {
    readyReplicas?: number;
    observedGeneration?: number;
    phase?: string;
    updatedReplicas?: number;
    conditions?: { type: string; status: string; reason: string; message: string }[];
  };
};
type Served = Status & { metadata: { generation: number } };

/** Waits until the channel servers are as they should be, and only they are there. */
async function ready(replicas: number): Promise<readonly PodObject[]> {
  return eventually(
    `${replicas} channel servers`,
    async () => {
      const { metadata, status } = await get<Served>('lcs events', here.namespace);
      const pods = await podsOf(here.namespace, 'events-channel');
      const done =
        status?.observedGeneration === metadata.generation &&
        status.phase === 'Running' &&
        status.readyReplicas === replicas &&
        status.updatedReplicas === replicas;
      return done && pods.length === replicas && pods;
    },
    LONG_MS,
  );
}

/** Ids of the channel servers in the list that pods start with. */
async function listed(): Promise<string[]> {
  const map = await get<{ data: Record<string, string> }>('configmap chat-peers', here.namespace);
  const { channel } = JSON.parse(map.data['peers.json'] ?? '{}') as { channel: { id: string }[] };
  return channel.map(({ id }) => id).sort();
}

const names = (pods: readonly PodObject[]): string[] =>
  pods.map(({ metadata }) => metadata.name).sort();

describeOnCluster('a ChannelServer of three pods, and a server of two that uses it', () => {
  beforeAll(async () => {
    here = await operator('channel');
    await code(here.namespace, RELAY);
    await channelServer();
    await server(here, {
      replicas: 2,
      channelRef: { name: 'events' },
      workers: [{ name: 'chat', listen: 'websocket://0.0.0.0:7272', count: 1 }],
    });
    await ready(SERVERS);
    await settled(here.namespace);
  }, 2 * LONG_MS);

  it('carries what is said in one pod to the clients of the other, while it is scaled and replaced, without loss', async () => {
    expect(await listed()).toEqual(names(await ready(SERVERS)));
    const pods = (await podsOf(here.namespace)).map(({ status }) => `ws://${status.podIP}:7272`);
    using crowd = await Crowd.of(pods, 30);
    crowd.talk();
    const ms = await crowd.all();
    await crowd.more(500);
    await kubectl('scale', 'lcs', 'events', '--replicas=2', '-n', here.namespace);
    await ready(2);
    await crowd.more(500);
    await kubectl('scale', 'lcs', 'events', '--replicas=3', '-n', here.namespace);
    await ready(SERVERS);
    await crowd.more(500);
    await channelServer({ image: here.otherImage });
    const after = await ready(SERVERS);
    await crowd.more(500);
    await crowd.hush();
    const { sent, lost, doubled, late, refused, gaps } = crowd;
    console.log(
      `scaled and replaced: ${sent} events to 2 pods, ${lost} lost, ${doubled} doubled, ${late} late, ${gaps} gaps told; all heard ${ms} ms after the first`,
    );
    if (lost > 0) console.log(crowd.faults.join('\n'), await logs());
    expect({ lost, doubled, refused, gaps }).toEqual({ lost: 0, doubled: 0, refused: 0, gaps: 0 });
    // Servers whose lists differ for a moment pass things on to each other; a few may be overtaken.
    expect(late / (2 * sent)).toBeLessThan(0.001);
    expect(await listed()).toEqual(names(after));
  }, 900_000);

  it('makes no pods for engine nats, and none stay when the engine becomes nats', async () => {
    const nats = { engine: 'nats', nats: { servers: ['nats://n1:4222', 'nats://n2:4222'] } };
    const mine = async (kind: string) => {
      const all = await get<{ items: { metadata: { name: string } }[] }>(kind, here.namespace);
      return all.items.filter(({ metadata }) => metadata.name.startsWith('outside-channel'));
    };
    const ELSEWHERE =
      'True Elsewhere: programs use the 2 NATS servers in spec.nats.servers; no pods are made';
    await channelServer(nats, 'outside');
    expect(await running('outside')).toBe(ELSEWHERE);
    expect([await mine('rs'), await mine('pods'), await mine('svc')]).toEqual([[], [], []]);
    await channelServer({ replicas: 1 }, 'outside');
    expect(await running('outside')).toBe(
      'True AllPodsReady: 1 of 1 pods are ready and up to date',
    );
    await channelServer(nats, 'outside');
    expect(await running('outside')).toBe(ELSEWHERE);
    await eventually('its pod is gone', async () => (await mine('pods')).length === 0, LONG_MS);
    await kubectl('delete', 'lcs', 'outside', '-n', here.namespace);
  }, 300_000);

  it('knows of a pod that was killed, and of the one in its place, within moments; each gap is told', async () => {
    const pods = (await podsOf(here.namespace)).map(({ status }) => `ws://${status.podIP}:7272`);
    using crowd = await Crowd.of(pods, 30);
    crowd.talk();
    await crowd.all();
    await crowd.more(500);
    const [victim] = names(await ready(SERVERS));
    const began = Date.now();
    await kubectl(
      'delete',
      'pod',
      victim as string,
      '-n',
      here.namespace,
      '--grace-period=0',
      '--force',
    );
    await eventually(
      'it is off the list',
      async () => !(await listed()).includes(victim as string),
      LONG_MS,
    );
    const off = Date.now() - began;
    const fresh = await eventually(
      'three are ready',
      async () => {
        const all = names((await podsOf(here.namespace, 'events-channel')).filter(isReady));
        return all.length === SERVERS && all;
      },
      LONG_MS,
    );
    const readyAt = Date.now();
    await eventually(
      'all are listed',
      async () => (await listed()).join() === fresh.join(),
      LONG_MS,
    );
    const on = Date.now() - readyAt;
    await crowd.more(1000);
    await crowd.hush();
    const { sent, lost, doubled, gaps, silent } = crowd;
    console.log(
      `killed: off the list ${off} ms after, the next one on it ${on} ms after it was seen ready; ` +
        `${sent} events, ${lost} lost, ${gaps} gaps told`,
    );
    expect({ doubled, silent }).toEqual({ doubled: 0, silent: [] });
  }, 900_000);
});

/** What the pods of both kinds have said. */
async function logs(): Promise<string> {
  const of = (name: string) =>
    kubectl(
      'logs',
      '-n',
      here.namespace,
      '-l',
      `longshore.dev/server=${name}`,
      '--tail=40',
      '--prefix',
    );
  return `${await of('chat')}\n${await of('events-channel')}`;
}

function isReady(pod: PodObject): boolean {
  const { conditions = [] } = pod.status as { conditions?: { type: string; status: string }[] };
  const ready = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  return ready && pod.metadata.deletionTimestamp === undefined;
}
