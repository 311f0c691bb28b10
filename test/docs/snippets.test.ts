import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { installed, removeShims } from '../support/doc-running.ts';
import { Scene } from '../support/doc-scene.ts';
import { typeErrors } from '../support/doc-types.ts';
import { EXECUTED, pages, type Snippet, snippetsOf } from '../support/snippets.ts';

/** Scenes that run at the same time. */
const AT_ONCE = 3;
const LONGEST_MS = 180_000;

const all = pages()
  .filter((page) => page.includes(process.env['PAGE'] ?? ''))
  .flatMap(snippetsOf)
  .filter(({ language, kind }) => EXECUTED.includes(language) || kind !== undefined);

const where = ({ page, line }: Snippet) => `${page}:${line}`;

/** Why a block is not run here; `undefined` if it is. */
function whyNot({ kind, options }: Snippet): string | undefined {
  if (kind === 'none') return options.one('reason') ?? 'no reason given';
  const needs = options.all('needs');
  if (needs.includes('root') && process.getuid?.() !== 0) return 'it needs root';
  const missing = needs.find((program) => program !== 'root' && !installed(program));
  return missing === undefined ? undefined : `${missing} is not installed`;
}

/** Blocks by scene; those without one are on their own. A scene with a block that cannot be run is left out. */
function scenes(): Snippet[][] {
  const found = new Map<string, Snippet[]>();
  for (const snippet of all) {
    if (snippet.kind === undefined || snippet.kind === 'none' || snippet.kind === 'types') continue;
    const scene = snippet.options.one('scene');
    const key = scene === undefined ? where(snippet) : `${snippet.page} ${scene}`;
    found.set(key, [...(found.get(key) ?? []), snippet]);
  }
  return [...found.values()].filter((scene) => scene.every((each) => whyNot(each) === undefined));
}

const results = new Map<Snippet, PromiseWithResolvers<void>>();
const isRun = (snippet: Snippet) => results.has(snippet);
const planned = scenes();
for (const snippet of planned.flat()) {
  const result = Promise.withResolvers<void>();
  result.promise.catch(() => {});
  results.set(snippet, result);
}

function told(snippet: Snippet, error: unknown): void {
  const result = results.get(snippet);
  if (error === undefined) result?.resolve();
  else result?.reject(error);
}

async function work(queue: Snippet[][]): Promise<void> {
  for (let scene = queue.shift(); scene; scene = queue.shift()) await Scene.run(scene, told);
}

let working: Promise<unknown> = Promise.resolve();
let wrongTypes: Promise<Map<string, string>> = Promise.resolve(new Map());

beforeAll(() => {
  wrongTypes = typeErrors(all);
  wrongTypes.catch(() => {});
  const queue = [...planned];
  working = Promise.all(Array.from({ length: AT_ONCE }, () => work(queue)));
});

afterAll(async () => {
  await working;
  removeShims();
}, LONGEST_MS);

describe('the manual', () => {
  it('says of every block of code what is done with it', () => {
    const silent = all.filter(({ kind }) => kind === undefined).map(where);
    expect(silent).toEqual([]);
  });

  it('shows only code that type-checks', async () => {
    expect([...(await wrongTypes).values()].join('\n')).toBe('');
  }, 60_000);

  for (const snippet of all.filter(isRun)) {
    const name = `${where(snippet)} ${snippet.kind}: ${snippet.code.split('\n')[0]}`;
    it(name, () => results.get(snippet)?.promise, LONGEST_MS);
  }

  const left = all.filter((each) => !isRun(each) && each.kind !== 'types' && each.kind);
  for (const snippet of left) {
    const reason = whyNot(snippet) ?? 'another block of its scene cannot be run';
    it.skip(`${where(snippet)} is not run: ${reason}`, () => {});
  }

  it('gives a reason for every block that is not run', () => {
    const list = left.map((each) => `  ${where(each)}: ${whyNot(each) ?? 'part of such a scene'}`);
    const types = all.filter(({ kind }) => kind === 'types').length;
    console.log(
      `${results.size} blocks run, ${types} only type-checked, ${left.length} not run:\n${list.join('\n')}`,
    );
    expect(list.filter((each) => each.includes('no reason given'))).toEqual([]);
  });
});
