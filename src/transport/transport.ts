/**
 * The seam under a connection: bytes in, bytes out, pause, close. A connection knows nothing else of sockets, so a
 * transport may be a libuv handle, a Node stream or, later, native code that hands over many connections' chunks a turn.
 */

/**
 * What `write` did with the bytes.
 * - `written`: the kernel has all of them.
 * - `queued`: they wait in order; the transport keeps the buffer, which may not change until `drained`.
 * - `failed`: the other end is gone; nothing was taken.
 */
export type WriteResult = 'written' | 'queued' | 'failed';

/** What a transport tells its owner. All calls come from the event loop, never from inside `write` or `pause`. */
export interface Receiver {
  /** Bytes arrived. The chunk is only valid, and only the receiver's to overwrite, during the call. */
  received(chunk: Buffer): void;
  /** All queued bytes have gone to the kernel. */
  drained(): void;
  /** The peer will send no more. The transport stays open for writing until it is destroyed. */
  ended(): void;
  /** Exactly once, whoever ended it, also from inside `destroy`. `error` is set when it was not in good order. */
  closed(error: Error | undefined): void;
}

/** An address and port as the kernel reports them; port 0 and '' for a unix socket. */
export type Endpoint = { readonly address: string; readonly port: number };

export interface Transport {
  readonly kind: 'tcp' | 'unix' | 'ssl';
  /** Begins to read. Called once; nothing is received before. */
  start(receiver: Receiver): void;
  /** Another owner takes over, for example when a handshake is through. */
  receiver: Receiver | undefined;
  write(bytes: Uint8Array): WriteResult;
  /** Bytes taken by `write` that the kernel does not have yet. */
  readonly pendingBytes: number;
  /** Stops reading; what the peer sends then waits in the kernel and at last at the peer. */
  pause(): void;
  resume(): void;
  /**
   * Ends in good order: flushes, sends FIN, reads and drops what still comes, closes when the peer has closed too.
   * Without that last wait, unread bytes would make the kernel answer with RST, which may destroy the last reply.
   *
   * @param flushMs longest wait until the queued bytes are written
   * @param lingerMs longest wait for the peer after that; when either is over the socket is closed as by `destroy`
   */
  finish(flushMs: number, lingerMs: number): void;
  /** Closes now; queued bytes are lost. */
  destroy(): void;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  /** The file descriptor, for people who trace system calls; -1 when there is none any more. */
  readonly fd: number;
}
