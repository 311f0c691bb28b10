import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from '../support/doc-running.ts';
import { publicNames, typeErrors } from '../support/doc-types.ts';
import type { Snippet } from '../support/snippets.ts';

const PAGE = 'docs/workerman.md';

/** Names of ours in the second column: `Class.member`, or `Class`. */
function shown(): string[] {
  const rows = readFileSync(join(ROOT, PAGE), 'utf8').split('\n');
  const cells = rows.filter((row) => row.startsWith('|')).map((row) => row.split(' | ')[1] ?? '');
  return cells.flatMap((cell) =>
    [...cell.matchAll(/`([A-Z]\w+(?:\.\w+)?|staticFiles)`/g)].map(([, name]) => name as string),
  );
}

/** A program that does not compile if one of them is not there. */
function program(names: readonly string[]): string {
  const lines = names
    .filter((name) => !name.startsWith('LONGSHORE'))
    .map((name) => {
      const [type = '', member] = name.split('.');
      if (member === undefined) return `void L.${type};`;
      if (TYPES.has(type))
        return `true satisfies '${member}' extends keyof L.${type} ? true : false;`;
      return `true satisfies '${member}' extends keyof typeof L.${type} | Of<typeof L.${type}> ? true : false;`;
    });
  return `import * as L from 'longshore';\n${MADE}\n${[...new Set(lines)].join('\n')}\n`;
}

const TYPES = new Set(
  publicNames()
    .filter(({ isType }) => isType)
    .map(({ name }) => name),
);
/** Members of what a class makes. */
const MADE =
  'type Of<T> = T extends abstract new (...given: never[]) => infer I ? keyof I : never;';

async function errors(code: string): Promise<string> {
  const snippet = { page: PAGE, line: 1, language: 'ts', kind: 'file', code } as unknown as Snippet;
  return [...(await typeErrors([snippet])).values()].join('\n');
}

describe('the names on the page for those who come from Workerman', () => {
  it('are all there', async () => {
    const names = shown();
    expect(names.length).toBeGreaterThan(90);
    expect(await errors(program(names))).toBe('');
  }, 30_000);

  it('would be missed', async () => {
    expect(await errors(program(['Worker.cuont', 'GatewayClient.sendToNobody']))).toMatch(/error/);
  }, 30_000);
});
