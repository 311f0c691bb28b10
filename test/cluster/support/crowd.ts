import WebSocket from 'ws';
import { hintedMs, reconnectMs } from '../../../src/reconnect.ts';

/** How a connection ended. */
export type Goodbye = {
  readonly at: number;
  readonly code: number;
  /** The reason, as it was said. */
  readonly reason: string;
};

type Member = { socket: WebSocket | undefined; pod: string; connects: number };

/** A connect attempt has this long; a queue that is full makes the kernel try again after 1, 3 and 7 s. */
const CONNECT_MS = 15_000;

/**
 * WebSocket clients that want to be connected all the time, as a page with `ReconnectingWebSocket` does: they follow
 * the server's hint, and try again with jitter. They write down everything that happens to them.
 *
 * The server says in a header of its answer, `x-pod`, which pod it is.
 */
export class Crowd {
  readonly #url: string;
  readonly #members: Member[];
  /** Ends of connections that were open. */
  readonly goodbyes: Goodbye[] = [];
  /** Attempts that came to nothing, by their error. */
  readonly failures: string[] = [];
  #over = false;

  constructor(url: string, size: number) {
    this.#url = url;
    this.#members = Array.from({ length: size }, () => ({
      socket: undefined,
      pod: '',
      connects: 0,
    }));
  }

  /** Connects all of them, a few at a time. */
  async come(): Promise<void> {
    for (const member of this.#members) {
      this.#connect(member, 0);
      if (this.pending > 50) await new Promise((next) => setTimeout(next, 20));
    }
    while (this.connected < this.#members.length) await new Promise((next) => setTimeout(next, 20));
  }

  get connected(): number {
    return this.#members.filter(({ socket }) => socket?.readyState === WebSocket.OPEN).length;
  }

  get pending(): number {
    return this.#members.filter(({ socket }) => socket?.readyState === WebSocket.CONNECTING).length;
  }

  /** How many are where. */
  get places(): ReadonlyMap<string, number> {
    const places = new Map<string, number>();
    for (const { socket, pod } of this.#members)
      if (socket?.readyState === WebSocket.OPEN) places.set(pod, (places.get(pod) ?? 0) + 1);
    return places;
  }

  /** How often each has connected. */
  get connects(): number[] {
    return this.#members.map(({ connects }) => connects);
  }

  /** Begins to count anew. */
  reset(): void {
    for (const member of this.#members) member.connects = 0;
    this.goodbyes.length = 0;
    this.failures.length = 0;
  }

  /** They go for good. */
  leave(): void {
    this.#over = true;
    for (const { socket } of this.#members) socket?.terminate();
  }

  #connect(member: Member, attempt: number): void {
    if (this.#over) return;
    const socket = new WebSocket(this.#url, {
      handshakeTimeout: CONNECT_MS,
      perMessageDeflate: false,
    });
    member.socket = socket;
    let opened = false;
    socket.on('upgrade', ({ headers }) => {
      member.pod = String(headers['x-pod'] ?? '');
    });
    socket.on('open', () => {
      opened = true;
      member.connects += 1;
    });
    socket.on('error', (error) => {
      if (!opened && !this.#over)
        this.failures.push((error as NodeJS.ErrnoException).code ?? error.message);
    });
    socket.on('close', (code, reason) => {
      if (this.#over) return;
      const text = String(reason);
      if (opened) this.goodbyes.push({ at: Date.now(), code, reason: text });
      const wait =
        hintedMs(text, Math.random()) ?? reconnectMs(opened ? 0 : attempt, Math.random());
      setTimeout(() => this.#connect(member, opened ? 0 : attempt + 1), wait);
    });
  }
}

/** Most closes in any second. */
export function peakPerSecond(goodbyes: readonly Goodbye[]): number {
  const seconds = new Map<number, number>();
  for (const { at } of goodbyes) {
    const second = Math.floor(at / 1000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  return Math.max(0, ...seconds.values());
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length);
