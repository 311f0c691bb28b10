import type { RemoteInfo, Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { unmapped } from '../protocols/forwarded.ts';
import { bytesOf, type Protocol } from '../protocols/protocol.ts';
import type { Worker } from '../worker.ts';
import { type SendResult, tally } from './connection.ts';

/**
 * Where a datagram came from, and the way to answer it. There is no connection behind it: no `onConnect`, no `onClose`,
 * no delivery promised in either direction.
 */
// biome-ignore lint/suspicious/noExplicitAny: what `send` takes is the protocol's
export class UdpConnection<Out = any> {
  /** The Worker that got the datagram. */
  readonly worker: Worker | undefined;
  readonly transport = 'udp';
  readonly #socket: Socket;
  readonly #from: RemoteInfo;
  readonly #protocol: Protocol<unknown, Out>;
  readonly #maxQueue: number;

  /** @internal */
  constructor(
    socket: Socket,
    from: RemoteInfo,
    to: { worker: Worker | undefined; protocol: Protocol<unknown, Out>; maxSendBufferSize: number },
  ) {
    this.worker = to.worker;
    this.#socket = socket;
    this.#from = from;
    this.#protocol = to.protocol;
    this.#maxQueue = to.maxSendBufferSize;
  }

  /**
   * Answers with one datagram; more than 65,507 bytes do not fit one.
   *
   * @returns `true`: given to the kernel; `null`: it waits in the socket's queue; `false`: dropped, the queue is full
   */
  send(data: Out, raw = false): SendResult {
    const bytes = raw ? bytesOf(data as string | Uint8Array) : this.#protocol.encode(data);
    if (bytes.length === 0) return null;
    if (bytes.length > 65_507 || this.#socket.getSendQueueSize() >= this.#maxQueue)
      return this.#failed();
    tally.counts.messages_sent += 1;
    tally.counts.bytes_sent += bytes.length;
    this.#socket.send(bytes, this.#from.port, this.#from.address, (error) => {
      if (error) this.#failed();
    });
    return this.#socket.getSendQueueSize() === 0 ? true : null;
  }

  /** Sends `data`, if given. There is nothing to close. */
  close(data?: Out): void {
    if (data !== undefined) this.send(data);
  }

  #failed(): false {
    tally.counts.send_fail += 1;
    return false;
  }

  getRemoteIp(): string {
    return unmapped(this.#from.address);
  }

  getRemotePort(): number {
    return this.#from.port;
  }

  getRemoteAddress(): string {
    const ip = this.getRemoteIp();
    return ip.includes(':') ? `[${ip}]:${this.#from.port}` : `${ip}:${this.#from.port}`;
  }

  isIpV4(): boolean {
    return !this.isIpV6();
  }

  isIpV6(): boolean {
    return isIPv6(this.getRemoteIp());
  }
}
