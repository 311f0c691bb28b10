import type { TcpConnection } from '../connections/tcp.ts';
import { type ChannelMessage, encode } from './format.ts';
import type { Link, Receiver, Turn } from './turn.ts';

/** What one subscriber may have waiting. Beyond it events are dropped, and it is told how many. */
export type SessionBounds = { readonly maxBytes: number };

/** The server's end of a client: what goes to it, and what was dropped because it reads too slowly. */
export class Session implements Receiver {
  readonly connection: TcpConnection<ChannelMessage, ChannelMessage>;
  /** The client is a server of this name. */
  member: string | undefined = undefined;
  waiting: Link | undefined = undefined;
  /** Messages of it that wait until it is clear whose their channel is. */
  held = 0;
  /** Called when `held` is 0 again. */
  readonly whenNoneHeld: (() => void)[] = [];
  /** Servers to which publications of it went on since it last synced. */
  readonly forwardedTo: Set<string> = new Set();
  readonly #turn: Turn;
  readonly #maxBytes: number;
  readonly #lost = new Map<string, number>();
  /** Answers that may be long, and wait until there is room for them. */
  readonly #postponed: (() => void)[] = [];
  #pending = 0;

  constructor(connection: TcpConnection, turn: Turn, { maxBytes }: SessionBounds) {
    this.connection = connection;
    this.#turn = turn;
    this.#maxBytes = maxBytes;
    connection.onBufferDrain = () => this.#drained();
  }

  /** Whether it must read before it gets more. */
  get isFull(): boolean {
    return this.#pending >= this.#maxBytes;
  }

  /**
   * Hands an event over, together with all others of this turn.
   *
   * @param bytes the same object for every subscriber
   * @returns false if it was dropped; it is counted
   */
  deliver(channel: string, bytes: Buffer): boolean {
    if (this.#pending < this.#maxBytes) {
      const size = this.#turn.add(this, bytes);
      // Without a turn's end in sight nothing tells that it has grown too large.
      if (this.#pending + size >= this.#maxBytes) this.flush();
      return true;
    }
    this.#lost.set(channel, (this.#lost.get(channel) ?? 0) + 1);
    return false;
  }

  flush(): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting) this.#send(waiting.joined());
  }

  /** Sends one message at once, behind all that waits. */
  tell(message: ChannelMessage): void {
    this.tellBytes(encode(message));
  }

  tellBytes(bytes: Buffer): void {
    this.flush();
    this.#send(bytes);
  }

  #send(bytes: Buffer): void {
    this.connection.send(bytes as never, true);
    this.#pending = this.connection.getSendBufferQueueSize();
  }

  /** Answers now, or when the client has read what it has waiting; in the order of the calls. */
  whenRoom(answer: () => void): void {
    if (this.isFull || this.#postponed.length > 0) this.#postponed.push(answer);
    else answer();
  }

  #drained(): void {
    this.#pending = 0;
    for (const [name, count] of this.#lost) this.tell({ kind: 'lost', name, count });
    this.#lost.clear();
    while (this.#postponed.length > 0 && !this.isFull) this.#postponed.shift()?.();
  }

  /** A message that was held is through. */
  released(): void {
    this.held -= 1;
    if (this.held > 0) return;
    for (const call of this.whenNoneHeld.splice(0)) call();
  }
}
