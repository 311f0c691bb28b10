import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import WebSocket from 'ws';
import { hintedMs } from '../../src/reconnect.ts';
import { build, docker, image, noDocker } from './support/docker.ts';
import { eventually, run } from './support/run.ts';
import { describeUnless } from './support/skip.ts';

const ADMIN = 9464;
const ECHO = 2346;
const running: StartedTestContainer[] = [];

/** As strict as a pod of the "restricted" profile with a read-only root: nothing can be written anywhere. */
class Strict extends GenericContainer {
  constructor(name: string) {
    super(name);
    this.hostConfig.ReadonlyRootfs = true;
    this.withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges');
  }
}

async function start(
  container: GenericContainer,
  port: number,
  env: Record<string, string> = {},
): Promise<StartedTestContainer> {
  const started = await container
    .withExposedPorts(port, ADMIN)
    .withEnvironment(env)
    .withWaitStrategy(Wait.forHttp('/readyz', ADMIN).forStatusCode(200))
    .start();
  running.push(started);
  return started;
}

const url = (container: StartedTestContainer, scheme: string, port: number, path = '') =>
  `${scheme}://${container.getHost()}:${container.getMappedPort(port)}${path}`;

const readiness = async (container: StartedTestContainer) => {
  const answer = await fetch(url(container, 'http', ADMIN, '/readyz'));
  return `${answer.status} ${(await answer.text()).trim()}`;
};

async function connected(container: StartedTestContainer, port: number): Promise<WebSocket> {
  const socket = new WebSocket(url(container, 'ws', port));
  await once(socket, 'open');
  return socket;
}

async function echoed(socket: WebSocket, text: string): Promise<string> {
  const answer = once(socket, 'message');
  socket.send(text);
  return String((await answer)[0]);
}

/** What the output of a container that should fail says, and its exit code. */
async function failure(...args: string[]): Promise<string> {
  return run('docker', ['run', '--rm', ...args]).then(
    () => 'it did not fail',
    (error: Error) => error.message,
  );
}

