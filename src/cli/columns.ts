/** One column of a table. */
export type Column<Row> = {
  /** One or two lines, cut at `\n`. */
  readonly head: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** Longer texts are cut, with `..` at the end. */
  readonly max?: number;
};

/**
 * A table as lines. Columns are as wide as their widest cell, one space apart.
 *
 * @param extra rows below a rule, such as sums
 */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  extra: readonly Row[] = [],
): string[] {
  const cells = (row: Row) => columns.map(({ cell, max }) => cut(cell(row), max));
  const heads = columns.map(({ head }) => head.split('\n'));
  const depth = Math.max(...heads.map((head) => head.length));
  const headRows = Array.from({ length: depth }, (_, i) =>
    heads.map((head) => head[i - (depth - head.length)] ?? ''),
  );
  const body = rows.map(cells);
  const feet = extra.map(cells);
  const widths = columns.map((_, i) =>
    Math.max(...[...headRows, ...body, ...feet].map((row) => (row[i] as string).length)),
  );
  const line = (row: string[]) =>
    row
      .map((cell, i) =>
        columns[i]?.right ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number),
      )
      .join(' ')
      .trimEnd();
  return [...headRows.map(line), ...body.map(line), ...feet.map(line)];
}

function cut(text: string, max = Number.POSITIVE_INFINITY): string {
  return text.length <= max ? text : `${text.slice(0, max - 2)}..`;
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
