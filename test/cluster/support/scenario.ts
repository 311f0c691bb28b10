import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import WebSocket from 'ws';
import { Crowd } from './crowd.ts';
import {
  address,
  code,
  conditionIn,
  edit,
  LONG_MS,
  type Operator,
  podsOf,
  seen,
  server,
  settled,
} from './operator.ts';
import { eventually } from './run.ts';

/** Something of everything that is measured happens to a server with two pods. */

const PROGRAM = `
import { BusinessWorker, ChannelClient, Gateway, GlobalDataClient, Timer, Worker } from 'longshore';
const chat = new Worker('websocket://0.0.0.0:7272', { name: 'chat', count: 2 });
const channel = new ChannelClient();
chat.onWorkerStart = () => {
  Timer.add(60, () => {});
  channel.connect();
  channel.on('room', (text) => {
    for (const each of chat.connections.values()) each.send(String(text));
  });
};
chat.onMessage = (_, data) => channel.publish('room', String(data));
const lines = new Worker('text://0.0.0.0:7273', {
  name: 'lines', count: 2, maxPackageSize: 1024, maxSendBufferSize: 8_388_608,
});
lines.onMessage = (connection, line) => {
  const [word, amount] = line.split(' ');
  if (word === 'throw') throw new Error('as asked');
  if (word === 'die') process.kill(process.pid, 'SIGKILL');
  if (word === 'block') for (const end = Date.now() + Number(amount); Date.now() < end; );
  if (word === 'flood') for (let i = 0; i < 400; i += 1) connection.send('x'.repeat(100_000));
  connection.send('done');
};
new Gateway('websocket://0.0.0.0:7274', { name: 'edge' });
const business = new BusinessWorker({ name: 'business' });
const data = new GlobalDataClient();
business.onWorkerStart = () => data.connect();
business.onConnect = (client) => {
  business.gateway.bindUid(client.id, client.id);
  business.gateway.joinGroup(client.id, 'all');
};
business.onMessage = async (client, text) => {
  if (text === 'no number') await data.set('word', 'none').then(() => data.increment('word')).catch(() => {});
  client.send(text + ' ' + (await data.increment('said')));
};
await Worker.runAll();
`;

const CLIENTS = 40;
/** Of one process; the clients of `chat` have room, even with one pod less. */
const ROOM = 50;

/** Applies the server, and one that cannot start. */
export async function stage(here: Operator): Promise<void> {
  await code(here.namespace, PROGRAM);
  await server(
    here,
    {
      image: 'longshore.test/nothing:1',
      replicas: 1,
      rollout: { minReadySeconds: 1, progressDeadlineSeconds: 15 },
    },
    'stuck',
  );
  await server(here, {
    replicas: 2,
    workers: [
      { name: 'chat', listen: 'websocket://0.0.0.0:7272', count: 2 },
      { name: 'lines', listen: 'text://0.0.0.0:7273', count: 2 },
    ],
    limits: { maxConnections: ROOM },
    tuning: { mode: 'UserNamespace', sysctls: { 'net.core.rmem_max': '8388608' } },
  });
  await settled(here.namespace);
}

/** A change of code, traffic of all kinds, a rollout; some clients are there through all of it. */
export async function play(here: Operator): Promise<void> {
  const crowd = new Crowd(await address(here.namespace), CLIENTS);
  await crowd.come();
  await traffic(here);
  await edit(here.namespace, { metadata: { annotations: { 'longshore.dev/reload': 'now' } } });
  await eventually(
    'a reload',
    async () => {
      const { status } = await seen(here.namespace);
      return status?.change?.class === 'WorkerReload' && status.change.finishedAt !== undefined;
    },
    LONG_MS,
  );
  await edit(here.namespace, { spec: { image: here.otherImage } });
  const talk = setInterval(() => void say(here, 1), 1000);
  await settled(here.namespace);
  await eventually(
    'old pods are gone',
    async () => (await podsOf(here.namespace)).length === 2,
    LONG_MS,
  );
  await eventually(
    'the other one is stalled',
    async () => {
      return conditionIn(await seen(here.namespace, 'stuck'), 'Stalled')?.status === 'True';
    },
    LONG_MS,
  );
  clearInterval(talk);
  await traffic(here);
  crowd.leave();
  await say(here, 20);
  await sayAtGateway(here);
}

/** The application is replaced under a client of a gateway that goes on talking, so that some of it waits. */
async function sayAtGateway({ namespace }: Operator): Promise<void> {
  const [pod] = await podsOf(namespace);
  const socket = new WebSocket(`ws://${pod?.status.podIP}:7274`);
  socket.on('error', () => {});
  await once(socket, 'open');
  const talk = setInterval(() => socket.send('no number'), 5);
  await edit(namespace, { metadata: { annotations: { 'longshore.dev/reload': 'again' } } });
  await eventually(
    'another reload',
    async () => (await seen(namespace)).status?.change?.finishedAt !== undefined,
    LONG_MS,
  );
  await new Promise((next) => setTimeout(next, 5000));
  clearInterval(talk);
  socket.close(1000);
}

async function traffic(here: Operator): Promise<void> {
  const pod = (await podsOf(here.namespace)).find(({ status }) => status.phase === 'Running');
  const line = () => open(pod?.status.podIP ?? '');
  const slow = await line();
  slow.pause();
  for (let i = 0; i < 3; i += 1) slow.write('flood\n');
  const many = await Promise.all(Array.from({ length: 2 * ROOM + 20 }, line));
  await say(here, 10);
  for (const each of many) each.destroy();
  for (let i = 0; i < 5; i += 1) (await line()).write('throw\n');
  for (let i = 0; i < 5; i += 1) (await line()).write('y'.repeat(5000));
  const one = await line();
  one.resume();
  for (let i = 0; i < 30; i += 1) await ask(one, 'block 400');
  await ask(one, 'block 5000');
  one.destroy();
  slow.destroy();
  for (let i = 0; i < 5; i += 1) {
    const last = await line();
    last.write('die\n');
    await Promise.race([once(last, 'close'), new Promise((next) => setTimeout(next, 5000))]);
    await new Promise((next) => setTimeout(next, 500));
  }
}

async function open(host: string): Promise<Socket> {
  return eventually('a connection', async () => {
    const socket = connect(7273, host);
    await once(socket, 'connect');
    socket.on('error', () => {});
    return socket;
  });
}

async function ask(socket: Socket, line: string): Promise<void> {
  const answer = once(socket, 'data', { signal: AbortSignal.timeout(20_000) });
  socket.write(`${line}\n`);
  await answer;
}

/** Somebody comes, says something some times, and goes with a close frame. */
async function say({ namespace }: Operator, times: number): Promise<void> {
  const socket = new WebSocket(await address(namespace));
  socket.on('error', () => {});
  await once(socket, 'open');
  for (let i = 0; i < times; i += 1) {
    socket.send('hello');
    await new Promise((next) => setTimeout(next, 200));
  }
  socket.close(1000);
}
