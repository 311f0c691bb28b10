/**
 * Messages for one receiver that go out together. Receivers that get the same ones share a chain, so that what is put
 * together for the first is there for the others.
 */
class Link {
  readonly #before: Link | undefined;
  readonly #bytes: Buffer;
  readonly count: number;
  readonly size: number;
  next: Link | undefined = undefined;
  #joined: Buffer | undefined = undefined;

  constructor(before: Link | undefined, bytes: Buffer) {
    this.#before = before;
    this.#bytes = bytes;
    this.count = (before?.count ?? 0) + 1;
    this.size = (before?.size ?? 0) + bytes.length;
  }

  is(bytes: Buffer): boolean {
    return this.#bytes === bytes;
  }

  /** All bytes of the chain up to here. */
  joined(): Buffer {
    if (!this.#before) return this.#bytes;
    if (this.#joined) return this.#joined;
    const all = Buffer.allocUnsafe(this.size);
    let end = this.size;
    for (let link: Link | undefined = this; link; link = link.#before) {
      end -= link.#bytes.length;
      all.set(link.#bytes, end);
    }
    this.#joined = all;
    return all;
  }
}

export type { Link };

/** Who gets messages. */
export type Receiver = {
  /** What waits for it in this turn; only the turn writes it. */
  waiting: Link | undefined;
  /** Sends it; called once in each turn that had something for it. */
  flush(): void;
};

/** Gathers what is published in one turn of the event loop, so that each subscriber costs one write and no more. */
export class Turn {
  #first: Link | undefined = undefined;
  #receivers: Receiver[] = [];
  readonly #later: (flush: () => void) => void;

  /** @param later calls back when the turn is over */
  constructor(later: (flush: () => void) => void) {
    this.#later = later;
  }

  /**
   * @param bytes the same object for all who get the same message
   * @returns how many bytes wait for this receiver in this turn
   */
  add(receiver: Receiver, bytes: Buffer): number {
    const before = receiver.waiting;
    let next = before ? before.next : this.#first;
    if (!next?.is(bytes)) {
      next = new Link(before, bytes);
      if (before) before.next = next;
      else this.#first = next;
    }
    receiver.waiting = next;
    if (!before) this.#receivers.push(receiver);
    if (this.#receivers.length === 1 && !before) this.#later(() => this.flush());
    return next.size;
  }

  /** The turn is over. */
  flush(): void {
    const receivers = this.#receivers;
    this.#receivers = [];
    this.#first = undefined;
    for (const receiver of receivers) receiver.flush();
  }
}
