import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The fenced blocks of the manual's pages, and what is to be done with each of them.
 *
 * A block says so in a comment above it, which readers do not see: `<!-- run: KIND name=value name="a value" -->`.
 *
 *     server   a whole program: started with the command line, checked, stopped
 *     client   a program that ends by itself, run by Node
 *     shell    commands for bash; they have to succeed
 *     file     written down for the other blocks of its scene
 *     types    a fragment that only has to type-check
 *     none     not run, with a `reason`
 *
 * Blocks of one page with the same `scene` share a folder, ports and processes, and are run in the order of the page.
 * A `console` block right below shows what is printed. `doc-scene.ts` says what the other options mean.
 */

const KINDS = ['server', 'client', 'shell', 'file', 'types', 'none'] as const;
export type Kind = (typeof KINDS)[number];

/** Languages whose blocks have to say what is done with them. */
export const EXECUTED: readonly string[] = ['ts', 'js', 'sh', 'html', 'json'];

export type Snippet = {
  /** File name of the page. */
  readonly page: string;
  /** Where its fence begins, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  readonly kind: Kind | undefined;
  readonly options: Options;
  /** The `console` block right below. */
  readonly output: string | undefined;
};

/** Options of a directive; each may be given several times. */
export class Options {
  readonly #values: readonly (readonly [string, string])[];

  constructor(values: readonly (readonly [string, string])[]) {
    this.#values = values;
  }

  all(name: string): string[] {
    return this.#values.filter(([each]) => each === name).map(([, value]) => value);
  }

  one(name: string): string | undefined {
    return this.all(name)[0];
  }

  /** All of them except those named. */
  except(...names: string[]): (readonly [string, string])[] {
    return this.#values.filter(([name]) => !names.includes(name));
  }
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every page of the manual, and the package's README where there is one. */
export function pages(): string[] {
  const manual = readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => join(ROOT, 'docs', name));
  const own = readdirSync(ROOT).filter((name) => name === 'README.md');
  return [...manual, ...own.map((name) => join(ROOT, name))];
}

/** How a page is called in the names of tests. */
export function pageName(file: string): string {
  return file.startsWith(join(ROOT, 'docs')) ? `docs/${basename(file)}` : basename(file);
}

export function snippetsOf(file: string): Snippet[] {
  return parsed(readFileSync(file, 'utf8'), pageName(file));
}

type Block = { line: number; end: number; language: string; code: string };

/** Reads the blocks of a page. @throws for a fence without end and for a directive that cannot be read */
export function parsed(markdown: string, page: string): Snippet[] {
  const lines = markdown.split('\n');
  const blocks = blocksOf(lines, page);
  return blocks.map((block, i) => {
    const directive = directiveAbove(lines, block.line, page);
    const next = blocks[i + 1];
    const isNext = next?.language === 'console' && isBlank(lines.slice(block.end, next.line - 1));
    return {
      page,
      line: block.line,
      language: block.language,
      code: block.code,
      kind: directive?.kind,
      options: directive?.options ?? new Options([]),
      output: isNext ? next?.code : undefined,
    };
  });
}

function blocksOf(lines: readonly string[], page: string): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const opened = /^( *)```([\w-]*)$/.exec(lines[at] as string);
    if (!opened) continue;
    const [, indent = '', language = ''] = opened;
    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    if (end === -1) throw new Error(`${page}:${at + 1}: this fence has no end`);
    const code = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
    blocks.push({ line: at + 1, end: end + 1, language, code: `${code.join('\n')}\n` });
    at = end;
  }
  return blocks;
}

const isBlank = (lines: readonly string[]) => lines.every((line) => line.trim() === '');

/** The directive whose comment ends in the line above a fence. */
function directiveAbove(
  lines: readonly string[],
  fence: number,
  page: string,
): { kind: Kind; options: Options } | undefined {
  let from = fence - 2;
  if (!(lines[from] ?? '').trim().endsWith('-->')) return undefined;
  while (from >= 0 && !(lines[from] as string).includes('<!--')) from -= 1;
  const text = lines.slice(from, fence - 1).join(' ');
  const match = /^\s*<!-- run: (\w+)(.*)-->\s*$/s.exec(text);
  if (!match) return undefined;
  const [, kind = '', rest = ''] = match;
  if (!(KINDS as readonly string[]).includes(kind))
    throw new Error(`${page}:${from + 1}: "${kind}" is none of ${KINDS.join(', ')}`);
  return { kind: kind as Kind, options: new Options(optionsOf(rest, `${page}:${from + 1}`)) };
}

function optionsOf(text: string, where: string): (readonly [string, string])[] {
  const found = [...text.matchAll(/([\w-]+)=(?:"([^"]*)"|([^\s"]+))/g)];
  const rest = text.replaceAll(/([\w-]+)=(?:"([^"]*)"|([^\s"]+))/g, '').trim();
  if (rest !== '') throw new Error(`${where}: cannot read "${rest}"`);
  return found.map(([, name = '', quoted, plain]) => [name, quoted ?? plain ?? ''] as const);
}
