import { spawnSync } from 'node:child_process';

/**
 * Another host, as far as the network is concerned: a network namespace with a cable to this one, whose packets can be
 * dropped. Nothing but that cable is changed here.
 */
export class OtherHost implements Disposable {
  /** Of this machine on the cable. */
  readonly here: string;
  readonly there: string;
  readonly #name = `longshore-${process.pid}`;
  readonly #cable = `ls-${process.pid}`;

  /** @returns why there can be none, as text, where that is so */
  static create(): OtherHost | string {
    if (process.platform !== 'linux') return 'needs Linux';
    if (process.getuid?.() !== 0) return 'needs root';
    for (const tool of ['ip', 'iptables'])
      if (spawnSync(tool, ['--version']).error) return `needs ${tool}`;
    const host = new OtherHost();
    try {
      host.#connect();
      return host;
    } catch (error) {
      host[Symbol.dispose]();
      return `no network namespace here: ${(error as Error).message}`;
    }
  }

  private constructor() {
    const net = `10.${97 + (process.pid % 3)}.${Math.floor(process.pid / 3) % 256}`;
    this.here = `${net}.1`;
    this.there = `${net}.2`;
  }

  /** Put it before a command, and the command runs there. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  #connect(): void {
    const far = `${this.#cable}b`;
    run('ip', 'netns', 'add', this.#name);
    run('ip', 'link', 'add', this.#cable, 'type', 'veth', 'peer', 'name', far);
    run('ip', 'link', 'set', far, 'netns', this.#name);
    run('ip', 'addr', 'add', `${this.here}/24`, 'dev', this.#cable);
    run('ip', 'link', 'set', this.#cable, 'up');
    for (const args of [
      ['addr', 'add', `${this.there}/24`, 'dev', far],
      ['link', 'set', far, 'up'],
      ['link', 'set', 'lo', 'up'],
    ])
      run('ip', '-n', this.#name, ...args);
  }

  /** From now on every packet is lost, both ways; nobody is told. */
  cut(): void {
    this.#iptables('-A', 'INPUT', '!', '-i', 'lo', '-j', 'DROP');
    this.#iptables('-A', 'OUTPUT', '!', '-o', 'lo', '-j', 'DROP');
  }

  heal(): void {
    this.#iptables('-F');
  }

  #iptables(...args: string[]): void {
    run('ip', 'netns', 'exec', this.#name, 'iptables', ...args);
  }

  [Symbol.dispose](): void {
    spawnSync('ip', ['link', 'del', this.#cable]);
    spawnSync('ip', ['netns', 'del', this.#name]);
  }
}

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim()}`);
}
