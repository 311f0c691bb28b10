import { execFileSync } from 'node:child_process';
import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Fixture, TALKER } from '../support/fixture.ts';
import { Peer } from '../support/peer.ts';
import { endPrograms, isAlive, longshore, type Program, start } from '../support/program.ts';
import { toSlot } from '../support/talk.ts';

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

describe('trace', () => {
  const strace = ['/usr/bin/strace', '/bin/strace', '/usr/local/bin/strace'].some((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  const ifStrace = strace ? it : it.skip;
  if (!strace) console.log('skipped: what needs strace, which is not installed');

  const traced = (program: Program, app: Fixture, ...args: string[]) =>
    program.command('trace', app.file, '--seconds', '1.5', ...args);

  ifStrace(
    'shows the calls of a process with every descriptor explained, and what it is doing',
    async () => {
      const app = await fixture();
      const program = await start(app.file);
      const peer = await toSlot(app, 1);
      const talking = setInterval(() => peer.send('echo hello\n'), 100);
      const { code, stdout } = await traced(program, app, 'talker#1');
      clearInterval(talking);
      expect(code).toBe(0);
      const id = `connection \\d+ \\(text\\) 127\\.0\\.0\\.1:${peer.socket.localPort}`;
      expect(stdout).toMatch(new RegExp(`read\\(\\d+<${id}>, "echo hello\\\\n", 65536\\) = 11`));
      expect(stdout).toMatch(new RegExp(`write\\(\\d+<${id}>, "hello\\\\n", 6\\) = 6`));
      expect(stdout).toMatch(new RegExp(`fd=\\d+<${id}>`));
      expect(stdout).toMatch(
        /# Working: \d+ (read|write), .* of a CPU; idle in epoll \d+ % of the time\.\n$/,
      );
      expect(
        await peer.send('echo unharmed\n').until((bytes) => bytes.includes('unharmed')),
      ).toBeTruthy();
    },
    20_000,
  );

  ifStrace.each([
    ['is idle', 'echo x', /# Idle in epoll/],
    ['runs in a loop', 'block 12000', /# Busy without system calls \(\d+ % of a CPU\)/],
    ['waits for a child process', 'exec 4', /# Blocked in a synchronous child process .*sleep 4/],
    [
      'waits for another thread',
      'wait 4000',
      /# Blocked in (futex|an interrupted wait): it waits for another thread/,
    ],
    [
      'opens a pipe that nobody reads',
      'fifo',
      /# Blocked in openat on .*\/fifo, for \d\.\d s and longer/,
    ],
  ])(
    'says in one sentence that a process %s',
    async (_, deed, sentence) => {
      const app = await fixture(
        `import { execSync } from 'node:child_process';\nimport { openSync } from 'node:fs';\n${TALKER.replace(
          'count: 2',
          'count: 1',
        ).replace(
          'timer:',
          `exec: (s) => execSync('sleep ' + s),
         wait: (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(ms)),
         fifo: () => openSync(process.env.FIFO ?? '', 'r'),
         timer:`,
        )}`,
      );
      const fifo = join(app.folder, 'fifo');
      execFileSync('mkfifo', [fifo]);
      const program = await start(app.file, { FIFO: fifo });
      const peer = await Peer.to({ host: '127.0.0.1', port: app.port });
      await peer.send('echo ready\n').line();
      peer.send(`${deed}\n`);
      const { code, stdout, stderr } = await traced(program, app);
      expect([code, stdout + stderr]).toEqual([0, expect.stringMatching(sentence)]);
      if (deed === 'fifo') closeSync(openSync(fifo, 'w'));
      await peer.line();
      expect(isAlive(program.pid)).toBe(true);
    },
    20_000,
  );

  ifStrace(
    'says that a process was stopped by a signal',
    async () => {
      const app = await fixture();
      const program = await start(app.file);
      const { pid } = (await program.status()).processes[0] as { pid: number };
      process.kill(pid, 'SIGSTOP');
      try {
        const { code, stdout } = await program.command(
          'trace',
          app.file,
          String(pid),
          '--seconds',
          '1',
        );
        expect([code, stdout]).toEqual([0, expect.stringMatching(/# Stopped by a signal/)]);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    },
    20_000,
  );

  it('says how to get strace where there is none, and which processes there are', async () => {
    const app = await fixture();
    const program = await start(app.file);
    const wrong = await program.command('trace', app.file, 'talker#7');
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringMatching(/no process "talker#7"; there is: talker#0 \(\d+\), talker#1 \(\d+\)/),
    ]);
    const { code, stderr } = await longshore(['trace', app.file], {
      LONGSHORE_RUNTIME_DIR: program.runtimeDir,
      PATH: '/nowhere',
    });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/strace is not here; .*(apt-get install strace|dtruss)/),
    ]);
  });
});
