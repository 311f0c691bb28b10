import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { encodeRecord, FILE_HEAD } from '../../src/globaldata/records.ts';
import {
  dataClient,
  dataProgram,
  endDataPlaces,
  failure,
  killServer,
} from '../support/data-engines.ts';
import { eventually } from '../support/peer.ts';
import { start } from '../support/program.ts';

const mounts: string[] = [];

afterEach(async () => {
  for (const mount of mounts.splice(0)) execFileSync('umount', ['-l', mount]);
  await endDataPlaces();
});

const ifStrace = spawnSync('strace', ['-V']).status === 0 ? it : it.skip;
if (ifStrace !== it) console.log('skipped: what needs strace, which is not installed');
const ifMount = spawnSync('unshare', ['--mount', 'true']).status === 0 ? it : it.skip;
if (ifMount !== it) console.log('skipped: making a small disk needs the right to mount');

const KEPT = { code: 'GLOBALDATA_REFUSED', message: expect.stringContaining('not stored') };

describe('a server with a file', () => {
  it.each(['always', 'second', 'no'])(
    'with fsync %s has all it has answered after kill -9, again and again',
    async (fsync) => {
      const { fixture, run } = await dataProgram({ fsync });
      const program = await run();
      const client = dataClient(`127.0.0.1:${fixture.port}`, { timeout: 20 });
      const answered = new Map<string, number>();
      // Since the last answer: a key may meet two kills.
      const unknown = new Map<string, number[]>();
      let over = false;
      // 20 at a time, so that a kill meets a write of several.
      const writers = Array.from({ length: 20 }, async (_, i) => {
        for (let n = 1; !over; n += 1) {
          const key = `k ${i} ${n % 7}`;
          await client.set(key, n).then(
            () => {
              answered.set(key, n);
              unknown.delete(key);
            },
            () => unknown.set(key, [...(unknown.get(key) ?? []), n]),
          );
        }
      });
      for (let kill = 0; kill < 3; kill += 1) {
        const before = answered.size + [...answered.values()].reduce((sum, n) => sum + n, 0);
        await eventually(async () => {
          await client.has('x');
          return [...answered.values()].reduce((sum, n) => sum + n, 0) > before + 500;
        });
        await killServer(program);
      }
      over = true;
      await Promise.all(writers);
      for (const [key, n] of answered) {
        const value = await client.get(key);
        expect([key, [n, ...(unknown.get(key) ?? [])].includes(value)]).toEqual([key, true]);
      }
      expect(answered.size).toBe(140);
    },
    60_000,
  );

  ifStrace(
    'has a change on the disk before it answers, with fsync always',
    async () => {
      const { fixture, folder, run } = await dataProgram({ fsync: 'always' });
      const program = await run();
      const { processes } = await program.status();
      const pid = processes.find(({ worker_name }) => worker_name === 'GlobalDataServer')?.pid;
      const client = dataClient(`127.0.0.1:${fixture.port}`);
      await client.set('before', 1);
      const trace = join(folder, 'trace');
      const calls = 'trace=write,writev,pwrite64,fdatasync,sendto,sendmsg';
      const detach = await traced(['-f', '-y', '-e', calls, '-o', trace, '-p', String(pid)]);
      await client.set('k', 'a value to look for');
      await detach();
      const lines = readFileSync(trace, 'utf8').split('\n');
      const line = (pattern: RegExp) => lines.findIndex((each) => pattern.test(each));
      const [written, synced] = [
        line(/pwrite64\(.*data>/),
        line(/fdatasync\(.*(data>\) += 0|data> <unf)/),
      ];
      const sent = line(/write.*(TCP|socket).*/);
      expect([written >= 0, synced > written, sent > synced]).toEqual([true, true, true]);
    },
    30_000,
  );

  ifMount(
    'refuses changes while its disk is full, has not done them, reads on, and goes on when there is room',
    async () => {
      const { fixture, folder } = await dataProgram();
      const disk = join(folder, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
      mounts.push(disk);
      const file = join(disk, 'data');
      fixture.write(`
      import { GlobalDataServer, Worker } from 'longshore';
      new GlobalDataServer('127.0.0.1:${fixture.port}', { file: ${JSON.stringify(file)} });
      await Worker.runAll();`);
      const program = await start(fixture.file);
      const client = dataClient(`127.0.0.1:${fixture.port}`, { timeout: 20 });
      await client.set('first', 1);
      await client.increment('n');
      const filler = join(disk, 'filler');
      fill(filler);
      const large = 'x'.repeat(20_000);
      const all = await Promise.all([
        failure(client.set('first', large)),
        // Each too large for what is left in the file's last page: they need not come in one write.
        failure(client.set('other', large)),
        failure(client.set('n', large)),
        failure(client.get('n')),
        failure(client.keys()),
      ]);
      // Nothing of it is seen, not even by those that asked in between.
      expect(all).toEqual([
        expect.objectContaining(KEPT),
        expect.objectContaining(KEPT),
        expect.objectContaining(KEPT),
        { value: 1 },
        { value: ['first', 'n'] },
      ]);
      truncateSync(filler);
      await client.set('second', large);
      expect(await client.increment('n')).toBe(2);
      await killServer(program);
      expect(await client.get('second')).toBe(large);
      expect([await client.get('first'), await client.get('n')]).toEqual([1, 2]);
      await program.stop();
    },
    30_000,
  );

  it('begins with what is whole after a torn write, and says so', async () => {
    const { fixture, folder, run } = await dataProgram();
    writeFileSync(
      join(folder, 'data'),
      Buffer.concat([
        FILE_HEAD,
        encodeRecord({ key: 'k', value: Buffer.from('1'), until: 0 }),
        Buffer.alloc(9),
      ]),
    );
    const program = await run();
    const client = dataClient(`127.0.0.1:${fixture.port}`);
    expect(await client.get('k')).toBe(1);
    await client.set('k', 2);
    expect(program.output).toContain('the last 9 bytes are of a write that a crash cut short');
    await killServer(program);
    expect(await client.get('k')).toBe(2);
  });

  it.each([
    ['is another one', () => Buffer.from('hello'), /no file of a global data server/],
    [
      'is broken in the middle',
      () => {
        const record = encodeRecord({ key: 'k', value: Buffer.from('1'), until: 0 });
        const broken = Buffer.concat([FILE_HEAD, record, record]);
        broken[FILE_HEAD.length + 9] = 1;
        return broken;
      },
      /broken and others follow.*truncate -s 24/,
    ],
  ])('does not start if it %s, and leaves it as it is', async (_, bytes, message) => {
    const { fixture, folder } = await dataProgram();
    const file = join(folder, 'data');
    writeFileSync(file, bytes());
    const program = await start(fixture.file).catch((error) => error);
    expect(String(program)).toMatch(message);
    expect(readFileSync(file)).toEqual(bytes());
  });
});

/** Traces a process. @returns ends it */
async function traced(args: string[]): Promise<() => Promise<void>> {
  const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = once(strace, 'exit');
  let said = '';
  strace.stderr.on('data', (chunk) => {
    said += chunk;
  });
  await eventually(() => said.includes('attached'), 'strace');
  return async () => {
    strace.kill('SIGINT');
    await exit;
  };
}

function fill(path: string): void {
  const fd = openSync(path, 'w');
  try {
    for (;;) writeSync(fd, Buffer.alloc(1024));
  } catch {
    // Full.
  } finally {
    closeSync(fd);
  }
}
