import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Fixture, TALKER } from '../support/fixture.ts';
import { eventually, Peer } from '../support/peer.ts';
import { endPrograms, longshore, start } from '../support/program.ts';
import { ask } from '../support/talk.ts';

const fixtures: Fixture[] = [];
async function fixture(source?: string): Promise<Fixture> {
  const made = await Fixture.create(source);
  fixtures.push(made);
  return made;
}

afterEach(async () => {
  await endPrograms();
  for (const each of fixtures.splice(0)) {
    await longshore(['stop', each.file], { LONGSHORE_RUNTIME_DIR: each.folder });
    each[Symbol.dispose]();
  }
});

const here =
  (app: Fixture) =>
  (...args: string[]) =>
    longshore(args, { LONGSHORE_RUNTIME_DIR: app.folder });

describe('longshore', () => {
  it('explains itself and each command', async () => {
    const { code, stdout } = await longshore(['--help']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('longshore start FILE')]);
    for (const command of [
      'start',
      'stop',
      'restart',
      'reload',
      'status',
      'connections',
      'trace',
    ]) {
      const help = await longshore([command, '--help']);
      expect([help.code, help.stdout]).toEqual([
        0,
        expect.stringContaining(`longshore ${command}`),
      ]);
      for (const line of help.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
    }
    expect((await longshore(['--version'])).stdout).toMatch(/^longshore \d+\.\d+\.\d+, Node v\d+/);
  }, 20_000);

  it.each([
    [['dance'], /unknown command "dance"; there is: start, stop/],
    [['start'], /FILE is missing/],
    [['start', 'x.ts', '--fast'], /Unknown option '--fast'/],
    [['trace', 'x.ts', '--seconds'], /argument missing/],
    [['stop', 'x.ts', 'y.ts'], /"y.ts" is one word too many. See longshore stop --help\n$/],
    [['status', 'x.ts', '--', 'y'], /"--" is for start and restart/],
    [['trace', 'x.ts', 'chat#0', 'chat#1'], /"chat#1" is one word too many/],
    [['restart', 'x.ts', '--graceful', '60'], /"60" is one word too many; .* follow "--"/],
    [['start', 'x.ts', '--graceful', '-1'], /'--graceful' argument is ambiguous. See/],
    [['start', 'x.ts', '--log', 'x.log'], /--log goes with -d/],
    [['start', 'x.ts', '--graceful', 'abc'], /--graceful is "abc", allowed: 0 to 86400. See/],
    [['start', 'x.ts', '--drain-window', ''], /--drain-window is "", allowed: 0 to 86400/],
    [['connections', 'x.ts', '--limit', '0'], /--limit is "0", allowed: whole numbers from 1 to/],
    [['connections', 'x.ts', '--limit', '1.5'], /--limit is "1.5", allowed: whole numbers/],
    [['trace', 'x.ts', '--seconds', '9999'], /--seconds is "9999", allowed: 0 to 3600/],
  ])('refuses %j with code 2', async (args, message) => {
    const { code, stderr } = await longshore(args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it('says so when a program is not running', async () => {
    const app = await fixture();
    for (const command of ['stop', 'reload', 'status', 'connections', 'trace']) {
      const { code, stderr } = await here(app)(command, app.file);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/is not running; start it with: longshore start/),
      ]);
    }
    expect((await here(app)('status')).stdout).toMatch(/nothing is running/);
  }, 20_000);
});

describe('a master that does not answer', () => {
  it.each(['stop', 'status', 'reload'])(
    'is named by %s, with the way to end it',
    async (command) => {
      const app = await fixture();
      const program = await start(app.file);
      process.kill(program.pid, 'SIGSTOP');
      try {
        const { code, stderr } = await program.command(command, app.file);
        expect([code, stderr]).toEqual([
          1,
          expect.stringContaining(
            `the master, pid ${program.pid}, has not answered for 3 s; kill -9 ${program.pid} ends it`,
          ),
        ]);
      } finally {
        process.kill(program.pid, 'SIGCONT');
      }
    },
    20_000,
  );
});

