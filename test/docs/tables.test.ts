import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { ENV, EXIT } from '../../src/contract.ts';
import { catalogue } from '../../src/errors.ts';
import { CALLS } from '../../src/master/admin-routes.ts';
import { METRICS } from '../../src/master/metric-catalogue.ts';
import { OPTIONS } from '../../src/worker-options.ts';
import { brokenLinks, firstCells, quoted, rows } from '../support/pages.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const page = (name: string) => join(ROOT, 'docs', name);

describe('the tables of the manual', () => {
  it('have every error code, and whose fault it is', () => {
    const shown = rows(page('errors.md'), 'All codes').map(([code, whose]) => [
      quoted(code),
      whose,
    ]);
    expect(shown.sort()).toEqual(Object.entries(catalogue).sort());
  });

  it('have every metric, and its type', () => {
    const shown = rows(page('status-and-metrics.md'))
      .map(([name, type]) => [quoted(name) ?? '', type])
      .filter(([name]) => name?.startsWith('longshore_'));
    expect(shown.sort()).toEqual(
      METRICS.map(({ name, type }) => [`longshore_${name}`, type]).sort(),
    );
  });

  it('have every call of the admin port', () => {
    const shown = firstCells(page('status-and-metrics.md'), 'The admin port');
    expect(shown.filter((each) => /^[A-Z]+ \//.test(each)).sort()).toEqual([...CALLS].sort());
  });

  it('have every environment variable', () => {
    const shown = firstCells(page('start-and-stop.md'), 'Environment variables');
    expect(shown.filter((each) => each.startsWith('LONGSHORE_')).sort()).toEqual(
      Object.values(ENV).sort(),
    );
  });

  it('have every exit code', () => {
    const shown = firstCells(page('start-and-stop.md'), 'Exit codes');
    expect(shown.map(Number).sort()).toEqual(Object.values(EXIT).sort());
  });

  it('have every option of a Worker', () => {
    const shown = firstCells(page('worker.md'));
    expect(OPTIONS.filter((option) => !shown.includes(option))).toEqual([]);
  });

  it('have every page in the index', () => {
    const index = rows(page('README.md')).map(([link]) => /\]\((.*)\)/.exec(link ?? '')?.[1]);
    const others = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
    expect(index.sort()).toEqual(others.filter((name) => name !== 'README.md').sort());
  });
});

describe('links', () => {
  const manual = readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map(page);
  const others = [
    'README.md',
    'examples/README.md',
    'DESIGN.md',
    'CONTRIBUTING.md',
    'bench/README.md',
  ];

  it('lead to files and headings that exist', () => {
    const files = [...manual, ...others.map((name) => join(ROOT, name))];
    expect(files.filter((file) => existsSync(file)).flatMap(brokenLinks)).toEqual([]);
  });
});
