import type { ServerResponse } from 'node:http';
import type { SendResult } from '../connections/connection.ts';

/** What a stream needs of its connection. */
export type StreamHost = {
  /** Bytes that wait to be sent; the same bound as for every other protocol. */
  readonly maxSendBufferSize: number;
  getSendBufferQueueSize(): number;
  /** A chunk does not fit and is dropped: counts it and tells the program. */
  dropped(): false;
  /** The bound is reached. */
  full(): void;
};

/** An answer whose length is not known at its beginning, sent in chunks as they are written. */
export class HttpStream {
  readonly #response: ServerResponse;
  readonly #host: StreamHost;

  /** @internal made by `connection.stream()` */
  constructor(response: ServerResponse, host: StreamHost) {
    this.#response = response;
    this.#host = host;
  }

  /** Whether the client is gone or `end` was called. */
  get ended(): boolean {
    const { writableEnded, destroyed, socket } = this.#response;
    return writableEnded || destroyed || (socket?.destroyed ?? true);
  }

  /**
   * @returns `true`: the kernel has it; `null`: it waits (the connection's `onBufferDrain` tells when it does not any
   *          more); `false`: the client is gone, or reads so slowly that `maxSendBufferSize` is reached: then this chunk
   *          is dropped whole, counted and told to `onError`, as on any other connection
   */
  write(data: string | Uint8Array): SendResult {
    if (this.ended) return false;
    const host = this.#host;
    if (host.getSendBufferQueueSize() >= host.maxSendBufferSize) return host.dropped();
    this.#response.write(data);
    const waiting = host.getSendBufferQueueSize();
    if (waiting >= host.maxSendBufferSize) host.full();
    return waiting === 0 ? true : null;
  }

  /** Ends the answer; the connection then takes its next request. */
  end(data?: string | Uint8Array): void {
    if (!this.ended) this.#response.end(data);
  }
}

/** One server-sent event (HTML standard, section 9.2). */
export type ServerSentEvent = {
  readonly event?: string;
  readonly id?: string;
  /** Milliseconds the browser waits before it reconnects. */
  readonly retry?: number;
  /** May have several lines. */
  readonly data?: string;
};

/** An answer that never ends by itself: server-sent events. */
export class EventStream extends HttpStream {
  /** Sends one event; the answers are those of `write`. */
  send(event: ServerSentEvent): SendResult {
    return this.write(eventText(event));
  }
}

/** The text of one event. Line breaks in `event` and `id` would begin other fields and are taken out. */
export function eventText({ event, id, retry, data }: ServerSentEvent): string {
  let text = '';
  if (event !== undefined) text += `event: ${oneLine(event)}\n`;
  if (id !== undefined) text += `id: ${oneLine(id)}\n`;
  if (retry !== undefined) text += `retry: ${Math.trunc(retry)}\n`;
  for (const line of data?.split(/\r\n|\r|\n/) ?? []) text += `data: ${line}\n`;
  return `${text}\n`;
}

const oneLine = (text: string) => text.replace(/[\r\n\0]/g, '');
