import { type Column, table } from '../src/cli/columns.ts';
import { type Line, type Unit, verdict } from './figures.ts';

/** Lines of results as text: a table of 120 columns for people at a terminal, cells for the README. Pure. */

const DIGITS: Readonly<Record<Unit, number>> = { x: 2, KB: 2, us: 0, count: 0 };
const SIGNS: Readonly<Record<Unit, string>> = { x: ' x', KB: ' KB', us: ' us', count: '' };

/** `1.43 x`, `1.21 KB`, `0`, or `-` where nothing was measured. */
export function valueText({ value, unit }: Line): string {
  return value ? value.median.toFixed(DIGITS[unit]) + SIGNS[unit] : '-';
}

/** `1.40-1.47`; nothing where there was but one measurement. */
export function rangeText({ value, unit }: Line): string {
  if (!value || value.low === value.high) return '';
  return `${value.low.toFixed(DIGITS[unit])}-${value.high.toFixed(DIGITS[unit])}`;
}

/** `>= 1.15`, `<= 2.5`. */
export function boundText({ bound }: Line): string {
  if (!bound) return '';
  return 'atLeast' in bound ? `>= ${bound.atLeast}` : `<= ${bound.atMost}`;
}

/** 12,345. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

const COLUMNS: readonly Column<Line>[] = [
  { head: 'load', cell: ({ load }) => load, give: 40 },
  { head: 'measured', cell: valueText, right: true },
  { head: 'min-max', cell: rangeText, right: true },
  { head: 'bound', cell: boundText },
  { head: 'verdict', cell: verdict },
  { head: 'figures', cell: ({ detail }) => detail, give: 30 },
];

/** The table, 120 columns wide at most. */
export function resultTable(lines: readonly Line[]): string[] {
  return table(lines, COLUMNS);
}
