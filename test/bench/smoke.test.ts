import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXTRA_KEYS } from '../../bench/extra.ts';
import type { Line } from '../../bench/figures.ts';
import type { Machine } from '../../bench/machine.ts';
import { published } from '../../bench/publish.ts';
import { NO_REDIS } from '../support/redis.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(join(ROOT, 'bench/README.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'longshore-test-'));

/** Keys of what a smoke run cannot measure. */
const ABSENT = NO_REDIS === undefined ? /^reload/ : /^(reload|channel)/;

type Results = { readonly machine: Machine; readonly lines: readonly Line[] };

/** `npm run bench -- …` */
async function bench(...args: string[]): Promise<{ code: number | null; output: string }> {
  const command = ['--conditions=longshore-source', 'bench/run.ts', ...args];
  const stdio = ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'];
  const child = spawn(process.execPath, command, { cwd: ROOT, stdio });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, output };
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a smoke run of all benches', () => {
  const file = join(folder, 'results.json');
  let run: Awaited<ReturnType<typeof bench>>;
  let results: Results;

  beforeAll(async () => {
    run = await bench('--smoke', '--json', file);
    if (run.code !== 0) throw new Error(run.output);
    results = JSON.parse(readFileSync(file, 'utf8')) as Results;
  }, 120_000);

  it('says that its figures mean nothing', () => {
    expect(run.output).toContain('A smoke run: the figures mean nothing.');
    expect(run.output).not.toMatch(/pass|MISSED/);
  });

  it('measures everything but what needs a network namespace, or a Redis that is not there', () => {
    const missing = results.lines.filter(({ value }) => value === undefined);
    expect(missing.map(({ key }) => key)).toEqual(
      results.lines.map(({ key }) => key).filter((key) => ABSENT.test(key)),
    );
    expect(missing.length).toBe(NO_REDIS === undefined ? 8 : 12);
    for (const { value } of results.lines) {
      if (value) expect([value.low, value.median, value.high].every(Number.isFinite)).toBe(true);
    }
  });

  it('gives a line for each row of the README, and publishing finds a place for each', () => {
    const rows = [...README.matchAll(/<!-- results (\S+) -->/g)].map(([, key]) => key);
    expect(rows).toEqual([...results.lines.map(({ key }) => key), ...EXTRA_KEYS]);
    expect(published(README, results.lines, results.machine)).toContain(results.machine.date);
  });

  it('prints lines of 120 characters at most', () => {
    const widths = run.output.split('\n').map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(120);
  });
});

describe('the command line', () => {
  it.each([
    [['nonsense'], 'there is no bench "nonsense"'],
    [['--nonsense'], "Unknown option '--nonsense'"],
    [['--quick', '--publish'], 'a quick run is not for publishing'],
  ])('refuses %j and says what there is', async (args, message) => {
    const { code, output } = await bench(...args);
    expect(code).toBe(2);
    expect(output).toContain(message);
    expect(output).toContain('--json FILE');
  });
});
