import type { Peers } from '../master/messages.ts';

/**
 * Where the servers are that this program's clients may use: what the operator or the master says, kept for those who
 * ask later.
 */
class PeerList {
  #peers: Peers | undefined = undefined;
  #localChannel: string | undefined = undefined;
  readonly #waiting = new Set<() => void>();

  /** A newer list; an older one than is known is ignored. */
  set(peers: Peers): void {
    if (this.#peers && peers.version < this.#peers.version) return;
    this.#peers = peers;
    this.#changed();
  }

  /** The channel server that the master runs for this program. */
  setLocalChannel(address: string): void {
    this.#localChannel = address;
    this.#changed();
  }

  /** `HOST:PORT` or `unix:///path` of each channel server; `undefined` while nothing is known. */
  get channel(): readonly string[] | undefined {
    if (this.#peers?.channel.length) return this.#peers.channel;
    return this.#localChannel === undefined ? undefined : [this.#localChannel];
  }

  /** Called at every change, until the returned function is called. */
  watch(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => void this.#waiting.delete(callback);
  }

  #changed(): void {
    for (const callback of this.#waiting) callback();
  }
}

/** The list of this process. */
export const peers: PeerList = new PeerList();
