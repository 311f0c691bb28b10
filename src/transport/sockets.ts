import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ENV } from '../contract.ts';
import { HandleTransport, readBuffer } from './handle.ts';
import { available, type StreamHandle } from './libuv.ts';
import { StreamTransport } from './stream.ts';
import type { Transport } from './transport.ts';

/** Whether plain sockets go without `net.Socket`: see `libuv.ts`. */
export const usesHandles: boolean = available && process.env[ENV.transport] !== 'stream';

/** A transport of a handle that was just accepted. */
export function transportOfHandle(handle: StreamHandle): Transport {
  return new HandleTransport(handle, handle.getpeername ? 'tcp' : 'unix');
}

/**
 * A transport of a socket that Node made: connected by `net.connect`, upgraded by `node:http`, or TLS. Where handles are
 * used, a plain socket gives its handle up and is garbage afterwards. The socket must not have unread data.
 */
export function transportOfSocket(socket: Socket | TLSSocket): Transport {
  const kind = 'encrypted' in socket ? 'ssl' : socket.remoteFamily === undefined ? 'unix' : 'tcp';
  if (kind === 'ssl' || !usesHandles) return new StreamTransport(socket, kind);
  const holder = socket as unknown as { _handle: StreamHandle | null };
  const handle = holder._handle;
  if (!handle || typeof handle.useUserBuffer !== 'function' || socket.writableLength > 0) {
    return new StreamTransport(socket, kind);
  }
  handle.readStop();
  socket.removeAllListeners();
  socket.setTimeout(0);
  holder._handle = null;
  return new HandleTransport(handle, kind);
}

/**
 * The other way round: a transport's connection as a socket, for `node:http` and `node:tls`. The transport is over. The
 * socket may be paused; `node:http` needs a `resume` after it has taken it, `node:tls` must not have one before.
 *
 * @param rest bytes that were received already and are to be read first; copied
 * @returns `undefined` if the connection is closed
 */
export function socketOf(transport: Transport, rest: Buffer): Socket | undefined {
  const socket =
    transport instanceof StreamTransport
      ? transport.release()
      : socketOfHandle(transport as HandleTransport);
  if (socket && rest.length > 0) socket.unshift(Buffer.from(rest));
  return socket;
}

function socketOfHandle(transport: HandleTransport): Socket | undefined {
  const handle = transport.release();
  if (!handle) return undefined;
  // The handle goes on reading into the shared buffer, so each chunk is copied out of it.
  const onread = {
    buffer: readBuffer,
    callback(this: Socket, count: number, buffer: Uint8Array): boolean {
      return this.push(Buffer.from(buffer.subarray(0, count)));
    },
  };
  const options = { handle, allowHalfOpen: true, readable: true, writable: true, onread };
  return new Socket(options as object);
}
