/** Widest line that a terminal is expected to show whole. */
export const WIDTH = 120;

/** One column of a table. */
export type Column<Row> = {
  /** One or two lines, cut at `\n`. */
  readonly head: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** Longer texts are cut, with `..` at the end. */
  readonly max?: number;
  /** Where the table is too wide: down to this width the column gives way. */
  readonly give?: number;
};

/**
 * A table as lines of at most `WIDTH`. Columns are as wide as their widest cell, one space apart; if that is too much,
 * those that can give way do.
 *
 * @param extra rows below the others, such as sums
 */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  extra: readonly Row[] = [],
): string[] {
  const cells = (row: Row) => columns.map(({ cell, max }) => cut(cell(row), max));
  const all = [...headRows(columns), ...rows.map(cells), ...extra.map(cells)];
  const widths = fitted(
    columns,
    columns.map((_, i) => Math.max(...all.map((row) => (row[i] as string).length))),
  );
  return all.map((row) => {
    const parts = row.map((cell, i) => {
      const width = widths[i] as number;
      const short = cut(cell, width);
      return columns[i]?.right ? short.padStart(width) : short.padEnd(width);
    });
    return parts.join(' ').trimEnd();
  });
}

/** Heads of one or two lines, the last line next to the body. */
function headRows<Row>(columns: readonly Column<Row>[]): string[][] {
  const heads = columns.map(({ head }) => head.split('\n'));
  const depth = Math.max(...heads.map((head) => head.length));
  return Array.from({ length: depth }, (_, i) =>
    heads.map((head) => head[i - (depth - head.length)] ?? ''),
  );
}

/** Takes what is too much from the widest column that can give, until it fits or none can. */
function fitted<Row>(columns: readonly Column<Row>[], widths: number[]): number[] {
  const room = WIDTH - (columns.length - 1);
  const sum = () => widths.reduce((total, width) => total + width, 0);
  while (sum() > room) {
    const spare = widths.map((width, i) => width - (columns[i]?.give ?? width));
    const most = Math.max(...spare);
    if (most <= 0) break;
    const at = spare.indexOf(most);
    widths[at] = (widths[at] as number) - 1;
  }
  return widths;
}

/** A text of at most `max` characters, with `..` where it was cut. */
export function cut(text: string, max: number = Number.POSITIVE_INFINITY): string {
  return text.length <= max ? text : `${text.slice(0, Math.max(0, max - 2))}..`;
}

/** A number of at most 9 characters: above 99,999,999 in millions, billions or trillions. */
export function count(value: number): string {
  if (value < 100_000_000) return String(value);
  const units: [number, string][] = [
    [1e15, 'P'],
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
  ];
  const [size, unit] = units.find(([each]) => value >= each * 10) ?? [1e6, 'M'];
  return `${(value / size).toFixed(1)}${unit}`;
}

/** Bytes as Workerman shows them: above 1024 in the next unit with one decimal, so 1024 itself is `1024B`. */
export function bytes(value: number): string {
  const units: [number, string][] = [
    [1024 ** 4, 'TB'],
    [1024 ** 3, 'GB'],
    [1024 ** 2, 'MB'],
    [1024, 'KB'],
  ];
  for (const [size, unit] of units) if (value > size) return `${(value / size).toFixed(1)}${unit}`;
  return `${value}B`;
}

/** A section's headline, 120 columns wide at most. */
export function headline(text: string): string {
  const side = '-'.repeat(Math.max(3, Math.floor((118 - text.length) / 2)));
  return `${side} ${text} ${side}`.slice(0, 120);
}
