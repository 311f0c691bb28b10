import type { Line } from './figures.ts';
import { verdict } from './figures.ts';
import { type Machine, machineText } from './machine.ts';
import { boundText, rangeText, valueText } from './report.ts';

/**
 * Puts results into the README, in place. Pure.
 *
 * What is rewritten has a mark that a reader does not see: `<!-- machine -->` behind what some rows were measured with,
 * `<!-- results KEY -->` in the last cell of a table's row, and `<!-- others KEY -->` behind what somebody else does
 * better. What was not measured stays as it is, and keeps the letter of the machine that it comes from.
 */
export function published(text: string, lines: readonly Line[], machine: Machine): string {
  const before = text.split('\n');
  const about = machineText(machine);
  const known = machinesOf(before);
  const source = known.find((each) => each.about === about) ?? { letter: freeLetter(known), about };
  let rows: readonly string[] = before;
  for (const line of lines)
    rows = replaced(rows, `<!-- results ${line.key} -->`, row(line, source.letter));
  const all = known.includes(source) ? known : [...known, source];
  return others(withMachines(rows, all), lines).join('\n');
}

/** What rows with this letter were measured with. */
type Source = { readonly letter: string; readonly about: string };

const SOURCE = /^- (?<letter>[A-Z]): (?<about>.*)\. <!-- machine -->$/;
const SOURCES_END = '<!-- end of machines -->';

function machinesOf(rows: readonly string[]): Source[] {
  return rows.flatMap((each) => {
    const groups = SOURCE.exec(each)?.groups;
    return groups ? [groups as Source] : [];
  });
}

function freeLetter(known: readonly Source[]): string {
  const free = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].find(
    (each) => !known.some(({ letter }) => letter === each),
  );
  if (free === undefined) throw new Error('the README has no letter left for another machine');
  return free;
}

/** Lists the machines that rows come from, and no others. */
function withMachines(rows: readonly string[], all: readonly Source[]): string[] {
  const kept = rows.filter((each) => !SOURCE.test(each));
  const at = placeOf(kept, SOURCES_END);
  const used = all.filter(({ letter }) =>
    kept.some((each) => each.includes(`| ${letter} <!-- results `)),
  );
  const listed = used.map(({ letter, about }) => `- ${letter}: ${about}. <!-- machine -->`);
  return kept.toSpliced(at, 0, ...listed);
}

function placeOf(rows: readonly string[], mark: string): number {
  const at = rows.findIndex((each) => each.includes(mark));
  if (at === -1) throw new Error(`the README has no ${mark}`);
  return at;
}

function replaced(rows: readonly string[], mark: string, by: string): string[] {
  return rows.with(placeOf(rows, mark), by);
}

function row(line: Line, letter: string): string {
  const judged = verdict(line) === 'MISSED' ? '**missed**' : verdict(line);
  const bound = [boundText(line), judged].filter((each) => each !== '').join(', ');
  const last = `${letter} <!-- results ${line.key} -->`;
  return `| ${[line.load, valueText(line), rangeText(line), bound, line.detail, last].join(' | ')} |`;
}

const END = '<!-- end of others -->';

/** Rewrites what is said about the measured ones; what is new goes to the end. */
function others(rows: readonly string[], lines: readonly Line[]): string[] {
  const measured = lines.map(({ key }) => `<!-- others ${key} -->`);
  const kept = rows.filter((each) => !measured.some((mark) => each.includes(mark)));
  return kept.toSpliced(placeOf(kept, END), 0, ...lines.flatMap(better));
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
