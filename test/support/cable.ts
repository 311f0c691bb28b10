import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A cable to a server on this machine, for tests that pull it out. */
export class Cable {
  readonly #to: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #plugged = true;

  private constructor(to: number) {
    this.#to = to;
    this.#server = createServer((near) => this.#through(near));
  }

  /** @param to the server's port */
  static async to(to: number): Promise<Cable> {
    const cable = new Cable(to);
    cable.#server.listen(0, '127.0.0.1');
    await once(cable.#server, 'listening');
    return cable;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #through(near: Socket): void {
    if (!this.#plugged) {
      near.destroy();
      return;
    }
    const far = connect(this.#to, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.pipe(other);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }

  /** Everything that goes through it is cut off, and stays so. */
  pull(): void {
    this.#plugged = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing goes through any more, and nobody is told. */
  hold(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /** What was held is cut off; new connections go through. */
  release(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  plug(): void {
    this.#plugged = true;
  }

  remove(): void {
    this.pull();
    this.#server.close();
  }
}
