import { stripVTControlCharacters } from 'node:util';

/**
 * Compares what a page shows with what was really printed. Process ids, dates, times, sizes and versions differ from
 * run to run, so they are taken out of both; a line `...` on the page stands for any number of lines.
 */

/** How the page calls what has another name while it is tested. */
export type Names = readonly (readonly [real: string, written: string])[];

/** What differs, as lines to read; `undefined` if nothing does. */
export function difference(shown: string, printed: string, names: Names): string | undefined {
  const expected = shapes(shown, []);
  const actual = shapes(printed, names);
  if (matches(expected, actual)) return undefined;
  return `the page shows\n\n${expected.join('\n')}\n\nbut this was printed\n\n${actual.join('\n')}\n`;
}

function matches(expected: readonly string[], actual: readonly string[]): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return actual.length === 0;
  if (first === '...')
    return actual.some((_, i) => matches(rest, actual.slice(i))) || rest.length === 0;
  return actual[0] === first && matches(rest, actual.slice(1));
}

const TAKEN_OUT: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+Z)?/g, 'TIME'],
  [/\b\d\d:\d\d:\d\d\.\d+/g, 'TIME'],
  [/\bpid(":|=|[: ]) ?\d+/g, 'pid$1N'],
  [/^ *\d+ (?=[\dA-Za-z])/g, 'N '],
  [/-[0-9a-f]{12}\b/g, '-HASH'],
  [/\b\d+(\.\d+)+/g, 'N'],
  [/\b\d{4,}\b/g, 'N'],
  [/-{3,}/g, '---'],
  [/\s+/g, ' '],
];

function shapes(text: string, names: Names): string[] {
  let plain = stripVTControlCharacters(text);
  for (const [real, written] of names) plain = plain.replaceAll(real, written);
  return plain
    .trimEnd()
    .split('\n')
    .map((line) => TAKEN_OUT.reduce((rest, [what, by]) => rest.replaceAll(what, by), line).trim());
}
