import { renameSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Fixture, TALKER } from '../support/fixture.ts';
import { eventually, Peer } from '../support/peer.ts';
import { CLEAN, endPrograms, freePort, isAlive, start } from '../support/program.ts';
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

const TWO = TALKER.replace("'one'", "'two'");

const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: here',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

describe('reload', () => {
  it('puts new processes with new code into the same slots, while not one connection is refused or reset', async () => {
    const app = await fixture();
    const program = await start(app.file);
    const old = (await program.status()).processes.map(({ pid }) => pid);
    app.write(TWO);
    let connecting = true;
    const tries: string[] = [];
    const load = (async () => {
      while (connecting) {
        tries.push(
          await ask(app, 'version').catch(
            (error: NodeJS.ErrnoException) => `${error.code ?? error.message}`,
          ),
        );
      }
    })();
    const { code, stdout } = await program.command('reload', app.file);
    expect([code, stdout]).toEqual([0, 'reloaded: 2 processes replaced\n']);
    connecting = false;
    await load;
    expect(tries.filter((each) => /ECONN/.test(each))).toEqual([]);
    expect(await answers(app, 'version', 1)).toEqual(new Set(['two']));
    const { processes, workers } = await program.status();
    expect(processes.map(({ worker_id }) => worker_id)).toEqual([0, 1]);
    for (const pid of old) expect(processes.map((each) => each.pid)).not.toContain(pid);
    await eventually(() => !old.some(isAlive));
    expect(workers[0]?.exits).toEqual({ '0': 2 });
    const order = program.output.match(/(begin|reloading|stopping) .*\d/g) ?? [];
    expect(order.slice(2)).toEqual([
      'begin 0',
      'reloading {} 0',
      'stopping 0',
      'begin 1',
      'reloading {} 1',
      'stopping 1',
    ]);
    expect(await program.stop()).toEqual(CLEAN);
  });

  it.each([
    [
      'a syntax error',
      TWO.replace("const version = 'two';", 'const version = ;'),
      /the program cannot be loaded: .*:\d+: SyntaxError: Expression expected/,
    ],
    [
      'a start that throws',
      TWO.replace("said('begin');", "throw new Error('broken two');"),
      /broken two/,
    ],
    [
      'an import of what is not there',
      `import './nothing.ts';${TWO}`,
      /cannot be loaded: Error: Cannot find module .*nothing\.ts/,
    ],
  ])(
    'with %s in the new code leaves the old processes alone, and says so everywhere',
    async (_, broken, reason) => {
      const app = await fixture();
      const program = await start(app.file);
      const before = (await program.status()).processes.map(({ pid }) => pid);
      app.write(broken);
      const { code, stderr } = await program.command('reload', app.file);
      expect(code).toBe(1);
      expect(stderr).toMatch(/the reload failed, all processes run the old code/);
      expect(stderr).toMatch(reason);
      const status = await program.status();
      // Milliseconds since 1970, as everything in the status.
      expect(Math.abs((status.reload?.startedAt ?? 0) - status.now)).toBeLessThan(60_000);
      expect(status.reload).toMatchObject({
        state: 'failed',
        replaced: 0,
        reason: expect.stringMatching(reason),
      });
      expect(status.processes.map(({ pid }) => pid)).toEqual(before);
      expect(await answers(app, 'version', 1)).toEqual(new Set(['one']));
      expect((await program.command('status', app.file)).stdout).toMatch(/last reload FAILED: /);
      // And once it is mended, it works.
      app.write(TWO);
      expect((await program.command('reload', app.file)).code).toBe(0);
      expect(await answers(app, 'version', 1)).toEqual(new Set(['two']));
    },
  );

  it('leaves alone what a program forks itself: it is told nothing of our own', async () => {
    const app = await fixture(`${TALKER.replace('await Worker.runAll();', '')}
      import { fork } from 'node:child_process';
      import { fileURLToPath } from 'node:url';
      if (process.argv[2] === 'own') throw new Error('of its own');
      const before = worker.onWorkerStart;
      worker.onWorkerStart = async (started) => {
        await before?.(started);
        const own = fork(fileURLToPath(import.meta.url), ['own'], { stdio: 'ignore' });
        own.on('message', (message) => console.log('heard', message));
        own.on('exit', (code) => console.log('own ended with', code));
      };
      await Worker.runAll();`);
    const program = await start(app.file);
    await eventually(() => /own ended with 1/.test(program.output));
    expect(program.output).not.toMatch(/heard/);
  });

  it('with -g lets old connections live on the old code, until their deadline', async () => {
    const app = await fixture();
    const program = await start(app.file, {
      LONGSHORE_GRACEFUL_SECONDS: '2',
      LONGSHORE_DRAIN_WINDOW_SECONDS: '0.5',
    });
    const peer = await Peer.to({ host: '127.0.0.1', port: app.port });
    expect(await peer.send('version\n').line()).toBe('one');
    app.write(TWO);
    const began = performance.now();
    expect((await program.command('reload', '-g', app.file)).code).toBe(0);
    expect(await peer.send('version\n').line()).toBe('one');
    expect(await answers(app, 'version', 1)).toEqual(new Set(['two']));
    expect((await program.status()).processes.map(({ state }) => state)).toContain('leaving');
    expect(await peer.end()).toBe('end');
    expect(performance.now() - began).toBeGreaterThan(1400);
    await eventually(() => /stopping/.test(program.output));
  });

  it('lets handshakes that have begun come through, and says where to go', async () => {
    const app = await fixture(TALKER.replace('text://', 'websocket://'));
    const program = await start(app.file);
    const peers = await Promise.all(
      Array.from({ length: 10 }, () => Peer.to({ host: '127.0.0.1', port: app.port })),
    );
    const reload = program.command('reload', app.file);
    // They ask when their process is about to leave.
    await program.line(/reloading {} 0/);
    for (const peer of peers.slice(0, 5)) peer.send(HANDSHAKE);
    await program.line(/reloading {} 1/);
    for (const peer of peers.slice(5)) if (!peer.ended) peer.send(HANDSHAKE);
    for (const peer of peers.slice(0, 5)) {
      await peer.end();
      expect(peer.received.toString('latin1')).toMatch(
        /^HTTP.1.1 101 [\s\S]*{"reconnect":\[0,500\]}$/,
      );
    }
    expect((await reload).code).toBe(0);
  }, 60_000);

  it('only tells Workers that are not reloadable', async () => {
    const app = await fixture(TALKER.replace('count: 2', 'count: 2, reloadable: false'));
    const program = await start(app.file);
    const before = (await program.status()).processes.map(({ pid }) => pid);
    await program.call('POST', '/reload', {});
    await program.line(/reloading {} 0/);
    await program.line(/reloading {} 1/);
    expect((await program.status()).processes.map(({ pid }) => pid)).toEqual(before);
  });

  it('takes over new counts, new Workers and gone Workers that the new code declares', async () => {
    const app = await fixture();
    const program = await start(app.file);
    app.write(
      TALKER.replace('count: 2', 'count: 3').replace(
        'await Worker.runAll',
        "new Worker({ name: 'extra', count: 1 }).onWorkerStart = () => console.log('extra is here');\nawait Worker.runAll",
      ),
    );
    await program.call('POST', '/reload', {});
    await program.line(/extra is here/);
    await eventually(() => (program.output.match(/begin 2/g) ?? []).length === 1);
    app.write(TALKER.replace('count: 2', 'count: 1'));
    await program.call('POST', '/reload', {});
    let names: string[] = [];
    while (names.join() !== 'talker0') {
      const { processes } = await program.status();
      names = processes.map(({ worker_name, worker_id }) => `${worker_name}${worker_id}`);
    }
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('moves all processes to another address that the new code declares, and back', async () => {
    const app = await fixture();
    const other = await freePort();
    const there = { port: other };
    const program = await start(app.file);
    app.write(TWO.replace('PORT', String(other)));
    expect((await program.command('reload', app.file)).code).toBe(0);
    expect(await answers(there, 'id', 2)).toEqual(new Set(['0', '1']));
    await expect(ask(app, 'version')).rejects.toThrow(/ECONNREFUSED/);
    app.write(TALKER);
    expect((await program.command('reload', app.file)).code).toBe(0);
    expect(await answers(app, 'id', 2)).toEqual(new Set(['0', '1']));
    await expect(ask(there, 'version')).rejects.toThrow(/ECONNREFUSED/);
    // The address that was left is free for other programs, to which a master's lock matters.
    const second = await fixture(TALKER.replace('PORT', String(other)));
    await start(second.file);
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('fails if the new code declares an address that is taken, and works again after that', async () => {
    const app = await fixture();
    const holder = await fixture();
    await start(holder.file);
    const program = await start(app.file);
    app.write(TWO.replace('PORT', String(holder.port)));
    const { code, stderr } = await program.command('reload', app.file);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/all processes run the old code: .*is taken by another Longshore: pid/),
    ]);
    expect(await answers(app, 'version', 1)).toEqual(new Set(['one']));
    const wanted = { workers: [{ name: 'talker', listen: `text://127.0.0.1:${holder.port}` }] };
    await expect(program.call('POST', '/reload', wanted)).rejects.toThrow(/is taken by another/);
    app.write(TWO);
    expect((await program.command('reload', app.file)).code).toBe(0);
    expect(await answers(app, 'version', 1)).toEqual(new Set(['two']));
  });

  it('gives hot configuration to every process without changing one', async () => {
    const app = await fixture();
    const program = await start(app.file, { LONGSHORE_CONFIG: '{"greeting":"hi"}' });
    expect(await ask(app, 'config greeting')).toBe('hi');
    const before = (await program.status()).processes.map(({ pid }) => pid);
    const peer = await Peer.to({ host: '127.0.0.1', port: app.port });
    await program.call('POST', '/config', { greeting: 'hello' });
    await program.line(/reloading {"greeting":"hello"} 0/);
    await program.line(/reloading {"greeting":"hello"} 1/);
    expect(await peer.send('config greeting\n').line()).toBe('hello');
    expect((await program.status()).processes.map(({ pid }) => pid)).toEqual(before);
    // Those that start later have it too.
    await ask(app, 'die 1').catch(() => {});
    await program.line(/another one starts/);
    await program.line(/begin [01]\n[\s\S]*begin [01]\n[\s\S]*begin [01]\n/);
    await eventually(() => true);
    expect(await (await toSlot(app, 0)).send('config greeting\n').line()).toBe('hello');
    expect(await (await toSlot(app, 1)).send('config greeting\n').line()).toBe('hello');
  });

  it('happens by itself when a file changes under start --dev', async () => {
    const app = await fixture();
    const program = await start(app.file, { LONGSHORE_DEV: '1' });
    app.write(TWO);
    await program.line(/app\.ts changed/);
    await program.line(/reload complete: 2 processes replaced/);
    expect(await answers(app, 'version', 1)).toEqual(new Set(['two']));
  });

  it('happens under start --dev each time, also where editors save by renaming', async () => {
    const app = await fixture();
    const program = await start(app.file, { LONGSHORE_DEV: '1' });
    for (const version of ['two', 'three', 'four', 'five']) {
      const from = program.output.length;
      writeFileSync(
        `${app.file}~`,
        TALKER.replace("'one'", `'${version}'`).replaceAll('PORT', `${app.port}`),
      );
      renameSync(`${app.file}~`, app.file);
      await program.line(/reload complete: 2 processes replaced/, from);
      expect(await answers(app, 'version', 1)).toEqual(new Set([version]));
    }
  });
});
