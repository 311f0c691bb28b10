import { hintedMs, reconnectMs } from './reconnect.ts';

/** What a page is told of its socket. */
export type ReconnectingOptions = {
  /** The connection is open; also after each reconnect. */
  readonly onOpen?: (socket: WebSocket) => void;
  readonly onMessage?: (data: string | ArrayBuffer | Blob, socket: WebSocket) => void;
  /** The connection is lost; the next attempt comes in `retryInMs`. */
  readonly onLost?: (retryInMs: number, code: number, reason: string) => void;
  readonly protocols?: string | string[];
};

type WebSocket = globalThis.WebSocket;

/** Close codes after which another attempt would only fail again. */
const FINAL = new Set([1002, 1003, 1007, 1008, 1009, 1010]);

/**
 * A WebSocket that comes back: for pages, with no dependency. It waits as long as the server's hint says (Longshore
 * sends one when it reloads or drains), else exponentially longer with full jitter; what works for a while starts anew.
 *
 * @example
 * const chat = new ReconnectingWebSocket('wss://example.com/chat', { onMessage: (data) => show(data) });
 * chat.send('hello');
 */
export class ReconnectingWebSocket {
  readonly #url: string;
  readonly #options: ReconnectingOptions;
  #socket: WebSocket | undefined = undefined;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;
  #ended = false;

  constructor(url: string, options: ReconnectingOptions = {}) {
    this.#url = url;
    this.#options = options;
    this.#connect();
  }

  /** Whether messages can be sent now. */
  get open(): boolean {
    return this.#socket?.readyState === 1;
  }

  /** @returns false if there is no connection now; nothing is kept for later */
  send(data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob): boolean {
    if (!this.open) return false;
    this.#socket?.send(data);
    return true;
  }

  /** Ends it for good. */
  close(code = 1000, reason = ''): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#socket?.close(code, reason);
  }

  #connect(): void {
    const socket = new globalThis.WebSocket(this.#url, this.#options.protocols ?? []);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    let openedAt = Number.POSITIVE_INFINITY;
    socket.onopen = () => {
      openedAt = performance.now();
      this.#options.onOpen?.(socket);
    };
    socket.onmessage = ({ data }) => this.#options.onMessage?.(data, socket);
    socket.onclose = ({ code, reason }) => {
      // A server that accepts and closes at once must not be asked again without a pause.
      if (performance.now() - openedAt > 5000) this.#attempt = 0;
      this.#lost(code, reason);
    };
  }

  #lost(code: number, reason: string): void {
    if (this.#ended || FINAL.has(code)) return;
    const waitMs = hintedMs(reason, Math.random()) ?? reconnectMs(this.#attempt, Math.random());
    this.#attempt += 1;
    this.#options.onLost?.(waitMs, code, reason);
    this.#timer = setTimeout(() => this.#connect(), waitMs);
  }
}
