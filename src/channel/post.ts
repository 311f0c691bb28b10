import type { SendResult } from '../connections/connection.ts';
import { Line, type LineOptions } from '../inner/line.ts';
import { type ChannelMessage, channelLine, encode } from './format.ts';
import type { ChannelMember } from './owners.ts';

/** Bytes that may wait to be sent to one server; beyond it publishing fails. */
const QUEUE_MAX = 8_388_608;
/** Longest wait for a server's word that it has dealt with all we sent. */
const SYNC_MS = 2000;
/** Subscriptions that are renewed in one write. */
const BATCH = 500;

/** Something published or enqueued, with the name that decides where it goes. */
export type Outgoing = { readonly name: string; readonly bytes: Buffer };

export type PostEvents = {
  open(post: Post, leaving: boolean): void;
  message(post: Post, message: ChannelMessage): void;
  down(post: Post, wasOpen: boolean): void;
  error(post: Post, code: string, message: string): void;
};

/** A client's way to one server: the line, what waits while it is not open, and what must be through before a move. */
export class Post {
  readonly id: string;
  readonly line: Line<ChannelMessage>;
  /** Jobs from there that are being worked on. */
  jobs = 0;
  /** Counts the times that it was open: what belongs to an earlier time means nothing now. */
  time = 0;
  #waiting: Outgoing[] = [];
  #waitingBytes = 0;
  /** Something was published there since it last synced. */
  #dirty = false;
  readonly #syncs = new Map<number, () => void>();
  #lastSync = 0;

  constructor({ id, address }: ChannelMember, options: LineOptions, events: PostEvents) {
    this.id = id;
    this.line = new Line(address, channelLine, options, {
      open: (leaving) => {
        this.time += 1;
        events.open(this, leaving);
        this.#flush();
      },
      message: (message) => {
        if (message.kind === 'synced') this.#synced(message.id);
        else events.message(this, message);
      },
      down: (wasOpen) => {
        this.#dirty = false;
        this.jobs = 0;
        for (const id of [...this.#syncs.keys()]) this.#synced(id);
        events.down(this, wasOpen);
      },
      error: (code, message) => events.error(this, code, message),
    });
  }

  /** Sends something published, or keeps it until the line is open. */
  publish(outgoing: Outgoing): SendResult {
    const { line } = this;
    const { length } = outgoing.bytes;
    if (line.isOpen && line.pending < QUEUE_MAX) {
      this.#dirty = true;
      return line.sendBytes(outgoing.bytes);
    }
    if (line.isOpen || this.#waitingBytes >= QUEUE_MAX) return false;
    this.#waiting.push(outgoing);
    this.#waitingBytes += length;
    return null;
  }

  /** Takes back what has not been sent, for another server. */
  takeBack(): Outgoing[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return waiting;
  }

  /** Sends many messages in few writes. */
  tellAll(messages: readonly ChannelMessage[]): void {
    for (let i = 0; i < messages.length; i += BATCH)
      this.line.sendBytes(Buffer.concat(messages.slice(i, i + BATCH).map(encode)));
  }

  #flush(): void {
    for (const outgoing of this.takeBack()) this.publish(outgoing);
  }

  /** Whether something was published there that may not be through yet. */
  get isDirty(): boolean {
    return this.#dirty && this.line.isOpen;
  }

  /** Calls back once when everything sent there is dealt with, or can be waited for no longer. */
  sync(through: () => void): void {
    this.#dirty = false;
    this.#lastSync += 1;
    const id = this.#lastSync;
    const timer = setTimeout(() => this.#synced(id), SYNC_MS);
    this.#syncs.set(id, () => {
      clearTimeout(timer);
      through();
    });
    this.line.send({ kind: 'sync', id });
  }

  #synced(id: number): void {
    const through = this.#syncs.get(id);
    this.#syncs.delete(id);
    through?.();
  }

  get isSyncing(): boolean {
    return this.#syncs.size > 0;
  }
}