describe('start -d', () => {
  it('returns when everything is ready; the rest is done by commands', async () => {
    const app = await fixture();
    const run = here(app);
    const log = join(app.folder, 'app.log');
    const started = await run('start', '-d', '--log', log, app.file);
    expect([started.code, started.stdout]).toEqual([
      0,
      expect.stringMatching(/^started 2 processes in \d+\.\d s, master pid \d+\n/),
    ]);
    expect(await ask(app, 'version')).toBe('one');
    expect((await run('status')).stdout).toContain(app.file);
    expect(readFileSync(log, 'utf8')).toMatch(/started: 2 processes/);
    const again = await run('start', '-d', app.file);
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/runs already/)]);
    const before = (await run('status', '--json', app.file)).stdout;
    app.write(TALKER.replace("'one'", "'two'"));
    const restarted = await run('restart', '-d', app.file);
    expect([restarted.code, restarted.stdout]).toEqual([
      0,
      expect.stringMatching(/^stopped\nstarted 2 processes/),
    ]);
    expect(await ask(app, 'version')).toBe('two');
    expect((await run('status', '--json', app.file)).stdout).not.toBe(before);
    const stopped = await run('stop', app.file);
    expect([stopped.code, stopped.stdout]).toEqual([0, 'stopped\n']);
    await expect(ask(app, 'version')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  }, 30_000);

  it('fails with the end of the log when the program cannot start', async () => {
    const app = await fixture('const = 1;');
    const { code, stderr } = await here(app)('start', '-d', app.file);
    expect([code, stderr]).toEqual([78, expect.stringMatching(/did not start[\s\S]*SyntaxError/)]);
  });

  it('shows only what this start has logged, not what was there before', async () => {
    const app = await fixture('const = 1;');
    const log = join(app.folder, 'app.log');
    writeFileSync(log, 'of another run\n'.repeat(3));
    const { code, stderr } = await here(app)('start', '-d', '--log', log, app.file);
    expect([code, stderr]).toEqual([78, expect.stringMatching(/SyntaxError/)]);
    expect(stderr).not.toContain('of another run');
  });

  it('says so when its log was removed before the program failed', async () => {
    const app = await fixture(`import { rmSync } from 'node:fs';
      rmSync(process.env.THE_LOG ?? '');
      process.exit(3);`);
    const log = join(app.folder, 'app.log');
    const { code, stderr } = await longshore(['start', '-d', '--log', log, app.file], {
      LONGSHORE_RUNTIME_DIR: app.folder,
      THE_LOG: log,
    });
    expect([code, stderr]).toEqual([3, expect.stringMatching(/did not start[\s\S]*ENOENT/)]);
  });

  it('shows why it takes long while an onWorkerStart keeps throwing, and fails when it is stopped', async () => {
    const app = await fixture(
      TALKER.replace("said('begin');", "throw new Error('no database there');"),
    );
    const { promise: shown, resolve } = Promise.withResolvers<void>();
    const starting = longshore(
      ['start', '-d', app.file],
      { LONGSHORE_RUNTIME_DIR: app.folder },
      (stderr) => /goes on trying[\s\S]*no database there/.test(stderr) && resolve(),
    );
    await shown;
    expect((await here(app)('stop', app.file)).code).toBe(0);
    const { code, stderr } = await starting;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/not ready after 5 s/)]);
  }, 30_000);

  it('serves on although its log cannot be written', async () => {
    const app = await fixture(`${TALKER.replace('await Worker.runAll();', '')}
      Timer.add; console.log('x'.repeat(100_000)); setInterval(() => console.log('noise'), 5).unref();
      await Worker.runAll();`);
    const run = here(app);
    expect((await run('start', '-d', '--log', '/dev/full', app.file)).code).toBe(0);
    for (let i = 0; i < 20; i += 1) expect(await ask(app, 'echo still here')).toBe('still here');
    expect((await run('reload', app.file)).code).toBe(0);
    expect(await ask(app, 'echo and now')).toBe('and now');
    expect((await run('stop', app.file)).code).toBe(0);
  }, 20_000);

  it('goes on logging when a full disk has room again', async () => {
    const app = await fixture(`${TALKER.replace('await Worker.runAll();', '')}
      setInterval(() => console.log('tick'), 20).unref();
      await Worker.runAll();`);
    const mount = join(app.folder, 'disk');
    try {
      execFileSync('mkdir', [mount]);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount], { stdio: 'ignore' });
    } catch {
      console.log('skipped: making a small disk needs the right to mount');
      return;
    }
    const run = here(app);
    try {
      const log = join(mount, 'app.log');
      const filler = openSync(join(mount, 'filler'), 'w');
      expect((await run('start', '-d', '--log', log, app.file)).code).toBe(0);
      await eventually(() => /tick/.test(readFileSync(log, 'utf8')));
      fill(filler);
      expect(await ask(app, 'echo full')).toBe('full');
      const size = readFileSync(log).length;
      closeSync(filler);
      execFileSync('rm', [join(mount, 'filler')]);
      await eventually(() => readFileSync(log).length > size + 100, 'new lines');
      expect((await run('stop', app.file)).code).toBe(0);
    } finally {
      await run('stop', app.file);
      execFileSync('umount', ['-l', mount]);
    }
  }, 20_000);
});

function fill(fd: number): void {
  try {
    for (;;) writeSync(fd, Buffer.alloc(1024));
  } catch {
    // Full.
  }
}

describe('connections', () => {
  it('lists every connection with its process, bytes and addresses', async () => {
    const app = await fixture();
    const program = await start(app.file);
    const peers = await Promise.all(
      [1, 2, 3].map(() => Peer.to({ host: '127.0.0.1', port: app.port })),
    );
    for (const peer of peers) await peer.send('echo hello\n').line();
    const list = JSON.parse((await program.command('connections', '--json', app.file)).stdout);
    expect(list.connections).toHaveLength(3);
    expect(list.connections[0]).toMatchObject({
      worker: 'talker',
      transport: 'tcp',
      protocol: 'text',
      bytesRead: 11,
      bytesWritten: 6,
      status: 'ESTABLISHED',
    });
    const { stdout } = await program.command('connections', '--limit', '2', app.file);
    expect(stdout).toMatch(
      /talker +\d+ tcp +text +4 +0B +0B +11B +6B ESTABLISHED :\d+ 127\.0\.0\.1:\d+/,
    );
    expect(stdout).toMatch(/\.\.\. more: --limit N/);
  });
});

describe('status --watch', () => {
  it('shows requests per second', async () => {
    const app = await fixture(TALKER.replace('count: 2', 'count: 1'));
    const program = await start(app.file);
    const { spawn } = await import('node:child_process');
    const watch = spawn(
      process.execPath,
      ['--conditions=longshore-source', 'src/cli/bin.ts', 'status', '-w', '--json', app.file],
      {
        env: { ...process.env, LONGSHORE_RUNTIME_DIR: program.runtimeDir },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let text = '';
    watch.stdout.on('data', (chunk) => {
      text += chunk;
    });
    const peer = await Peer.to({ host: '127.0.0.1', port: app.port });
    await eventually(() => text.split('\n').length > 1);
    for (let i = 0; i < 50; i += 1) await peer.send('echo x\n').line();
    await eventually(() => text.split('\n').length > 2);
    watch.kill('SIGINT');
    const totals = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).processes[0].total_request);
    expect([totals[0], totals[1]]).toEqual([0, 50]);
  });
});
