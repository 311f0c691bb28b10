import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Journal } from '../../src/globaldata/journal.ts';
import { type DataRecord, encodeRecord } from '../../src/globaldata/records.ts';

const JOURNAL = new URL('../../src/globaldata/journal.ts', import.meta.url).href;
const RECORDS = new URL('../../src/globaldata/records.ts', import.meta.url).href;

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const ifStrace = spawnSync('strace', ['-V']).status === 0 ? it : it.skip;
if (ifStrace !== it) console.log('skipped: what needs strace, which is not installed');

function place(): { folder: string; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-journal-'));
  folders.push(folder);
  return { folder, path: join(folder, 'file') };
}

describe('a journal', () => {
  const load = async (path: string) => {
    const map = new Map<string, string | undefined>();
    const journal = await Journal.open(
      path,
      'no',
      ({ key, value }) => void map.set(key, value?.toString()),
    );
    return { map, journal };
  };
  const record = (key: string, text: string): DataRecord => ({
    key,
    value: Buffer.from(text),
    until: 0,
  });

  it('belongs to one server at a time', async () => {
    const { path } = place();
    const { journal } = await load(path);
    await expect(load(path)).rejects.toThrow('another server has it');
    await journal.close();
    await (await load(path)).journal.close();
  });

  it('is written anew with what is appended meanwhile, and the lock stays', async () => {
    const { path } = place();
    const { journal } = await load(path);
    for (let i = 0; i < 200; i += 1) await journal.append([encodeRecord(record('k', `${i}`))]);
    const many = Array.from({ length: 50_000 }, (_, i) => record(`m ${i}`, 'x'.repeat(50)));
    const compacting = journal.compact([record('k', '199'), ...many]);
    const appended: Promise<void>[] = [];
    for (let i = 0; i < 100; i += 1)
      appended.push(
        journal.append([
          encodeRecord(record(`new ${i}`, 'y')),
          encodeRecord({ key: 'm 5', until: 0 }),
        ]),
      );
    await Promise.all([compacting, ...appended]);
    await journal.append([encodeRecord(record('last', 'z'))]);
    await expect(load(path)).rejects.toThrow('another server has it');
    expect(journal.length).toBe(statSync(path).size);
    await journal.close();
    const { map, journal: again } = await load(path);
    expect([
      map.get('k'),
      map.get('m 49999'),
      map.get('m 5'),
      map.get('new 99'),
      map.get('last'),
    ]).toEqual(['199', 'x'.repeat(50), undefined, 'y', 'z']);
    await again.close();
  });

  ifStrace(
    'stays in use when its folder cannot be put on the disk, and promises nothing until it can',
    async () => {
      const { folder, path } = place();
      await (await load(path)).journal.close();
      const script = join(folder, 'compact.ts');
      writeFileSync(
        script,
        `
        import { Journal } from ${JSON.stringify(JOURNAL)};
        import { encodeRecord } from ${JSON.stringify(RECORDS)};
        const told = (promise) => promise.then(() => 'good', (error) => error.code);
        const bytes = (key) => [encodeRecord({ key, value: Buffer.from('1'), until: 0 })];
        const journal = await Journal.open(${JSON.stringify(path)}, 'always', () => {});
        console.log(await told(journal.append(bytes('old'))));
        console.log(await told(journal.compact([{ key: 'old', value: Buffer.from('2'), until: 0 }])));
        console.log(await told(journal.append(bytes('refused'))));
        console.log(await told(journal.append(bytes('new'))));
        await journal.close();`,
      );
      // The first fsync is the new file's own, then comes that of the folder.
      const inject = ['-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO:when=2..3'];
      const { stdout } = spawnSync(
        'strace',
        ['-f', '-o', join(folder, 'trace'), ...inject, process.execPath, script],
        // One thread, because strace counts the calls of each.
        { encoding: 'utf8', env: { ...process.env, UV_THREADPOOL_SIZE: '1' } },
      );
      expect(stdout.trim().split('\n')).toEqual(['good', 'EIO', 'EIO', 'good']);
      const { map, journal } = await load(path);
      expect([...map]).toEqual([
        ['old', '2'],
        ['new', '1'],
      ]);
      await journal.close();
    },
    30_000,
  );

  it('has all that was promised after kill -9 while it is written anew, and nothing is left over', async () => {
    const { folder, path } = place();
    const script = join(folder, 'endless.ts');
    writeFileSync(
      script,
      `
      import { Journal } from ${JSON.stringify(JOURNAL)};
      import { encodeRecord } from ${JSON.stringify(RECORDS)};
      const record = (key) => ({ key, value: Buffer.from('x'.repeat(100)), until: 0 });
      const keys = [];
      const journal = await Journal.open(${JSON.stringify(path)}, 'no', ({ key }) => void keys.push(key));
      const rewrite = async () => {
        for (;;) await journal.compact([...new Set(keys)].map(record));
      };
      void rewrite();
      for (let n = keys.length; ; n += 1) {
        await journal.append([encodeRecord(record('k ' + n))]);
        keys.push('k ' + n);
        console.log('k ' + n);
      }`,
    );
    let [fresh, promised] = [0, ''];
    for (let kill = 0; kill < 8; kill += 1) {
      const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
      const exit = once(child, 'exit');
      let lines = 0;
      for await (const chunk of child.stdout) {
        promised += chunk;
        lines += String(chunk).split('\n').length - 1;
        if (lines > 200 + 300 * kill) child.kill('SIGKILL');
      }
      await exit;
      if (existsSync(`${path}.new`)) fresh += 1;
      const { map, journal } = await load(path);
      const kept = promised.split('\n').slice(0, -1);
      expect(kept.filter((key) => !map.has(key))).toEqual([]);
      expect(existsSync(`${path}.new`)).toBe(false);
      await journal.close();
    }
    // Else the kills came at other times, and nothing was shown.
    expect(fresh).toBeGreaterThan(0);
  }, 60_000);
});
