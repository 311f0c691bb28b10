/**
 * Small messages on their way into one write.
 *
 * When one chunk from a peer holds many messages, the answers to all but the last would each cost a system call. They
 * are gathered here and written once, with the last. Only one connection of a process is handling a chunk at a time,
 * so there is one outbox for all of them.
 */

const CAPACITY = 65_536;

let buffer = Buffer.allocUnsafeSlow(CAPACITY);
let size = 0;

export const outbox = {
  /** Bytes gathered and not yet taken. */
  get size(): number {
    return size;
  },
  /** Whether `length` bytes more go in. */
  fits(length: number): boolean {
    return size + length <= CAPACITY;
  },
  add(bytes: Uint8Array): void {
    buffer.set(bytes, size);
    size += bytes.length;
  },
  /** Encodes a message behind what was gathered; false if there is no room for it. */
  encode<Out>(
    encodeInto: (message: Out, out: Buffer, at: number) => number,
    message: Out,
  ): boolean {
    const written = encodeInto(message, buffer, size);
    if (written < 0) return false;
    size += written;
    return true;
  },
  /** What was gathered; valid until the next `add`, unless `keep` is called. */
  take(): Buffer {
    const bytes = buffer.subarray(0, size);
    size = 0;
    return bytes;
  },
  /** The taken bytes are still needed (they are queued), so later ones go into fresh memory. */
  keep(): void {
    buffer = Buffer.allocUnsafeSlow(CAPACITY);
  },
};
