import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { type ClientOptions, WebSocket } from 'ws';
import { Peer } from '../support/peer.ts';

/** Clients of the examples; all ended by `closeClients`. */

const opened: { destroy(): void }[] = [];

/** For `afterEach`, so that a failed test leaves no connection behind. */
export function closeClients(): void {
  for (const client of opened.splice(0)) client.destroy();
}

/** A plain TCP or unix connection. */
export async function plain(where: number | string): Promise<Peer> {
  const peer = await Peer.to(typeof where === 'number' ? { port: where, host } : { path: where });
  opened.push(peer);
  return peer;
}

/** A TLS connection that trusts one certificate. */
export async function secure(port: number, ca: Buffer): Promise<Peer> {
  const socket = connectTls({ port, host, ca });
  await once(socket, 'secureConnect');
  const peer = new Peer(socket);
  opened.push(peer);
  return peer;
}

/** A WebSocket, open. */
export async function webSocket(url: string, options: ClientOptions = {}): Promise<Talk> {
  const talk = new Talk(new WebSocket(url, options));
  opened.push(talk);
  await talk.opened;
  return talk;
}

const host = '127.0.0.1';

/** A WebSocket and what it has received: text as a string, binary as a Buffer. */
export class Talk {
  readonly socket: WebSocket;
  readonly opened: Promise<unknown>;
  /** The close code. */
  readonly closed: Promise<number>;
  readonly #messages: (string | Buffer)[] = [];
  #code: number | undefined = undefined;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.opened = once(socket, 'open');
    this.closed = new Promise((done) => {
      socket.on('close', (code) => {
        this.#code = code;
        this.#wake();
        done(code);
      });
    });
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary) => {
      this.#messages.push(isBinary ? data : data.toString());
      this.#wake();
    });
  }

  send(message: string | Uint8Array | object): this {
    const isData = typeof message === 'string' || ArrayBuffer.isView(message);
    this.socket.send(isData ? message : JSON.stringify(message));
    return this;
  }

  /** The next message. Fails if the connection ends before one comes. */
  async next(): Promise<string | Buffer> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#code !== undefined) throw new Error(`closed with ${this.#code}`);
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  /** The next message of a kind, as JSON; others are passed over. */
  async json<T extends object>(good: (message: T) => boolean): Promise<T> {
    for (;;) {
      const message = JSON.parse(String(await this.next())) as T;
      if (good(message)) return message;
    }
  }

  destroy(): void {
    this.socket.terminate();
  }
}

/** The body of an https page. */
export async function httpsText(port: number, path: string, ca: Buffer): Promise<string> {
  const ask = httpsRequest({ host, port, path, ca, agent: false });
  ask.end();
  const [answer] = await once(ask, 'response');
  answer.setEncoding('utf8');
  let text = '';
  for await (const chunk of answer) text += chunk;
  return text;
}
