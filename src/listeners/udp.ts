import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { Address } from '../address.ts';
import { failed, tally, watch } from '../connections/connection.ts';
import { UdpConnection } from '../connections/udp.ts';
import type { Decoder } from '../protocols/protocol.ts';
import type { AnyWorker } from '../worker.ts';
import type { AnyProtocol } from '../worker-types.ts';
import { listenError } from './stream-server.ts';

export type UdpOptions = {
  readonly worker: AnyWorker;
  readonly address: Address;
  readonly protocol: AnyProtocol;
  readonly maxPackageSize: number;
  readonly maxSendBufferSize: number;
  /** Do not receive before `receive` is called. */
  readonly hold: boolean;
};

/** A UDP socket. Each datagram is one message, or as many as the Worker's protocol finds whole in it. */
export class UdpServer {
  readonly address: Address;
  readonly #socket: Socket;
  readonly #options: UdpOptions;

  private constructor(socket: Socket, options: UdpOptions) {
    this.#socket = socket;
    this.#options = options;
    this.address = { ...options.address, port: socket.address().port };
    if (!options.hold) this.receive();
  }

  /** @throws {LongshoreError} `PORT_TAKEN` or `START_FAILED` */
  static async open(options: UdpOptions): Promise<UdpServer> {
    const socket = await bind(options);
    socket.on('error', (error) => failed('udp socket', error));
    return new UdpServer(socket, options);
  }

  /** Begins to hand datagrams to the Worker. */
  receive(): void {
    this.#socket.on('message', (datagram, from) =>
      receive(datagram, from, this.#socket, this.#options),
    );
  }

  get fd(): number {
    const symbols = Object.getOwnPropertySymbols(this.#socket);
    const state = symbols.find((symbol) => symbol.description === 'state symbol');
    const holder =
      state && (this.#socket as unknown as Record<symbol, { handle?: { fd?: number } }>)[state];
    return holder?.handle?.fd ?? -1;
  }

  /** Stops receiving. What the kernel has queued is lost. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#socket.once('close', resolve));
    this.#socket.close();
    await closed;
  }
}

function bind({ worker, address }: UdpOptions): Promise<Socket> {
  const type = address.host.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket({ type, reusePort: worker.reusePort });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  socket.once('error', (error) => reject(listenError(error, address)));
  socket.bind({ port: address.port, address: address.host, exclusive: true }, () => {
    socket.removeAllListeners('error');
    resolve(socket);
  });
  return promise;
}

function receive(datagram: Buffer, from: RemoteInfo, socket: Socket, options: UdpOptions): void {
  tally.counts.total_request += 1;
  tally.counts.bytes_received += datagram.length;
  const { worker, protocol } = options;
  const connection = new UdpConnection(socket, from, options);
  const decoder = protocol.decoder(options);
  for (const message of messagesIn(decoder, datagram)) {
    try {
      watch('onMessage', worker.onMessage?.(connection, message));
    } catch (error) {
      failed('onMessage', error);
    }
  }
}

/** What cannot be decoded, in whatever way the decoder says so, is dropped. */
function messagesIn(decoder: Decoder<unknown>, datagram: Buffer): readonly unknown[] {
  try {
    const messages = decoder.push(datagram);
    if (decoder.error) tally.counts.packet_err += 1;
    return messages;
  } catch {
    tally.counts.packet_err += 1;
    return [];
  }
}
