import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { apply, describeOnCluster, kubectl } from './support/cluster.ts';
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
import { eventually, ROOT } from './support/run.ts';

/** The examples that send across processes, unchanged, in two pods each with one ChannelServer. */

let here: Operator;
const sockets: WebSocket[] = [];

afterAll(() => {
  for (const socket of sockets) socket.terminate();
});

/** Runs an example as a server of two pods. */
async function example(
  name: string,
  port: number,
  workers: object[],
): Promise<readonly PodObject[]> {
  const source = readFileSync(join(ROOT, `examples/${name}.ts`), 'utf8');
  await code(here.namespace, source, `${name}-code`);
  const listen = `websocket://0.0.0.0:${port}`;
  const [first, ...others] = workers;
  const spec = {
    replicas: 2,
    code: { configMap: `${name}-code` },
    channelRef: { name: 'events' },
    workers: [{ listen, ...first }, ...others],
  };
  await server(here, spec, name);
  await settled(here.namespace, name);
  return podsOf(here.namespace, name);
}

/** A client of one pod, and what it has heard. */
async function client(pod: PodObject | undefined, port: number) {
  const socket = new WebSocket(`ws://${pod?.status.podIP}:${port}`);
  sockets.push(socket);
  const heard: string[] = [];
  socket.on('message', (bytes) => heard.push(String(bytes)));
  await once(socket, 'open');
  return { heard, say: (text: string) => socket.send(text) };
}

describeOnCluster('an example, unchanged, in two pods', () => {
  beforeAll(async () => {
    here = await operator('examples');
    await apply({
      apiVersion: 'longshore.dev/v1alpha1',
      kind: 'ChannelServer',
      metadata: { name: 'events', namespace: here.namespace },
      spec: { image: here.image, resources: { requests: { cpu: '10m', memory: '64Mi' } } },
    } as never);
  }, LONG_MS);

  it(
    'cluster-push: what is pushed in one pod reaches the user in the other',
    async () => {
      const pods = await example('cluster-push', 4236, [{ name: 'clients' }]);
      const users = [await client(pods[0], 4236), await client(pods[1], 4236)];
      for (const [i, user] of users.entries()) {
        user.say(`user${i}`);
        await eventually('it is reached', () => user.heard.length > 0);
      }
      const push = "fetch('http://127.0.0.1:4237/?to=user1', { method: 'POST', body: 'across' })";
      await kubectl(
        ...['exec', '-n', here.namespace, pods[0]?.metadata.name ?? '', '--'],
        ...['node', '--eval', push],
      );
      await eventually('the push', () => users[1]?.heard.includes('across'));
      expect(users[0]?.heard).not.toContain('across');
    },
    2 * LONG_MS,
  );

  it(
    'group-send: what is said to a group in one pod reaches its members in both',
    async () => {
      const pods = await example('group-send', 4238, [{ name: 'group-send' }]);
      const members = [await client(pods[0], 4238), await client(pods[1], 4238)];
      const stranger = await client(pods[1], 4238);
      for (const { say } of members) say('{"cmd":"add_group","group_id":"red"}');
      await eventually('both have it', () => {
        members[0]?.say('{"cmd":"send_to_group","group_id":"red","message":"hello"}');
        return members.every(({ heard }) => heard.some((each) => each.includes('hello')));
      });
      expect(stranger.heard).toEqual([]);
    },
    2 * LONG_MS,
  );
});
