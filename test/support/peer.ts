import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { AnyWorker } from '../../src/worker.ts';

/** A plain client that keeps what it receives and lets a test wait for it. */
export class Peer {
  readonly socket: Socket;
  /** How many chunks came. */
  chunks = 0;
  /** Set when the other end is done: `end` for FIN, `reset` for RST. */
  ended: 'end' | 'reset' | undefined = undefined;
  /** What came and was not taken, in the pieces in which it came. */
  #parts: Buffer[] = [];
  #size = 0;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.chunks += 1;
      this.#parts.push(chunk);
      this.#size += chunk.length;
      this.#signal();
    });
    socket.on('end', () => this.#over('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') this.#over('reset');
    });
    socket.on('close', () => this.#over(this.ended ?? 'end'));
  }

  static async to(where: NetConnectOpts): Promise<Peer> {
    const socket = connect({ allowHalfOpen: true, ...where });
    await once(socket, 'connect');
    return new Peer(socket);
  }

  /** A connection to a listening Worker. */
  static toWorker(worker: AnyWorker): Promise<Peer> {
    return Peer.to(whereIs(worker));
  }

  #over(how: 'end' | 'reset'): void {
    this.ended ??= how;
    this.#signal();
  }

  #signal(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  get received(): Buffer {
    if (this.#parts.length !== 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0] as Buffer;
  }

  #keep(bytes: Buffer): void {
    this.#parts = [bytes];
    this.#size = bytes.length;
  }

  send(data: string | Uint8Array): this {
    this.socket.write(data);
    return this;
  }

  /** Waits until the bytes received so far satisfy a condition, takes and gives them. Fails if the peer ends first. */
  async until(good: (bytes: Buffer) => boolean): Promise<Buffer> {
    while (!good(this.received)) await this.#more();
    const bytes = this.received;
    this.#keep(Buffer.alloc(0));
    return bytes;
  }

  async #more(): Promise<void> {
    if (this.ended)
      throw new Error(
        `the other end left (${this.ended}) after ${JSON.stringify(String(this.received))}`,
      );
    await this.#change();
  }

  /** Puts bytes back in front of what comes. */
  unread(bytes: Buffer): void {
    this.#keep(Buffer.concat([bytes, this.received]));
  }

  /** Takes exactly so many bytes. */
  async take(length: number): Promise<Buffer> {
    // Without putting the pieces together each time: they may be many megabytes.
    while (this.#size < length) await this.#more();
    const all = this.received;
    this.#keep(all.subarray(length));
    return all.subarray(0, length);
  }

  /** Takes one line, without its end. */
  async line(): Promise<string> {
    const all = await this.until((bytes) => bytes.includes(10));
    const end = all.indexOf(10);
    this.#keep(all.subarray(end + 1));
    return all.toString('utf8', 0, end);
  }

  /** Waits for the other end to leave; gives how. */
  async end(): Promise<'end' | 'reset'> {
    while (!this.ended) await this.#change();
    return this.ended;
  }

  #change(): Promise<void> {
    return new Promise((wake) => this.#wake.push(wake));
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Where a listening Worker can be connected to. */
export function whereIs(worker: AnyWorker): { host: string; port: number } | { path: string } {
  const name = worker.getSocketName();
  const path = /^unix:\/\/(.*)$/.exec(name)?.[1];
  if (path !== undefined) return { path };
  const match = /^\w+:\/\/(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(name);
  const host = match?.[1] ?? match?.[2] ?? '';
  return {
    host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host,
    port: Number(match?.[3]),
  };
}

/** `host:port` of a listening Worker, for URLs. */
export function authority(worker: AnyWorker): string {
  const where = whereIs(worker) as { host: string; port: number };
  return where.host.includes(':') ? `[${where.host}]:${where.port}` : `${where.host}:${where.port}`;
}

/** Waits for a condition that some event will make true; looked at after each turn of the event loop. */
export async function eventually(
  good: () => boolean | Promise<boolean>,
  what = 'the condition',
): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await good())) {
    if (Date.now() > end) throw new Error(`${what} did not come true within 10 s`);
    await new Promise((next) => setImmediate(next));
  }
}
