import { spawn, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Fixture, TALKER } from '../support/fixture.ts';
import { eventually, Peer } from '../support/peer.ts';
import { CLEAN, endPrograms, longshore, Program, start } from '../support/program.ts';
import { answers, ask, toSlot } from '../support/talk.ts';

const fixtures: Fixture[] = [];
async function fixture(source?: string): Promise<Fixture> {
  const made = await Fixture.create(source);
  fixtures.push(made);
  return made;
}

afterEach(async () => {
  await endPrograms();
  for (const each of fixtures.splice(0)) each[Symbol.dispose]();
});
afterAll(endPrograms);

describe('a program', () => {
  it('is served by as many processes as it says, in slots that stay, and stops without a trace', async () => {
    const app = await fixture();
    const program = await start(app.file);
    expect(await answers(app, 'pid', 2)).not.toContain(String(program.pid));
    expect(await answers(app, 'id', 2)).toEqual(new Set(['0', '1']));
    const status = await program.status();
    expect(status).toMatchObject({
      phase: 'running',
      pid: program.pid,
      file: app.file,
      workers: [{ name: 'talker', count: 2, listening: `text://127.0.0.1:${app.port}`, exits: {} }],
    });
    expect(status.processes.map(({ worker_id }) => worker_id)).toEqual([0, 1]);
    expect(await program.stop()).toEqual(CLEAN);
    expect(program.output.match(/stopping \d/g)?.sort()).toEqual(['stopping 0', 'stopping 1']);
    await expect(ask(app, 'pid')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('may have several Workers with counts of their own, port 0, and a unix socket for several processes', async () => {
    const app = await fixture(
      `
      import { Worker } from 'longshore';
      const a = new Worker('text://127.0.0.1:0', { name: 'a', count: 3 });
      const b = new Worker('unix://' + process.env.FOLDER + '/b.sock', { name: 'b', count: 2 });
      const c = new Worker('text://127.0.0.1:PORT', { name: 'c', count: 2, reusePort: false });
      const d = new Worker({ name: 'd' });
      for (const w of [a, b, c]) w.onMessage = (connection, m) => connection.send(w.name + ' ' + process.pid);
      d.onWorkerStart = () => console.log('no address needed');
      await Worker.runAll();
    `,
    );
    const program = await start(app.file, { FOLDER: app.folder });
    const { workers, processes } = await program.status();
    expect(processes.map(({ worker_name, worker_id }) => `${worker_name}${worker_id}`)).toEqual([
      'a0',
      'a1',
      'a2',
      'b0',
      'b1',
      'c0',
      'c1',
      'd0',
    ]);
    // A shared socket is where nobody can see who was woken in vain.
    expect(processes.map(({ thunder_herd }) => thunder_herd)).toEqual([
      0,
      0,
      0,
      null,
      null,
      null,
      null,
      0,
    ]);
    const port = Number(/:(\d+)$/.exec(workers[0]?.listening ?? '')?.[1]);
    expect(port).toBeGreaterThan(0);
    const reach = async (
      where: { port: number; host: string } | { path: string },
      different: number,
    ) => {
      const seen = new Set<string>();
      while (seen.size < different) {
        const peer = await Peer.to(where);
        seen.add(String(await peer.send('x\n').until((bytes) => /\d/.test(String(bytes)))).trim());
        peer.destroy();
      }
      return seen.size;
    };
    expect(await reach({ host: '127.0.0.1', port }, 3)).toBe(3);
    expect(await reach({ path: join(app.folder, 'b.sock') }, 2)).toBe(2);
    expect(await reach({ host: '127.0.0.1', port: app.port }, 2)).toBe(2);
    expect(program.output).toContain('no address needed');
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('takes counts and addresses from the environment', async () => {
    const app = await fixture();
    const workers = [{ name: 'talker', count: 3 }];
    const program = await start(app.file, { LONGSHORE_WORKERS: JSON.stringify(workers) });
    expect((await program.status()).processes).toHaveLength(3);
    const wrong = await longshore(['start', app.file], {
      LONGSHORE_WORKERS: '[{"name":"nobody"}]',
    });
    expect([wrong.code, wrong.stdout]).toEqual([
      78,
      expect.stringContaining('no Worker "nobody", only talker'),
    ]);
  });

  it('runs its processes as another user when root starts it', async () => {
    if (process.getuid?.() !== 0) {
      console.log('skipped: changing the user needs root');
      return;
    }
    const app = await fixture(TALKER.replace('count: 2', "count: 1, user: 'nobody'"));
    await start(app.file);
    const [uid, gid] = (await ask(app, 'uid')).split(',').map(Number);
    expect(uid).toBeGreaterThan(0);
    expect(gid).toBeGreaterThan(0);
  });

  it('can be started and found by a user without an entry in /etc/passwd, as in containers', () => {
    if (process.getuid?.() !== 0) {
      console.log('skipped: changing the user needs root');
      return;
    }
    const { XDG_RUNTIME_DIR: _, LONGSHORE_RUNTIME_DIR: __, ...env } = process.env;
    const url = new URL('../../src/control-path.ts', import.meta.url);
    const print = `console.log((await import('${url}')).runtimeDir())`;
    const args = ['--input-type=module', '-e', print];
    const { stdout } = spawnSync(process.execPath, args, { uid: 54_321, gid: 54_321, env });
    expect(String(stdout)).toBe(`${tmpdir()}/longshore-54321\n`);
  });

  it('runs where nothing can be written, and ends if it needs a channel there', async () => {
    // A file is no folder for anybody, root included.
    const env = { LONGSHORE_RUNTIME_DIR: '/dev/null/a/b' };
    const program = new Program((await fixture()).file, env);
    await program.line(
      /no control socket: ENOTDIR.*commands status, reload and stop will not find/,
    );
    await program.line(/started: 2 processes/);
    program.signal('SIGINT');
    expect(await program.ended()).toEqual({ code: 0, signal: null });

    const source = TALKER.replace('Timer,', 'ChannelClient, Timer,').replace(
      "said('begin')",
      'new ChannelClient().connect()',
    );
    const channels = new Program((await fixture(source)).file, env);
    expect(await channels.ended()).toEqual({ code: 78, signal: null });
    expect(channels.output).toMatch(
      /talker#\d can never start: its ChannelServer, \/dev\/null\/a\/b\/channel-\d+\.inner: .*; see LONGSHORE_RUNTIME_DIR/,
    );
  });

  it('may start another program from one of its processes', async () => {
    const app = await fixture(`
      import { spawn } from 'node:child_process';
      import { Worker } from 'longshore';
      const inner = process.argv[2] === 'inner';
      const worker = new Worker({ name: inner ? 'inner' : 'outer' });
      worker.onWorkerStart = () => {
        if (inner) console.log('both run');
        else {
          const env = { ...process.env, LONGSHORE_RUNTIME_DIR: process.env.FOLDER };
          const args = ['--conditions=longshore-source', process.argv[1], 'inner'];
          const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
          worker.onWorkerStop = () => new Promise((done) => child.once('exit', done).kill('SIGINT'));
        }
      };
      await Worker.runAll();
    `);
    const program = await start(app.file, { FOLDER: app.folder });
    await program.line(/both run/);
    expect(await program.stop()).toEqual(CLEAN);
  });
});

describe('a program that cannot start', () => {
  it.each([
    ['that is not there', undefined, /does not exist/],
    ['with a syntax error', 'const = 1;', /cannot be loaded[\s\S]*SyntaxError/],
    [
      'that imports what is not there',
      "import './nothing.ts';",
      /cannot be loaded[\s\S]*nothing\.ts/,
    ],
    ['without runAll', 'export {};', /Worker\.runAll\(\)/],
    ['without a Worker', "import { Worker } from 'longshore'; await Worker.runAll();", /no Worker/],
    [
      'with an unknown scheme',
      "import { Worker } from 'longshore'; new Worker('gopher://x:1'); await Worker.runAll();",
      /scheme "gopher" is unknown/,
    ],
    [
      'with a wrong option',
      "import { Worker } from 'longshore'; new Worker('text://x:1', { count: 0 }); await Worker.runAll();",
      /count is 0, allowed: 1 to 1024/,
    ],
    [
      'with a network that is none',
      "import { Worker } from 'longshore'; new Worker('text://x:1', { trustedProxies: ['10.0.0.0/33'] }); await Worker.runAll();",
      /trustedProxies: "10\.0\.0\.0\/33" is no address or network/,
    ],
    [
      'on an address that is not here',
      "import { Worker } from 'longshore'; new Worker('text://203.0.113.1:9'); await Worker.runAll();",
      /203\.0\.113\.1:9: no network interface/,
    ],
  ])('%s ends with code 78 and a reason', async (_, source, message) => {
    const app = await fixture(source ?? '');
    if (source === undefined) rmSync(app.file);
    const { code, stdout, stderr } = await longshore(['start', app.file]);
    expect([code, stdout + stderr]).toEqual([78, expect.stringMatching(message)]);
  });

  it('because somebody has its port, says so and leaves nothing behind', async () => {
    const app = await fixture();
    const other = createServer().listen(app.port, '127.0.0.1');
    const { code, stdout } = await longshore(['start', app.file]);
    other.close();
    expect([code, stdout]).toEqual([78, expect.stringContaining(`127.0.0.1:${app.port} is taken`)]);
  });

  it('because another Longshore has its port, says which', async () => {
    const app = await fixture();
    const program = await start(app.file);
    const second = await fixture(TALKER.replace('PORT', String(app.port)));
    const { code, stdout } = await longshore(['start', second.file]);
    expect([code, stdout]).toEqual([
      78,
      expect.stringContaining(`taken by another Longshore: pid ${program.pid} ${app.file}`),
    ]);
    expect(await answers(app, 'version', 1)).toEqual(new Set(['one']));
  });

  it('because it runs already, says so', async () => {
    const app = await fixture();
    const program = await start(app.file);
    const again = await program.command('start', app.file);
    expect([again.code, again.stdout]).toEqual([1, expect.stringContaining('runs already')]);
    expect((await program.status()).processes).toHaveLength(2);
  });

  it('lets exactly one of two masters win that start in the same moment', async () => {
    const app = await fixture();
    const twin = await fixture(TALKER.replace('PORT', String(app.port)));
    const pair = [new Program(app.file, {}), new Program(twin.file, {})];
    const outcomes = await Promise.all(
      pair.map((program) =>
        program.line(/started: 2 processes/).then(
          () => 'runs',
          async () => (await program.ended()).code,
        ),
      ),
    );
    expect(outcomes.sort()).toEqual([78, 'runs']);
  });

  it('keeps trying with growing pauses when onWorkerStart throws, and heals by itself', async () => {
    const app = await fixture();
    const flag = join(app.folder, 'flag');
    writeFileSync(flag, '');
    const program = new Program(app.file, { FAIL_WHILE: flag });
    const pauses = async (text: string) =>
      program.line(new RegExp(`talker#0 ended with status 64000; another one starts in ${text} s`));
    for (const text of ['0\\.1', '0\\.2', '0\\.4']) await pauses(text);
    expect(program.output).toContain('onWorkerStart failed: Error: not yet');
    rmSync(flag);
    await program.line(/started: 2 processes/);
    expect((await program.status()).workers[0]?.exits['64000']).toBeGreaterThanOrEqual(3);
  });

  it('ends cleanly when it is told to before it has started', async () => {
    const app = await fixture(
      TALKER.replace("said('begin');", "said('begin'); return new Promise(() => {});"),
    );
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const program = new Program(app.file, {});
      await program.line(/begin 0/);
      program.signal(signal);
      expect(await program.ended()).toEqual({ code: 0, signal: null });
    }
  });
});

describe('node FILE', () => {
  it('starts the same master as the command does', async () => {
    const app = await fixture();
    const child = spawn(process.execPath, ['--conditions=longshore-source', app.file], {
      env: { ...process.env, LONGSHORE_ADMIN: 'off', LONGSHORE_RUNTIME_DIR: app.folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    await eventually(() => /started: 2 processes/.test(output));
    const peer = await toSlot(app, 1);
    peer.destroy();
    child.kill('SIGINT');
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
  });
});
