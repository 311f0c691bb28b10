import type { Line } from './figures.ts';
import { verdict } from './figures.ts';
import { type Machine, machineText } from './machine.ts';
import { boundText, rangeText, valueText } from './report.ts';

/**
 * Puts results into the README, in place. Pure.
 *
 * Lines that are rewritten end with a mark that a reader does not see: `<!-- machine -->`, `<!-- results KEY -->` in the
 * last cell of a table's row, and `<!-- others KEY -->` behind what somebody else does better. What was not measured
 * stays as it is.
 */
export function published(text: string, lines: readonly Line[], machine: Machine): string {
  const about = `Measured with ${machineText(machine)}. <!-- machine -->`;
  let rows = replaced(text.split('\n'), '<!-- machine -->', about);
  for (const line of lines) rows = replaced(rows, `<!-- results ${line.key} -->`, row(line));
  return others(rows, lines).join('\n');
}

function replaced(rows: readonly string[], mark: string, by: string): string[] {
  if (!rows.some((each) => each.includes(mark))) throw new Error(`the README has no ${mark}`);
  return rows.map((each) => (each.includes(mark) ? by : each));
}

function row(line: Line): string {
  const judged = verdict(line) === 'MISSED' ? '**missed**' : verdict(line);
  const bound = [boundText(line), judged].filter((each) => each !== '').join(', ');
  const figures = `${line.detail} <!-- results ${line.key} -->`;
  return `| ${[line.load, valueText(line), rangeText(line), bound, figures].join(' | ')} |`;
}

const END = '<!-- end of others -->';

/** Rewrites what is said about the measured ones; what is new goes to the end. */
function others(rows: readonly string[], lines: readonly Line[]): string[] {
  const measured = lines.map(({ key }) => `<!-- others ${key} -->`);
  const kept = rows.filter((each) => !measured.some((mark) => each.includes(mark)));
  const at = kept.findIndex((each) => each.includes(END));
  if (at === -1) throw new Error(`the README has no ${END}`);
  return kept.toSpliced(at, 0, ...lines.flatMap(better));
}

/** What the other side does better, in a sentence. */
function better({ key, load, unit, value, versus, ours }: Line): string[] {
  if (!value || versus === undefined) return [];
  const mark = `<!-- others ${key} -->`;
  if (unit === 'x' && value.median < 1) {
    const times = (1 / value.median).toFixed(2);
    return [`- ${load}: ${versus} does ${times} times as much with the same CPU time. ${mark}`];
  }
  if (unit === 'KB' && ours !== undefined && value.median < ours) {
    const [less, more] = [value.median, ours].map((kb) => kb.toFixed(2));
    return [`- Memory per idle connection: ${versus} ${less} KB, Longshore ${more} KB. ${mark}`];
  }
  return [];
}
