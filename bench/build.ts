import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atExit } from './cleanup.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * The package as users install it: compiled, in a folder of its own. Servers are not run from the sources because Node
 * then loads its type stripper into each process; the memory that this leaves free would be filled by the connections
 * and hide a third of what they cost.
 */
export class Build {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'longshore-bench-'));

  constructor() {
    atExit(() => rmSync(this.folder, { recursive: true, force: true }));
    copyFileSync(join(ROOT, 'package.json'), join(this.folder, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
    const config = join(this.folder, 'tsconfig.json');
    writeFileSync(config, JSON.stringify(this.#config()));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', config], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the sources cannot be compiled:\n${stdout}`);
  }

  #config(): object {
    return {
      extends: join(ROOT, 'tsconfig.build.json'),
      compilerOptions: {
        rootDir: ROOT,
        outDir: join(this.folder, 'dist'),
        customConditions: ['longshore-source'],
        noCheck: true,
        sourceMap: false,
      },
      include: ['src', 'examples', 'bench/servers'].map((each) => join(ROOT, each)),
    };
  }

  /** A compiled file, by its name in the sources. */
  file(name: string): string {
    return join(this.folder, 'dist', name.replace(/\.ts$/, '.js'));
  }
}

let made: Build | undefined;

/** The one build of this run; made when it is first asked for. */
export function build(): Build {
  made ??= new Build();
  return made;
}
