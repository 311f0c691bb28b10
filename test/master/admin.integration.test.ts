import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Fixture, TALKER } from '../support/fixture.ts';
import { Peer } from '../support/peer.ts';
import { endPrograms, freePort, longshore, type Program, start } from '../support/program.ts';
import { ask, toSlot } from '../support/talk.ts';

const fixtures: Fixture[] = [];
async function running(
  env: Record<string, string> = {},
  host = '127.0.0.1',
): Promise<{ app: Fixture; program: Program; port: number }> {
  const app = await Fixture.create(TALKER);
  fixtures.push(app);
  const port = await freePort();
  return {
    app,
    program: await start(app.file, { LONGSHORE_ADMIN: `${host}:${port}`, ...env }),
    port,
  };
}

afterEach(async () => {
  await endPrograms();
  for (const each of fixtures.splice(0)) each[Symbol.dispose]();
});

type Asked = { readonly status: number; readonly text: string };

function call(
  port: number,
  method: string,
  path: string,
  {
    headers = {},
    body = '',
    host = '127.0.0.1',
  }: { headers?: Record<string, string>; body?: string; host?: string } = {},
): Promise<Asked> {
  const { promise, resolve, reject } = Promise.withResolvers<Asked>();
  const asking = request({ host, port, method, path, headers }, (answer) => {
    let text = '';
    answer.on('data', (chunk) => {
      text += chunk;
    });
    answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
  });
  asking.on('error', reject);
  asking.end(body);
  return promise;
}

/** The value of one sample. */
function sample(text: string, name: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

const own = Object.values(networkInterfaces())
  .flat()
  .find((each) => each && each.family === 'IPv4' && !each.internal)?.address;

describe('the admin port', () => {
  it('answers probes and metrics to everybody, and the rest on this machine', async () => {
    const { port } = await running();
    expect(await call(port, 'GET', '/livez')).toEqual({ status: 200, text: 'ok\n' });
    expect(await call(port, 'GET', '/readyz')).toEqual({ status: 200, text: 'ok\n' });
    expect((await call(port, 'GET', '/metrics')).text).toMatch(/^# HELP longshore_info /m);
    expect(JSON.parse((await call(port, 'GET', '/status')).text)).toMatchObject({
      phase: 'running',
    });
    expect((await call(port, 'GET', '/nothing')).status).toBe(404);
    expect((await call(port, 'DELETE', '/status')).status).toBe(405);
  });

  it('says when the reload that it was asked for began, in milliseconds since 1970', async () => {
    const { port } = await running();
    const before = Date.now();
    const { reload } = JSON.parse((await call(port, 'POST', '/reload')).text);
    expect(reload.state).toBe('running');
    expect(Math.abs(reload.startedAt - before)).toBeLessThan(60_000);
  });

  it('without a token refuses web pages, other host names and other machines', async () => {
    const { port } = await running({}, '0.0.0.0');
    const refused = async (headers: Record<string, string>, host = '127.0.0.1') =>
      (await call(port, 'POST', '/reload', { headers, host })).status;
    expect(await refused({ origin: 'https://evil.example' })).toBe(401);
    expect(await refused({ 'sec-fetch-site': 'cross-site' })).toBe(401);
    expect(await refused({ host: 'evil.example' })).toBe(401);
    if (own === undefined)
      console.log('not tried: a call from another address, because this machine has none');
    else expect(await refused({}, own)).toBe(401);
    expect(await refused({})).toBe(200);
  });

  it('with a token wants it from everybody, and takes a rotated one at once', async () => {
    const folder = await Fixture.create('');
    fixtures.push(folder);
    const file = join(folder.folder, 'token');
    writeFileSync(file, 'first secret\n');
    const { port } = await running({ LONGSHORE_ADMIN_TOKEN_FILE: file });
    const withToken = async (token: string) =>
      (await call(port, 'GET', '/status', { headers: { authorization: `Bearer ${token}` } }))
        .status;
    expect((await call(port, 'GET', '/status')).status).toBe(401);
    expect([
      await withToken('first secret'),
      await withToken('wrong'),
      await withToken(''),
    ]).toEqual([200, 401, 401]);
    writeFileSync(file, 'second secret');
    expect([await withToken('first secret'), await withToken('second secret')]).toEqual([401, 200]);
    writeFileSync(file, '');
    expect(await withToken('')).toBe(500);
    expect((await call(port, 'GET', '/metrics')).status).toBe(200);
  });

  it.each([
    ['/reload', '{"graceful":"yes"}', /"graceful" is "yes", expected a boolean/],
    ['/reload', '[1]', /not a JSON object/],
    ['/reload', '{', /not JSON/],
    ['/drain', '{"windowSeconds":-1}', /"windowSeconds" is -1, allowed: 0 to 86400/],
    ['/drain', '{"window":1}', /"window" is not a field; known: propagationSeconds, windowSeconds/],
    ['/config', '{"a":1}', /"a" is 1, expected a string/],
    ['/peers', '{"version":"x","channel":[]}', /"version" is "x"/],
    ['/peers', '{"version":1,"channel":0}', /"channel" is 0/],
  ])(
    'answers 400 to POST %s %s and names the field',
    async (path, body, message) => {
      const { port } = await running();
      const answer = await call(port, 'POST', path, { body });
      expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(message)]);
    },
    20_000,
  );

  it('answers 413 to a body over 1 MiB', async () => {
    const { port } = await running();
    expect((await call(port, 'POST', '/config', { body: 'x'.repeat(1_100_000) })).status).toBe(413);
  });

  it('that somebody asked for and that is taken ends the start; the default one only warns', async () => {
    const { port } = await running();
    const app = await Fixture.create(TALKER);
    fixtures.push(app);
    const { code, stdout } = await longshore(['start', app.file], {
      LONGSHORE_ADMIN: `127.0.0.1:${port}`,
    });
    expect([code, stdout]).toEqual([
      78,
      expect.stringMatching(/admin port 127\.0\.0\.1:\d+: taken; choose another/),
    ]);
  });
});

