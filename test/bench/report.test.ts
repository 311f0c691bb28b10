import { describe, expect, it } from '@jest/globals';
import { type Line, spreadOf } from '../../bench/figures.ts';
import type { Machine } from '../../bench/machine.ts';
import { published } from '../../bench/publish.ts';
import { resultTable } from '../../bench/report.ts';

const echo: Line = {
  key: 'echo',
  load: 'echo, beside ws',
  unit: 'x',
  value: spreadOf([1.4, 1.5, 1.61]),
  bound: { atLeast: 1.15 },
  detail: '150 : 100 per CPU-s',
  versus: 'ws',
};
const fast: Line = { ...echo, key: 'fast', load: 'echo, beside net', value: spreadOf([0.5]) };
const ram: Line = {
  key: 'ram',
  load: 'per idle connection: ws',
  unit: 'KB',
  value: spreadOf([7.456]),
  detail: '',
  versus: 'ws',
  ours: 2,
};
const none: Line = {
  key: 'none',
  load: 'reload',
  unit: 'count',
  value: undefined,
  bound: { atMost: 0 },
  detail: 'needs root',
};

describe('the table of results', () => {
  it('shows median, range, bound, verdict and figures', () => {
    expect(resultTable([echo, ram, none])).toEqual([
      'load                    measured   min-max bound   verdict figures',
      'echo, beside ws           1.50 x 1.40-1.61 >= 1.15 pass    150 : 100 per CPU-s',
      'per idle connection: ws  7.46 KB',
      'reload                         -           <= 0    skipped needs root',
    ]);
  });

  it('fits 120 columns, however long the texts are', () => {
    const long = { ...echo, load: 'l'.repeat(90), detail: 'd'.repeat(90) };
    const widths = resultTable([long, echo]).map((line) => line.length);
    expect(Math.max(...widths)).toBe(120);
  });
});

const machine: Machine = {
  longshore: '1.0.0',
  node: 'v24.0.0',
  ws: '8.0.0',
  kernel: 'linux 6.1',
  cpu: '2 x Some CPU',
  date: '2026-01-02',
};

const README = `# Benches
- B: another. <!-- machine -->
<!-- end of machines -->
| load | measured | min-max | bound | figures | by |
|---|---|---|---|---|---|
| echo | - | | | | B <!-- results echo --> |
| fast | - | | | | <!-- results fast --> |
| ram | 9 | | | kept | B <!-- results ram --> |
## Where others are better
- kept <!-- others ram -->
- not any more <!-- others echo -->
<!-- end of others -->
the end
`;

describe('publishing', () => {
  const once = published(README, [echo, fast], machine);

  it('rewrites the rows that were measured, where they are, and leaves the others alone', () => {
    expect(once.split('\n').slice(4, 9)).toEqual([
      '| load | measured | min-max | bound | figures | by |',
      '|---|---|---|---|---|---|',
      '| echo, beside ws | 1.50 x | 1.40-1.61 | >= 1.15, pass | 150 : 100 per CPU-s | A <!-- results echo --> |',
      '| echo, beside net | 0.50 x |  | >= 1.15, **missed** | 150 : 100 per CPU-s | A <!-- results fast --> |',
      '| ram | 9 | | | kept | B <!-- results ram --> |',
    ]);
  });

  const OURS =
    '- A: Longshore 1.0.0, Node v24.0.0, ws 8.0.0, linux 6.1, 2 x Some CPU, 2026-01-02. <!-- machine -->';

  it('says with what each row was measured, and names no machine that no row comes from', () => {
    expect(once.split('\n').slice(1, 4)).toEqual([
      '- B: another. <!-- machine -->',
      OURS,
      '<!-- end of machines -->',
    ]);
    const all = published(once, [echo, fast, ram], machine);
    expect(all.split('\n').slice(1, 3)).toEqual([OURS, '<!-- end of machines -->']);
    const later = published(all, [ram], { ...machine, date: '2026-01-03' });
    expect(later.split('\n').slice(1, 3)).toEqual([
      OURS,
      OURS.replace('A:', 'B:').replace('01-02', '01-03'),
    ]);
  });

  it('names who does better, and no longer those who do not', () => {
    expect(once.split('\n').slice(9)).toEqual([
      '## Where others are better',
      '- kept <!-- others ram -->',
      '- echo, beside net: ws does 2.00 times as much with the same CPU time. <!-- others fast -->',
      '<!-- end of others -->',
      'the end',
      '',
    ]);
  });

  it('compares memory with our own', () => {
    const said = (line: Line) => published(README, [line], machine).includes('others ram');
    expect(said(ram)).toBe(false);
    const smaller = published(README, [{ ...ram, ours: 8 }], machine);
    expect(smaller).toContain(
      '- Memory per idle connection: ws 7.46 KB, Longshore 8.00 KB. <!-- others ram -->',
    );
  });

  it('changes nothing when it is done again', () => {
    expect(published(once, [echo, fast], machine)).toBe(once);
  });

  it('shows what could not be measured as that', () => {
    const text = published(README, [{ ...none, key: 'ram' }], machine);
    expect(text).toContain(
      '| reload | - |  | <= 0, skipped | needs root | A <!-- results ram --> |',
    );
  });

  it('refuses a README that has no place for a result', () => {
    expect(() => published(README, [none], machine)).toThrow('no <!-- results none -->');
    expect(() => published('', [], machine)).toThrow('no <!-- end of machines -->');
    expect(() => published('<!-- end of machines -->', [], machine)).toThrow('end of others');
  });
});
