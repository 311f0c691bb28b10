import { once } from 'node:events';
import { beforeAll, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import {
  apply,
  describeOnCluster,
  kubectl,
  load,
  namespace,
  podAddress,
} from './support/cluster.ts';
import { image, noDocker } from './support/docker.ts';
import { Forward } from './support/forward.ts';
import { eventually } from './support/run.ts';

/** The image in pods as the manual describes them, without any operator. */

const APP = (answer: string) => `
import { Worker } from 'longshore';
const app = new Worker('websocket://0.0.0.0:7272', { name: 'app', count: 2 });
app.onMessage = (connection) => connection.send('${answer}');
await Worker.runAll();
`;

const RESTRICTED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

const ENV = {
  LONGSHORE_DRAIN_PROPAGATION_SECONDS: '1',
  LONGSHORE_DRAIN_WINDOW_SECONDS: '4',
  LONGSHORE_GRACE_SECONDS: '20',
};

function pod(name: string, space: string, from: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: space, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 20,
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'app',
          image: from,
          imagePullPolicy: 'Never',
          args: ['start', 'app.ts'],
          env: Object.entries(ENV).map(([key, value]) => ({ name: key, value })),
          securityContext: RESTRICTED,
          readinessProbe: { httpGet: { path: '/readyz', port: 9464 }, periodSeconds: 1 },
          volumeMounts: [
            { name: 'code', mountPath: '/app' },
            { name: 'tmp', mountPath: '/tmp' },
          ],
        },
      ],
      volumes: [
        { name: 'code', configMap: { name: 'code' } },
        { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
      ],
    },
  };
}

const code = (space: string, answer: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'code', namespace: space },
  data: { 'app.ts': APP(answer) },
});

async function answerOf(address: string, port: number): Promise<string> {
  const socket = new WebSocket(`ws://${address}:${port}/`);
  await once(socket, 'open');
  socket.send('?');
  const [answer] = await once(socket, 'message');
  socket.close();
  return String(answer);
}

describeOnCluster('a pod of the image', () => {
  let name = '';
  beforeAll(async () => {
    if (noDocker) throw new Error(noDocker);
    name = await image();
    await load(name);
  }, 900_000);

  it('runs mounted code where only restricted pods may, and takes new code without a restart', async () => {
    const space = await namespace('image');
    await kubectl('label', 'namespace', space, 'pod-security.kubernetes.io/enforce=restricted');
    await apply(code(space, 'one'));
    await apply(pod('app', space, name));
    const address = await podAddress('app', space);
    expect(await answerOf(address, 7272)).toBe('one');
    {
      await using forward = await Forward.to('pod/app', space, 7272);
      expect(await answerOf('127.0.0.1', forward.port)).toBe('one');
    }

    await apply(code(space, 'two'));
    // An annotation makes the kubelet look at once instead of within a minute or two.
    await kubectl('annotate', 'pod', 'app', '-n', space, 'longshore.dev/look=now');
    const exec = (...args: string[]) => kubectl('exec', 'app', '-n', space, '--', ...args);
    await eventually('the new code in the pod', async () =>
      (await exec('cat', '/app/app.ts')).includes("'two'"),
    );
    expect(await exec('longshore', 'reload', 'app.ts')).toBe('reloaded: 2 processes replaced\n');
    expect(await answerOf(address, 7272)).toBe('two');
    expect(await exec('longshore', 'status')).toMatch(/^running +pid 1 +\/app\/app\.ts$/m);
  });

  it('drains when it is deleted', async () => {
    const space = await namespace('drain');
    await apply(code(space, 'hello'));
    await apply(pod('app', space, name));
    const address = await podAddress('app', space);
    const sockets = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = new WebSocket(`ws://${address}:7272/`);
        await once(socket, 'open');
        return socket;
      }),
    );
    const closes = sockets.map(async (socket) => {
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
      return { at: performance.now(), told: `${code} ${reason}` };
    });
    const began = performance.now();
    await kubectl('delete', 'pod', 'app', '-n', space);
    const all = await Promise.all(closes);
    expect(new Set(all.map(({ told }) => told))).toEqual(new Set(['1012 {"reconnect":[0,500]}']));
    const times = all.map(({ at }) => at - began).sort((a, b) => a - b);
    // Deleted before its grace period is over, and closed over the window, not in one instant.
    expect(performance.now() - began).toBeLessThan(15_000);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(2000);
  });
});
