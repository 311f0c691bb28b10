import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './doc-running.ts';
import type { Snippet } from './snippets.ts';

/**
 * Type-checks all TypeScript of the manual in one go.
 *
 * A fragment (`run: types`) stands inside a function; what it uses without making it is declared by the directive:
 * `connection="TcpConnection<string, string>"`. Every public name can be used there without an import.
 *
 * @returns what is wrong, by file
 */
export async function typeErrors(snippets: readonly Snippet[]): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(ROOT, '.test-types-'));
  try {
    const places = new Map<string, string>();
    for (const [i, snippet] of snippets.entries()) {
      if (snippet.language !== 'ts' || snippet.kind === 'none') continue;
      const name = `snippet-${i}.ts`;
      places.set(name, `${snippet.page}:${snippet.line}`);
      const code = snippet.kind === 'types' ? fragment(snippet) : `${snippet.code}export {};\n`;
      writeFileSync(join(folder, name), code);
    }
    // tsc takes a folder without any program for a mistake; a single page may have none.
    if (places.size === 0) return new Map();
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG));
    return errorsOf(await tsc(folder), places);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const CONFIG = {
  extends: '../tsconfig.json',
  compilerOptions: {
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  include: ['*.ts'],
};

/** Options of a directive that are no declarations. */
const OWN = ['scene', 'file', 'needs', 'reason'];

function fragment({ code, options }: Snippet): string {
  const isImport = (line: string) => line.startsWith('import ');
  const lines = code.split('\n');
  const declared = options.except(...OWN).map(([name, type]) => `declare const ${name}: ${type};`);
  const imported = lines.filter(isImport).join('\n');
  const used = [...declared, ...lines.filter((line) => !isImport(line))].join('\n');
  const names = publicNames()
    .filter(({ name }) => has(used, name) && !has(imported, name))
    .map(({ name, isType }) => (isType ? `type ${name}` : name));
  return [
    `import { ${names.join(', ')} } from 'longshore';`,
    imported,
    ...declared,
    'async function fragment() {',
    ...lines.filter((line) => !isImport(line)),
    '}',
    'void fragment;',
  ].join('\n');
}

const has = (text: string, name: string) => new RegExp(`\\b${name}\\b`).test(text);

/** What `longshore` exports, read from its list of names. */
export function publicNames(): { name: string; isType: boolean }[] {
  const index = readFileSync(join(ROOT, 'src/index.ts'), 'utf8');
  return [...index.matchAll(/export (type )?\{([^}]*)\}/g)].flatMap(([, type, list = '']) =>
    list
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
      .map((entry) => ({
        name: entry.replace(/^type /, ''),
        isType: type !== undefined || entry.startsWith('type '),
      })),
  );
}

async function tsc(folder: string): Promise<string> {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  await new Promise((done) => child.on('close', done));
  return output;
}

function errorsOf(output: string, places: ReadonlyMap<string, string>): Map<string, string> {
  const errors = new Map<string, string>();
  for (const line of output.split('\n')) {
    const [, name = '', rest = ''] = /(?:^|\/)(snippet-\d+\.ts)(.*)$/.exec(line) ?? [];
    const place = places.get(name) ?? (line.includes('error') ? 'tsc' : undefined);
    if (place === undefined) continue;
    errors.set(place, `${errors.get(place) ?? ''}${place}: ${name === '' ? line : rest}\n`);
  }
  return errors;
}
