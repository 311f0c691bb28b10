import { connect, type Socket } from 'node:net';

/** Where every read of this process lands: a load generator should cost as little as it can. */
const shared = Buffer.allocUnsafeSlow(65_536);

const ignore = () => {};

/** A client's end of a connection. */
export class Wire {
  readonly socket: Socket;
  /** Gets the bytes, which are only valid during the call. */
  receive: (bytes: Buffer, size: number) => void = ignore;
  /** Told when the connection ends though nobody has closed it. */
  lost: (error: Error) => void = ignore;
  readonly #open = Promise.withResolvers<this>();

  /** @param local source address; ports run out at some 28,000 an address */
  constructor(port: number, local: string) {
    this.socket = connect({
      host: '127.0.0.1',
      port,
      localAddress: local,
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (size) => {
          this.receive(shared, size);
          return true;
        },
      },
    });
    this.socket.once('connect', () => this.#open.resolve(this));
    this.socket.on('error', (error) => this.#over(error));
    this.socket.on('close', () => this.#over(new Error('the server closed a connection')));
  }

  #over(error: Error): void {
    this.#open.reject(error);
    this.lost(error);
  }

  /** Settles when it is connected or has failed. */
  get opened(): Promise<this> {
    return this.#open.promise;
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Writes, and gives what came since when that is enough. */
  ask(bytes: Uint8Array, enough: (received: Buffer) => boolean): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    let received = Buffer.alloc(0);
    this.lost = reject;
    this.receive = (chunk, size) => {
      received = Buffer.concat([received, chunk.subarray(0, size)]);
      if (!enough(received)) return;
      this.receive = ignore;
      resolve(received);
    };
    this.write(bytes);
    return promise;
  }

  close(): void {
    this.lost = ignore;
    this.receive = ignore;
    this.socket.destroy();
  }
}
