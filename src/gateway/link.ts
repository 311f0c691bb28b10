import { tally } from '../connections/connection.ts';
import type { TcpConnection } from '../connections/tcp.ts';
import { KIND, type Package } from './format.ts';
import { Writer } from './wire.ts';
import { writeBare } from './writing.ts';

/** Packages that go out in one write at most, in bytes; more are written at once. */
const BATCH_BYTES = 65_536;
/** How often a silent link says that it is alive, and after how many silent looks the other end is given up. */
export const ALIVE_MS = 5000;
const SILENT_LOOKS = 6;

/**
 * One end of an inner connection: gathers packages and writes them together once a turn of the event loop.
 */
export class Link {
  readonly connection: TcpConnection;
  readonly out: Writer = new Writer();
  /** Called before each write, to add what only the last word counts of. */
  onFlush: (() => void) | undefined = undefined;
  #scheduled = false;
  #seen = 0;
  #silent = 0;
  #heard = 0;
  #heardAt = 0;

  constructor(connection: TcpConnection, handle: (link: Link, one: Package) => void) {
    this.connection = connection;
    connection.onMessage = (_, batch: readonly Package[]) => {
      // What processes say to each other is no request of anybody.
      tally.counts.total_request -= 1;
      for (const one of batch) {
        if (connection.status !== 'established') return;
        handle(this, one);
      }
    };
  }

  /** Bytes that wait. */
  get pending(): number {
    return this.out.size + this.connection.getSendBufferQueueSize();
  }

  /** To be called after something was written to `out`. */
  wrote(): void {
    if (this.out.size >= BATCH_BYTES) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#flushLater);
    }
  }

  readonly #flushLater = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /** Writes what was gathered. */
  flush(): void {
    this.onFlush?.();
    if (this.out.size === 0) return;
    const bytes = this.out.take();
    if (this.connection.status !== 'established') return;
    this.connection.sendControl(bytes);
    // Queued bytes may not change; and one large batch must not keep its memory for ever.
    if (this.connection.getSendBufferQueueSize() > 0 || bytes.length > 4 * BATCH_BYTES)
      this.out.keep();
  }

  /** Each `ALIVE_MS`: gives a sign of life, and ends a connection whose other end gives none. */
  look(): void {
    const { bytesRead } = this.connection;
    this.#silent = bytesRead === this.#seen ? this.#silent + 1 : 0;
    this.#seen = bytesRead;
    if (this.#silent >= SILENT_LOOKS) {
      this.connection.destroy();
      return;
    }
    writeBare(this.out, KIND.alive);
    this.wrote();
  }

  /** Milliseconds since the other end was last seen to have said anything; to be asked regularly. */
  silentMs(now: number): number {
    const { bytesRead } = this.connection;
    if (bytesRead !== this.#heard) {
      this.#heard = bytesRead;
      this.#heardAt = now;
    }
    return now - this.#heardAt;
  }
}