describe('metrics', () => {
  const scrape = async (port: number) => (await call(port, 'GET', '/metrics')).text;

  it('never go down while processes are killed, recycled and reloaded', async () => {
    const { app, program, port } = await running();
    const names = ['requests', 'exceptions', 'connections_accepted'];
    const total = (text: string, name: string) =>
      [0, 1].reduce(
        (sum, id) =>
          sum +
          (sample(text, `longshore_${name}_total{worker_name="talker",worker_id="${id}"}`) ?? 0),
        0,
      );
    let last = names.map(() => 0);
    const look = async () => {
      const text = await scrape(port);
      const now = names.map((name) => total(text, name));
      for (const [i, value] of now.entries())
        expect(value).toBeGreaterThanOrEqual(last[i] as number);
      last = now;
    };
    const deeds: [string, RegExp][] = [
      ['throw', /onMessage failed: Error: planned/],
      ['die 3', /ended with status 768/],
      ['recycle', /stopping \d/],
      ['later', /ended with status 64000/],
    ];
    for (const [deed, consequence] of deeds) {
      for (let i = 0; i < 5; i += 1) await ask(app, 'echo x');
      const peer = await Peer.to({ host: '127.0.0.1', port: app.port });
      peer.send(`${deed}\n`);
      await program.line(consequence);
      await look();
    }
    // The recycled process may still be on its way out: the reload waits for it, and so does the command.
    expect(await program.command('reload', app.file)).toMatchObject({ code: 0, stderr: '' });
    await look();
    // All that was counted by processes that ended in good order is there.
    expect(last[0]).toBeGreaterThanOrEqual(10);
    const text = await scrape(port);
    expect(
      sample(text, 'longshore_worker_exits_total{worker_name="talker",exit_status="768"}'),
    ).toBe(1);
    expect(
      sample(text, 'longshore_worker_exits_total{worker_name="talker",exit_status="64000"}'),
    ).toBe(1);
    // Nobody was killed; but whoever will be is seen to be one more.
    expect(sample(text, 'longshore_worker_exits_total{worker_name="talker",exit_status="9"}')).toBe(
      0,
    );
    expect(sample(text, 'longshore_reloads_total{result="done"}')).toBe(1);
  }, 30_000);

  it('and status answer at once while a process is blocked, and call it busy', async () => {
    const { app, program, port } = await running();
    const blocked = await toSlot(app, 0);
    const pid = Number(await blocked.send('pid\n').line());
    blocked.send('block 5000\n');
    const began = performance.now();
    let busy = false;
    while (!busy) {
      const { processes } = await program.status();
      busy = processes.find((each) => each.pid === pid)?.busy ?? false;
      expect(processes.filter((each) => each.pid !== pid).every((each) => !each.busy)).toBe(true);
    }
    expect(performance.now() - began).toBeLessThan(2000);
    const command = performance.now();
    expect((await program.command('status', app.file)).stdout).toMatch(
      new RegExp(`${pid} talker .* \\[busy\\]`),
    );
    expect(performance.now() - command).toBeLessThan(2000);
    let text = '';
    while (sample(text, 'longshore_worker_busy{worker_name="talker",worker_id="0"}') !== 1) {
      const asked = performance.now();
      text = await scrape(port);
      expect(performance.now() - asked).toBeLessThan(500);
    }
    expect(sample(text, 'longshore_worker_busy{worker_name="talker",worker_id="1"}')).toBe(0);
    expect(await (await toSlot(app, 1)).send('echo hi\n').line()).toBe('hi');
    expect(await blocked.line()).toBe('done');
    let lag = 0;
    while (lag < 4)
      lag =
        sample(
          await scrape(port),
          'longshore_event_loop_lag_seconds_sum{worker_name="talker",worker_id="0"}',
        ) ?? 0;
  }, 30_000);

  it('show what the kernel says, and what was wanted of it', async () => {
    const { port } = await running({
      LONGSHORE_SYSCTL_WANTED:
        '{"net.core.somaxconn":"65535","net.ipv4.tcp_rmem":"4096 16384 4194304"}',
    });
    let text = '';
    // Looked at every 5 s; the first look may find a process that has hardly begun.
    const files = () =>
      sample(text, 'longshore_open_files{worker_name="talker",worker_id="0"}') ?? 0;
    while (files() <= 5) text = await scrape(port);
    expect(sample(text, 'longshore_sysctl{name="net.core.somaxconn",field="0"}')).toBeGreaterThan(
      0,
    );
    expect(sample(text, 'longshore_sysctl_wanted{name="net.core.somaxconn",field="0"}')).toBe(
      65_535,
    );
    expect(sample(text, 'longshore_sysctl_wanted{name="net.ipv4.tcp_rmem",field="2"}')).toBe(
      4_194_304,
    );
    expect(sample(text, 'longshore_sysctl{name="net.ipv4.tcp_rmem",field="2"}')).toBeGreaterThan(0);
    expect(sample(text, 'longshore_open_files_limit')).toBeGreaterThan(100);
    expect(sample(text, 'longshore_listen_overflows_total')).toBeGreaterThanOrEqual(0);
  }, 20_000);
});
