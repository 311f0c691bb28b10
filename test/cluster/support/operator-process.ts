import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../../support/program.ts';
import { kubeconfig } from './cluster.ts';
import { eventually, ROOT } from './run.ts';

/** An operator as a process of this host, which can be killed and started as often as one likes. */
export class OperatorProcess implements AsyncDisposable {
  readonly #namespace: string;
  #child: ChildProcess | undefined;
  #log = '';

  /** @param namespace that of its servers and of its lease */
  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Of all its lives. */
  get log(): string {
    return this.#log;
  }

  /** Starts it; it has the same name each time, so that it need not wait for its own lease. */
  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        '--conditions=longshore-source',
        '--disable-warning=ExperimentalWarning',
        'operator/main.ts',
      ],
      {
        cwd: ROOT,
        env: {
          PATH: process.env['PATH'],
          KUBECONFIG: await kubeconfig(),
          LONGSHORE_OPERATOR_NAMESPACES: this.#namespace,
          LONGSHORE_OPERATOR_LEASE_NAMESPACE: this.#namespace,
          LONGSHORE_OPERATOR_PORT: String(await freePort()),
          POD_NAME: 'operator-process',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    this.#child = child;
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      this.#log += text;
    });
    // A test that ends in the middle leaves nothing running.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    await eventually('it leads', () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      return said.includes('"leading"');
    });
  }

  /** As the kernel does it that has no memory left. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
