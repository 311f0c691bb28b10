import { getSystemErrorName } from 'node:util';
import { unmapped } from '../protocols/forwarded.ts';
import {
  bytesOrError,
  EOF,
  type StreamHandle,
  shutdown,
  type WriteRequest,
  write,
} from './libuv.ts';
import type { Endpoint, Receiver, Transport, WriteResult } from './transport.ts';

/**
 * A socket straight on its libuv handle: no `net.Socket`, no streams, one read buffer for the whole process.
 *
 * Writing: at most one request is under way. What is written meanwhile waits in `#queue` and goes out as one `writev`.
 * Invariant: `#queue` is defined exactly while a request is under way.
 */

/** Where every read of the process lands; a chunk is used up before the next read begins. */
export const readBuffer: Buffer = Buffer.allocUnsafeSlow(65_536);

const owner = Symbol('longshore.transport');
type OwnedHandle = StreamHandle & { [owner]: HandleTransport | undefined };

export class HandleTransport implements Transport {
  readonly kind: 'tcp' | 'unix';
  receiver: Receiver | undefined = undefined;
  #handle: OwnedHandle | undefined;
  #queue: Uint8Array[] | undefined = undefined;
  #queuedBytes = 0;
  #finishing = false;
  #peerEnded = false;
  #lingerMs = 0;
  #lingering: NodeJS.Timeout | undefined = undefined;
  readonly #remote: Endpoint;

  /** @param handle an accepted or connected handle that nobody else reads from */
  constructor(handle: StreamHandle, kind: 'tcp' | 'unix') {
    this.kind = kind;
    this.#handle = handle as OwnedHandle;
    // Asked now because after a reset the kernel no longer knows it.
    this.#remote = endpoint(handle.getpeername, handle);
    this.#handle[owner] = this;
    handle.onread = onRead;
    handle.useUserBuffer(readBuffer);
  }

  start(receiver: Receiver): void {
    this.receiver = receiver;
    this.#handle?.readStart();
  }

  write(bytes: Uint8Array): WriteResult {
    const handle = this.#handle;
    if (!handle || this.#finishing) return 'failed';
    if (this.#queue) {
      this.#queue.push(bytes);
      this.#queuedBytes += bytes.length;
      return 'queued';
    }
    const request = write(handle, bytes);
    if (request === 0) return 'written';
    if (typeof request === 'number') return 'failed';
    this.#underWay(handle, request, bytes);
    return this.#handle ? 'queued' : 'failed';
  }

  #underWay(handle: OwnedHandle, request: WriteRequest, buffer: unknown): void {
    this.#queue = [];
    request.handle = handle;
    request.buffer = buffer;
    request.oncomplete = onWritten;
    // It may have ended before `oncomplete` was there; then its status waits to be fetched.
    if (typeof request.writeStatus === 'number')
      queueMicrotask(() => onWritten.call(request, request.writeStatus ?? 0));
  }

  /** A write that had to wait is through. */
  wrote(status: number): void {
    const queue = this.#queue;
    if (!this.#handle || !queue) return;
    if (status < 0) {
      this.#close(failure(status, 'write'));
      return;
    }
    this.#queue = undefined;
    if (queue.length > 0) this.#writeQueue(this.#handle, queue);
    else this.#empty();
  }

  #empty(): void {
    if (this.#finishing) this.#shutdown();
    else this.receiver?.drained();
  }

  #writeQueue(handle: OwnedHandle, queue: Uint8Array[]): void {
    this.#queuedBytes = 0;
    const request = write(handle, queue);
    if (request === 0) this.#empty();
    else if (typeof request === 'number') this.#close(failure(request, 'write'));
    else this.#underWay(handle, request, queue);
  }

  /** Bytes or an error number arrived. */
  read(count: number): void {
    if (count > 0) {
      if (!this.#finishing) this.receiver?.received(readBuffer.subarray(0, count));
    } else if (count === EOF) {
      this.#peerEnded = true;
      if (!this.#finishing) this.receiver?.ended();
      else if (!this.#queue) this.#close(undefined);
    } else if (count < 0) {
      this.#close(failure(count, 'read'));
    }
  }

  get pendingBytes(): number {
    return this.#queue ? this.#queuedBytes + (this.#handle?.writeQueueSize ?? 0) : 0;
  }

  pause(): void {
    this.#handle?.readStop();
  }

  resume(): void {
    if (!this.#peerEnded) this.#handle?.readStart();
  }

  finish(flushMs: number, lingerMs: number): void {
    if (!this.#handle || this.#finishing) return;
    this.#finishing = true;
    this.#lingerMs = lingerMs;
    this.#closeIn(flushMs);
    if (!this.#queue) this.#shutdown();
  }

  #shutdown(): void {
    if (!this.#handle) return;
    if (this.#peerEnded) {
      this.#close(undefined);
      return;
    }
    shutdown(this.#handle);
    this.#closeIn(this.#lingerMs);
    // It may have been paused; the peer's FIN is only seen by reading on.
    this.#handle.readStart();
  }

  #closeIn(ms: number): void {
    clearTimeout(this.#lingering);
    this.#lingering = setTimeout(() => this.#close(undefined), ms);
  }

  destroy(): void {
    this.#close(undefined);
  }

  #close(error: Error | undefined): void {
    const handle = this.release();
    if (!handle) return;
    handle.close();
    this.receiver?.closed(error);
  }

  /** Gives the handle away, reading stopped, for example to `node:http`; this transport is over without `closed`. */
  release(): StreamHandle | undefined {
    const handle = this.#handle;
    if (!handle) return undefined;
    handle.readStop();
    handle[owner] = undefined;
    clearTimeout(this.#lingering);
    this.#handle = undefined;
    this.#queue = undefined;
    this.#queuedBytes = 0;
    return handle;
  }

  get remote(): Endpoint {
    return this.#remote;
  }

  get local(): Endpoint {
    return endpoint(this.#handle?.getsockname, this.#handle);
  }

  get fd(): number {
    return this.#handle?.fd ?? -1;
  }
}

function onRead(this: StreamHandle): void {
  (this as OwnedHandle)[owner]?.read(bytesOrError());
}

function onWritten(this: WriteRequest, status: number): void {
  this.buffer = undefined;
  (this.handle as OwnedHandle)[owner]?.wrote(status);
}

function failure(status: number, syscall: string): Error {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}

const nowhere: Endpoint = { address: '', port: 0 };

function endpoint(
  ask: ((out: object) => number) | undefined,
  handle: StreamHandle | undefined,
): Endpoint {
  if (!ask || !handle) return nowhere;
  const out = { address: '', port: 0 };
  return ask.call(handle, out) === 0 ? { address: unmapped(out.address), port: out.port } : nowhere;
}
