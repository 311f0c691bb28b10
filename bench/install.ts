import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './cleanup.ts';

const INSTALL_MS = 180_000;

/** A folder to install packages in that are no dependencies; it goes away with the benches. */
export class Packages implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'longshore-bench-extra-'));
  readonly #forget: () => void = atExit(() => this.#delete());

  constructor() {
    writeFileSync(join(this.folder, 'package.json'), '{"private":true}\n');
  }

  /** @returns why a package cannot be installed; nothing if it is */
  install(name: string): string | undefined {
    // `npm run -s` silences every npm below it too, also about what went wrong.
    const loud = '--loglevel=error';
    const args = ['install', loud, '--ignore-scripts', '--no-audit', '--no-fund', name];
    const options = { cwd: this.folder, encoding: 'utf8', timeout: INSTALL_MS } as const;
    const { status, stderr, error } = spawnSync('npm', args, options);
    if (status === 0) return undefined;
    const code = /npm error code (\S+)/.exec(stderr ?? '')?.[1];
    return `npm cannot install it: ${code ?? error?.message ?? `exit code ${status}`}`;
  }

  /** The version that was installed. */
  version(name: string): string {
    const file = join(this.folder, 'node_modules', name, 'package.json');
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  }

  /** Bun's program: of several builds the one that runs on this processor. */
  bun(): string | undefined {
    const builds = join(this.folder, 'node_modules/@oven');
    return readdirSync(builds)
      .map((build) => join(builds, build, 'bin/bun'))
      .find((file) => spawnSync(file, ['--version']).status === 0);
  }

  #delete(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.#delete();
    this.#forget();
  }
}
