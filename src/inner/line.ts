import type { ConnectionOptions } from 'node:tls';
import { AsyncTcpConnection } from '../connections/client.ts';
import type { SendResult } from '../connections/connection.ts';
import { codeOf, messageOf } from '../errors.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { reconnectMs } from '../reconnect.ts';
import type { HandshakeMessage, Hello, Welcome } from './greetings.ts';
import { type Answer, answerTo } from './handshake.ts';
import { secretOf } from './secret.ts';

/** Longest that connecting and greeting may take, each. */
const GREETING_MS = 10_000;
/** Silent for so many signs of life: gone. */
const MISSED = 3;
/** What a line may have waiting altogether; its users bound themselves much earlier. */
const LINE_MAX = 1_073_741_824;

export type LineOptions = {
  readonly secret?: string | undefined;
  readonly tls?: ConnectionOptions | true | undefined;
  /** Our name, if we are a server. */
  readonly member?: string | undefined;
  /** Seconds between signs of life. */
  readonly heartbeat: number;
};

/** What is spoken on a line. */
export type LineFormat<M> = {
  readonly version: number;
  readonly protocol: Protocol<M, M | HandshakeMessage>;
  encode(message: M | HandshakeMessage): Buffer;
};

export type LineEvents<M> = {
  /** Both ends trust each other. `leaving`: the server is about to go. */
  open(leaving: boolean): void;
  message(message: M): void;
  /** It was open and is not any more, or an attempt has failed; the next one comes by itself. */
  down(wasOpen: boolean): void;
  error(code: string, message: string): void;
};

/** A lasting connection to one server: connects, greets, gives signs of life, and connects again with jitter. */
export class Line<M extends { readonly kind: string }> {
  readonly address: string;
  readonly #format: LineFormat<M>;
  readonly #options: LineOptions;
  readonly #events: LineEvents<M>;
  readonly #connection: AsyncTcpConnection<M, M | HandshakeMessage>;
  #answer: Answer | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #attempt = 0;
  #silent = 0;
  #ended = false;
  /** Whether messages go out. */
  isOpen = false;
  /** Whether the last attempt to connect has failed. */
  failing = false;

  constructor(address: string, format: LineFormat<M>, options: LineOptions, events: LineEvents<M>) {
    this.address = address;
    this.#format = format;
    this.#options = options;
    this.#events = events;
    const { tls } = options;
    const connection = new AsyncTcpConnection<M, M | HandshakeMessage>(
      urlOf(address, tls !== undefined),
      {
        protocol: format.protocol,
        maxSendBufferSize: LINE_MAX,
        timeout: GREETING_MS / 1000,
        ...(typeof tls === 'object' ? { tls } : {}),
      },
    );
    this.#connection = connection;
    connection.onConnect = () => this.#wait(GREETING_MS, 'no greeting');
    connection.onMessage = (_, message) => this.#heard(message);
    connection.onError = (_, code, message) => events.error(code, message);
    connection.onClose = () => this.#down();
  }

  connect(): void {
    this.#connection.connect();
  }

  /** Does not wait for the next attempt: the server is there. */
  hurry(): void {
    if (!this.isOpen && !this.#ended) this.#connection.connect();
  }

  /** Bytes that wait to be sent. */
  get pending(): number {
    return this.#connection.getSendBufferQueueSize();
  }

  send(message: M | HandshakeMessage): SendResult {
    return this.sendBytes(this.#format.encode(message));
  }

  /** Goes nowhere while the line is not open. */
  sendBytes(bytes: Buffer): SendResult {
    return this.isOpen ? this.#connection.send(bytes as never, true) : false;
  }

  /** Ends it for good; what waits is sent. */
  close(): void {
    this.#ended = true;
    this.isOpen = false;
    clearTimeout(this.#timer);
    this.#connection.cancelReconnect();
    this.#connection.close();
  }

  #wait(ms: number, why: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#giveUp(`${why} within ${ms / 1000} s`), ms);
  }

  #heard(message: M): void {
    this.#silent = 0;
    if (!this.isOpen) this.#begin(message as HandshakeMessage);
    else if (message.kind !== 'alive') this.#events.message(message);
  }

  #begin(message: HandshakeMessage): void {
    if (message.kind === 'hello') this.#greet(message);
    else if (message.kind === 'welcome') this.#welcomed(message);
    else this.#giveUp(message.kind === 'refused' ? message.reason : `a ${message.kind} came first`);
  }

  #greet(hello: Hello): void {
    const { secret, member } = this.#options;
    try {
      const answer = answerTo(hello, this.#format.version, secretOf(secret), member);
      if (typeof answer === 'string') {
        this.#giveUp(answer);
        return;
      }
      this.#answer = answer;
      this.#connection.send(answer.greeting);
    } catch (error) {
      this.#giveUp(messageOf(error), codeOf(error));
    }
  }

  #welcomed(welcome: Welcome): void {
    if (!this.#answer?.trusts(welcome)) {
      this.#giveUp('the server does not know our secret');
      return;
    }
    this.#answer = undefined;
    this.#attempt = 0;
    this.failing = false;
    this.isOpen = true;
    this.#beat();
    this.#events.open(welcome.flag);
  }

  #beat(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#silent += 1;
      if (this.#silent >= MISSED) this.#giveUp('nothing heard for too long', 'CONNECT_TIMEOUT');
      else this.send({ kind: 'alive' });
      if (this.isOpen) this.#beat();
    }, this.#options.heartbeat * 1000);
  }

  #giveUp(why: string, code = 'HANDSHAKE_FAILED'): void {
    this.#events.error(code, `${this.address}: ${why}`);
    this.#connection.destroy();
  }

  #down(): void {
    clearTimeout(this.#timer);
    const wasOpen = this.isOpen;
    this.isOpen = false;
    this.failing = true;
    this.#silent = 0;
    this.#answer = undefined;
    if (this.#ended) return;
    const waitMs = reconnectMs(this.#attempt, Math.random());
    this.#attempt += 1;
    this.#connection.reconnect(waitMs / 1000);
    this.#events.down(wasOpen);
  }
}

function urlOf(address: string, secure: boolean): string {
  const bare = address.replace(/^tcp:\/\//, '');
  if (bare.includes('://')) return bare;
  return `${secure ? 'ssl' : 'tcp'}://${bare}`;
}
