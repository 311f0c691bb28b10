import { describe, expect, it } from '@jest/globals';
import { bytes, headline, table } from '../../src/cli/columns.ts';

type Row = { name: string; n: number };

describe('table', () => {
  const rows: Row[] = [
    { name: 'a', n: 5 },
    { name: 'bravo', n: 1000 },
  ];
  const columns = [
    { head: 'name', cell: (row: Row) => row.name },
    { head: 'how\nmany', cell: (row: Row) => String(row.n), right: true },
  ];

  it('makes columns as wide as their widest cell, heads at the bottom, numbers to the right', () => {
    expect(table(rows, columns, [{ name: 'Sum', n: 1005 }])).toEqual([
      '       how',
      'name  many',
      'a        5',
      'bravo 1000',
      'Sum   1005',
    ]);
  });

  it('leaves no space at the end of a line', () => {
    const [head, line] = table([{ name: 'a', n: 1 }], [...columns].reverse());
    expect([head, line]).toEqual([' how', 'many name']);
    for (const each of table(rows, [...columns].reverse())) expect(each).toBe(each.trimEnd());
  });

  it('has its head also without rows', () => {
    expect(table([], columns)).toEqual(['      how', 'name many']);
  });

  it.each([
    ['abcd', 'abcd'],
    ['abcde', 'ab..'],
  ])('shows %j in four columns as %j', (name, shown) => {
    const cut = [{ head: 'n', cell: (row: Row) => row.name, max: 4 }];
    expect(table([{ name, n: 0 }], cut)).toEqual(['n', shown]);
  });
});

describe('bytes', () => {
  it.each([
    [0, '0B'],
    [1023, '1023B'],
    [1024, '1024B'],
    [1025, '1.0KB'],
    [1536, '1.5KB'],
    [1024 ** 2, '1024.0KB'],
    [1024 ** 2 + 1, '1.0MB'],
    [5.5 * 1024 ** 3, '5.5GB'],
    [2 * 1024 ** 4, '2.0TB'],
  ])('%i is %s', (value, text) => {
    expect(bytes(value)).toBe(text);
  });
});

describe('headline', () => {
  it.each(['NOW', 'GLOBAL STATUS', 'x'.repeat(200)])(
    'of %s is 120 columns wide at most',
    (text) => {
      expect(headline(text).length).toBeLessThanOrEqual(120);
      expect(headline(text).length).toBeGreaterThanOrEqual(118);
      expect(headline(text)).toMatch(/^---+ \w/);
    },
  );
});