describeUnless(noDocker, 'the image', () => {
  let name = '';
  const folder = mkdtempSync(join(tmpdir(), 'longshore-app-'));
  beforeAll(async () => {
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'app.ts'), APP);
    // Its reaper is an image of its own, which cannot be had everywhere; `afterEach` removes what was started.
    process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
    name = await image();
  }, 900_000);

  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop({ timeout: 1000 })));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('serves as nobody in particular, with nothing writable and no capability', async () => {
    const container = await start(new Strict(name).withCommand(['start', 'echo.ts']), ECHO);
    const socket = await connected(container, ECHO);
    expect(await echoed(socket, 'hello')).toBe('hello');
    socket.close();
    expect(await readiness(container)).toBe('200 ok');
    // Processes report to the master each second.
    await eventually('a connection in the metrics', async () => {
      const metrics = await (await fetch(url(container, 'http', ADMIN, '/metrics'))).text();
      return /^longshore_connections_accepted_total\{.*\} 1$/m.test(metrics);
    });
    const { output } = await container.exec([
      'grep',
      '-E',
      '^(Uid|Gid|CapEff|CapBnd|NoNewPrivs):',
      '/proc/1/status',
    ]);
    expect(output.split(/\s+/).join(' ').trim()).toBe(
      'Uid: 1000 1000 1000 1000 Gid: 1000 1000 1000 1000 CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1',
    );
    expect(await docker('logs', container.getId())).toMatch(/no control socket: .*read-only/);
  });

  it('answers commands where /tmp can be written', async () => {
    const container = await start(
      new Strict(name).withCommand(['start', 'echo.ts']).withTmpFs({ '/tmp': 'rw,mode=1777' }),
      ECHO,
    );
    const { output, exitCode } = await container.exec(['longshore', 'status', 'echo.ts']);
    expect([exitCode, output]).toEqual([
      0,
      expect.stringMatching(/echo +1 websocket:\/\/0\.0\.0\.0:2346/),
    ]);
    const reload = await container.exec(['longshore', 'reload', 'echo.ts']);
    expect([reload.exitCode, reload.output]).toEqual([0, 'reloaded: 1 process replaced\n']);
  });

  it('drains when it is told to stop: every client is closed with a hint, at an even pace', async () => {
    const container = await start(new Strict(name).withCommand(['start', 'echo.ts']), ECHO, {
      LONGSHORE_DRAIN_PROPAGATION_SECONDS: '1',
      LONGSHORE_DRAIN_WINDOW_SECONDS: '3',
      LONGSHORE_GRACE_SECONDS: '15',
      COUNT: '2',
    });
    const sockets = await Promise.all(Array.from({ length: 50 }, () => connected(container, ECHO)));
    const closes = sockets.map(async (socket) => {
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
      return { at: performance.now(), code, reason: String(reason) };
    });
    const began = performance.now();
    const stopped = docker('stop', '--time', '15', container.getId());
    await eventually('/readyz 503', async () => (await readiness(container)) === '503 draining');
    const all = await Promise.all(closes);
    await stopped;
    expect(all.map(({ code }) => code)).toEqual(Array(50).fill(1012));
    expect(all.map(({ reason }) => hintedMs(reason, 1))).toEqual(Array(50).fill(500));
    // Each third of the window has about a third of the closes.
    const seconds = all.map(({ at }) => (at - began) / 1000 - 1);
    for (const n of [0, 1, 2])
      expect(seconds.filter((each) => each >= n && each < n + 1.3).length).toBeGreaterThan(8);
    const state = await docker(
      'inspect',
      '--format',
      '{{.State.ExitCode}} {{.State.OOMKilled}}',
      container.getId(),
    );
    expect(state).toBe('0 false');
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('runs the chat, page and channel included', async () => {
    const container = await start(
      new Strict(name)
        .withCommand(['start', 'chat/server.ts'])
        .withTmpFs({ '/tmp': 'rw,mode=1777' }),
      8080,
    );
    const page = await fetch(url(container, 'http', 8080, '/'));
    expect(await page.text()).toMatch(/<title>/);
    const script = await fetch(url(container, 'http', 8080, '/longshore/browser.js'));
    expect(await script.text()).toContain('class ReconnectingWebSocket');
    const socket = await connected(container, 8080);
    expect(
      JSON.parse(await echoed(socket, '{"type":"join","name":"Ann","room":"tea"}')),
    ).toMatchObject({
      type: 'joined',
      name: 'Ann',
    });
    socket.close();
  });

  it('is a base for applications', async () => {
    writeFileSync(
      join(folder, 'Dockerfile'),
      `FROM ${name}\nCOPY app.ts .\nCMD ["start", "app.ts"]\n`,
    );
    const app = await start(new Strict(await build(folder, 'longshore-app:test')), 7272);
    const socket = await connected(app, 7272);
    expect(await echoed(socket, 'hello')).toBe('HELLO');
    socket.close();
  });

  it('runs a program that is mounted, as any user', async () => {
    const container = await start(
      new Strict(name)
        .withUser('4711:4711')
        .withBindMounts([{ source: folder, target: '/srv/code', mode: 'ro' }])
        .withCommand(['start', '/srv/code/app.ts']),
      7272,
    );
    const socket = await connected(container, 7272);
    expect(await echoed(socket, 'hello')).toBe('HELLO');
    socket.close();
  });

  it('explains itself, and says what is wrong', async () => {
    expect(await docker('run', '--rm', name)).toMatch(/longshore start FILE/);
    expect(await failure(name, 'start', 'ap.ts')).toMatch(/\/app\/ap\.ts does not exist/);
    expect(await failure(name, 'begin', 'app.ts')).toMatch(
      /unknown command "begin"; there is: start/,
    );
    expect(await failure('--read-only', name, 'start', 'chat/server.ts')).toMatch(
      /78:[\s\S]*can never start: the gateway's inner socket, in \/tmp\/longshore-1000: .*see LONGSHORE_RUNTIME_DIR/,
    );
  });
});

const APP = `
import { Worker } from 'longshore';
const app = new Worker('websocket://0.0.0.0:7272', { name: 'app', count: 2 });
app.onMessage = (connection, data) => connection.send(String(data).toUpperCase());
await Worker.runAll();
`;
