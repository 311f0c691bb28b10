import { spawnSync } from 'node:child_process';
import { atExit } from './cleanup.ts';

/** A network of its own, with nothing in it but the loopback interface and whatever kernel settings a bench wants. */
export class Namespace implements Disposable {
  readonly #name = `longshore-bench-${process.pid}`;
  readonly #forget: () => void;

  /** @returns why there can be none, as text, where that is so */
  static create(): Namespace | string {
    if (process.platform !== 'linux') return 'needs Linux';
    if (process.getuid?.() !== 0) return 'needs root';
    if (spawnSync('ip', ['-V']).error) return 'needs ip (iproute2)';
    const namespace = new Namespace();
    try {
      ip('netns', 'add', namespace.#name);
      ip('-n', namespace.#name, 'link', 'set', 'lo', 'up');
      return namespace;
    } catch (error) {
      namespace[Symbol.dispose]();
      return `no network namespace here: ${(error as Error).message}`;
    }
  }

  private constructor() {
    this.#forget = atExit(() => this.#delete());
  }

  /** Put it before a command, and the command runs inside. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** Sets a kernel setting, in here only. */
  set(setting: string, value: number): void {
    const file = `/proc/sys/${setting.replaceAll('.', '/')}`;
    ip('netns', 'exec', this.#name, 'sh', '-c', `echo ${value} > ${file}`);
  }

  #delete(): void {
    spawnSync('ip', ['netns', 'del', this.#name]);
  }

  [Symbol.dispose](): void {
    this.#delete();
    this.#forget();
  }
}

function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(stderr.trim());
}
