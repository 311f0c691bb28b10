/**
 * The few pieces of Node's own stream layer that a socket without `net.Socket` needs.
 *
 * NB: these are internals, reached through the long-deprecated but still present `process.binding`. What they buy is
 * measured in `bench/README.md`: a third of the memory per connection and 15-20 % of the CPU time per message. Where a
 * Node version no longer has them, `available` is false and every socket goes through `transport/stream.ts`, which
 * uses public API only and behaves the same; the tests run over both.
 */

/** A libuv TCP or pipe handle as Node wraps it. */
export interface StreamHandle {
  readonly fd: number;
  readonly writeQueueSize: number;
  onread: ((this: StreamHandle) => void) | undefined;
  onconnection?: (status: number, client: StreamHandle | undefined) => void;
  readStart(): number;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
  writeBuffer(request: object | null, bytes: Uint8Array): number | object;
  writev(
    request: object | null,
    chunks: readonly Uint8Array[],
    allBuffers: boolean,
  ): number | object;
  shutdown(request: object): number;
  close(): void;
  getpeername?(out: object): number;
  getsockname?(out: object): number;
  setNoDelay?(on: boolean): number;
  setKeepAlive?(on: boolean, seconds: number): number;
}

/** The request of an unfinished write; libuv keeps `buffer`'s memory in use until `oncomplete`. */
export interface WriteRequest {
  oncomplete: (this: WriteRequest, status: number) => void;
  handle: StreamHandle;
  buffer: unknown;
  /** Node 26: set when the write ended before `oncomplete` could be attached. */
  writeStatus?: number | null;
}

type Internals = {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => object;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
  readonly kLastWriteErr?: number;
};

const internals = load();

/** Whether this Node has what is needed. */
export const available: boolean = internals !== undefined;

function load(): Internals | undefined {
  try {
    const binding = (process as unknown as { binding(name: string): Internals }).binding(
      'stream_wrap',
    );
    const numbers = [binding.kReadBytesOrError, binding.kLastWriteWasAsync];
    const whole =
      typeof binding.WriteWrap === 'function' && typeof binding.ShutdownWrap === 'function';
    return whole && numbers.every(Number.isInteger) && binding.streamBaseState
      ? binding
      : undefined;
  } catch {
    // The permission model forbids it, or a later Node has none.
    return undefined;
  }
}

// Absent internals are never used: `available` is asked first. An empty stand-in keeps the hot path free of checks.
const {
  WriteWrap,
  ShutdownWrap,
  streamBaseState,
  kReadBytesOrError,
  kLastWriteWasAsync,
  kLastWriteErr,
} = internals ?? ({} as Internals);

/** Bytes read, or a negative error number; valid inside `onread`. */
export function bytesOrError(): number {
  return streamBaseState[kReadBytesOrError] as number;
}

/** End of file as libuv numbers it. */
export const EOF = -4095;

// A request is only used up by a write that did not finish at once, so the usual write allocates none.
let spare: WriteRequest | undefined;

/**
 * Writes, at once if the kernel takes it.
 *
 * @returns 0 when all is written, a negative error number, or the request of what is still under way: the caller sets
 *          `oncomplete` and `handle` on it
 */
export function write(
  handle: StreamHandle,
  bytes: Uint8Array | readonly Uint8Array[],
): number | WriteRequest {
  if (kLastWriteErr !== undefined) return writeNewStyle(handle, bytes, kLastWriteErr);
  spare ??= new WriteWrap();
  const request = spare;
  const status = dispatch(handle, request, bytes) as number;
  if (status !== 0) return status;
  if (streamBaseState[kLastWriteWasAsync] === 0) return 0;
  spare = undefined;
  return request;
}

/** From Node 26 on the request is made inside, only when there is need for one. */
function writeNewStyle(
  handle: StreamHandle,
  bytes: Uint8Array | readonly Uint8Array[],
  lastError: number,
): number | WriteRequest {
  const result = dispatch(handle, null, bytes);
  if (typeof result === 'number') return result;
  const error = streamBaseState[lastError] as number;
  return error === 0 ? (result as WriteRequest) : error;
}

function dispatch(
  handle: StreamHandle,
  request: object | null,
  bytes: Uint8Array | readonly Uint8Array[],
) {
  return bytes instanceof Uint8Array
    ? handle.writeBuffer(request, bytes)
    : handle.writev(request, bytes, true);
}

/** Sends FIN once what is queued is written. */
export function shutdown(handle: StreamHandle): void {
  const request = Object.assign(new ShutdownWrap(), { oncomplete: () => {} });
  handle.shutdown(request);
}
