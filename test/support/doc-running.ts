import type { ChildProcess } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's folder. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));
/** `longshore` and `npx` as a reader has them. */
export const SHIMS: string = mkdtempSync(join(tmpdir(), 'longshore-bin-'));
/** Longest that a command may take. */
export const COMMAND_MS = 30_000;

const bin = join(ROOT, 'src/cli/bin.ts');
const shims = {
  longshore: `exec "${process.execPath}" "${bin}" "$@"`,
  npx: `[ "$1" = longshore ] && shift && exec "${process.execPath}" "${bin}" "$@"\necho "npx $1: not here" >&2; exit 127`,
};
for (const [name, line] of Object.entries(shims)) {
  writeFileSync(join(SHIMS, name), `#!/bin/sh\n${line}\n`);
  chmodSync(join(SHIMS, name), 0o755);
}

/** For `afterAll`. */
export function removeShims(): void {
  rmSync(SHIMS, { recursive: true, force: true });
}

/** A program and what it has printed so far. */
export class Running {
  readonly #child: ChildProcess;
  readonly #closed: Promise<number>;
  readonly #lookers = new Set<() => void>();
  #over = false;
  output = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        for (const look of this.#lookers) look();
      });
    }
    this.#closed = new Promise((done) => {
      const over = () => {
        this.#over = true;
        for (const look of this.#lookers) look();
        done(child.exitCode ?? -1);
      };
      child.once('close', over);
      // A command that a script has left in the background may hold the output open.
      child.once('exit', () => setTimeout(over, 1000).unref());
    });
  }

  /** Waits until a text is printed. */
  async says(text: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (why: string) => reject(new Error(`${why} without "${text}":\n${this.output}`));
    const look = () => {
      if (this.output.includes(text)) resolve();
      else if (this.#over) fail('it ended');
    };
    this.#lookers.add(look);
    const timer = setTimeout(() => fail('it went on'), COMMAND_MS);
    look();
    await promise.finally(() => {
      clearTimeout(timer);
      this.#lookers.delete(look);
    });
  }

  /** Waits for the end; gives the exit code. */
  async ended(ms: number): Promise<number> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ms);
    return this.#closed.finally(() => clearTimeout(timer));
  }

  /** As Ctrl+C does; gives the exit code. */
  async interrupt(): Promise<number> {
    if (!this.#over) this.#child.kill('SIGINT');
    return this.ended(10_000);
  }
}

/** Whether a program is installed. */
export function installed(program: string): boolean {
  return `${process.env['PATH']}${delimiter}/usr/sbin`.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
