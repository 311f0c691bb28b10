import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What tests ask of a Markdown page: its tables, its headings, its links. Code is left out. */

/** The cells of every table row, without header rows; `section` is the text of a `##` heading. */
export function rows(file: string, section?: string): string[][] {
  const lines = prose(readFileSync(file, 'utf8')).split('\n');
  const from = section === undefined ? 0 : lines.indexOf(`## ${section}`) + 1;
  if (section !== undefined && from === 0)
    throw new Error(`${basename(file)} has no heading "## ${section}"`);
  const next = lines.findIndex((line, i) => i >= from && line.startsWith('## '));
  const wanted = lines.slice(from, section === undefined || next === -1 ? undefined : next);
  const isRow = (line: string | undefined) => line?.startsWith('|') ?? false;
  return wanted
    .filter((line, i) => isRow(line) && !isRule(line) && !isRule(wanted[i + 1] ?? ''))
    .map((line) => line.replaceAll('\\|', '/').split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

const isRule = (line: string): boolean => /^\|[\s:|-]+\|$/.test(line);

/** What stands in backticks, if it is all that stands in a cell. */
export function quoted(cell: string | undefined): string | undefined {
  return /^`([^`]+)`$/.exec(cell ?? '')?.[1];
}

/** The first cells, without backticks. */
export function firstCells(file: string, section?: string): string[] {
  return rows(file, section).map(([first]) => quoted(first) ?? first ?? '');
}

/** Links of a page to files of this repository that lead nowhere. */
export function brokenLinks(file: string): string[] {
  const text = prose(readFileSync(file, 'utf8')).replaceAll(/`[^`\n]*`/g, '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return links
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const to = path === '' ? file : join(dirname(file), path);
      return !existsSync(to) || (anchor !== undefined && !anchors(to).includes(anchor));
    })
    .map((target) => `${basename(file)}: ${target}`);
}

/** The anchors that headings get where Markdown is shown. */
function anchors(file: string): string[] {
  return prose(readFileSync(file, 'utf8'))
    .split('\n')
    .flatMap((line) => /^#+ (.*)$/.exec(line)?.[1] ?? [])
    .map((heading) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, ''))
    .map((heading) => heading.replaceAll(' ', '-'));
}

/** The page without its blocks of code and its comments. */
function prose(markdown: string): string {
  return markdown.replaceAll(/^( *)```.*?^\1```$/gms, '').replaceAll(/<!--.*?-->/gs, '');
}
