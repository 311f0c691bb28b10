import { spawn } from 'node:child_process';
import { kubeconfig, PATH } from './cluster.ts';

/** A port of this host that leads into the cluster, also where pods cannot be reached directly. */
export class Forward implements AsyncDisposable {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly #child: ReturnType<typeof spawn>;

  private constructor(child: ReturnType<typeof spawn>, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** @param target as for `kubectl port-forward`: `pod/NAME` or `service/NAME` */
  static async to(target: string, namespace: string, port: number): Promise<Forward> {
    const env = { ...process.env, KUBECONFIG: await kubeconfig(), PATH };
    const child = spawn(
      'kubectl',
      ['port-forward', '--namespace', namespace, '--address=127.0.0.1', target, `:${port}`],
      { env, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const local = /127\.0\.0\.1:(\d+) ->/.exec(said)?.[1];
        if (local) resolve(Number(local));
      });
    }
    child.on('error', reject);
    child.on('close', () => reject(new Error(`kubectl port-forward ${target} ended:\n${said}`)));
    return new Forward(child, await promise);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((done) => this.#child.once('close', done));
    this.#child.kill();
    await ended;
  }
}
