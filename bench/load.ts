import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { atExit } from './cleanup.ts';
import type { Asked, Order, Results, Told } from './load/orders.ts';

const MAIN = fileURLToPath(new URL('load/main.ts', import.meta.url));

type Waiting = { resolve(result: unknown): void; reject(error: Error): void };

/** A load generator: a process of its own, so that its CPU time is not the server's. */
export class Load implements Disposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #forget: () => void;
  #next = 0;

  /** @param prefix a command that runs commands, such as `ip netns exec NAME` */
  constructor(prefix: readonly string[] = []) {
    const [command = '', ...args] = [...prefix, process.execPath, MAIN];
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', ({ id, result, error }: Told) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(`load generator: ${error}`));
    });
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('exit', () => this.#fail(new Error('the load generator has ended')));
    this.#forget = atExit(() => this.#child.kill('SIGKILL'));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  /** Gives an order and waits until it is carried out. */
  tell<O extends Order>(order: O): Promise<Results[O['do']]> {
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<Results[O['do']]>();
    this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
    this.#child.send({ id, order } satisfies Asked, (error) => {
      if (error) reject(error);
    });
    return promise;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
    this.#forget();
  }
}
