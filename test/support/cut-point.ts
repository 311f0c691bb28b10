import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import type { AnyWorker } from '../../src/worker.ts';
import { whereIs } from './peer.ts';

const all = new Set<CutPoint>();

/** Between a client and a server, to cut their connection or to let it fall silent. */
export class CutPoint {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #silent = new Set<Socket>();
  /** New connections are ended at once. */
  refuses = false;
  #port = 0;

  private constructor(target: { port: number }) {
    this.#server = createServer((near) => {
      if (this.refuses) {
        near.destroy();
        return;
      }
      const far = dial(target.port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (chunk) => this.#silent.has(from) || to.write(chunk));
        from.on('error', () => {}).on('close', () => to.destroy());
      }
    });
  }

  static async before(made: AnyWorker): Promise<CutPoint> {
    const proxy = new CutPoint(whereIs(made) as { port: number });
    all.add(proxy);
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done));
    proxy.#port = (proxy.#server.address() as { port: number }).port;
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Nothing comes through any more on the connections that there are, and nobody is told. */
  silence(): void {
    for (const socket of this.#sockets) this.#silent.add(socket);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  static closeAll(): void {
    for (const proxy of all) proxy.close();
    all.clear();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
