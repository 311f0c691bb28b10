import { tally } from '../connections/connection.ts';
import { ProtocolError } from '../errors.ts';
import { log } from '../log.ts';
import { readProxyHeader } from '../protocols/proxy.ts';
import type { Endpoint, Receiver, Transport } from '../transport/transport.ts';

/** Goes on with a connection: `peer` is who the proxy says the client is, `rest` what came behind the header. */
export type Next = (transport: Transport, peer: Endpoint | undefined, rest: Buffer) => void;

/**
 * Reads the PROXY header in front of a connection.
 *
 * A connection that does not begin with one, or not within `timeoutMs`, is closed: behind a proxy that is set to send
 * the header, everything else is a misconfiguration or somebody who went around the proxy.
 */
export function readProxy(transport: Transport, timeoutMs: number, next: Next): void {
  transport.start(new ProxyReader(transport, timeoutMs, next));
}

class ProxyReader implements Receiver {
  readonly #transport: Transport;
  readonly #next: Next;
  readonly #timer: NodeJS.Timeout;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(transport: Transport, timeoutMs: number, next: Next) {
    this.#transport = transport;
    this.#next = next;
    this.#timer = setTimeout(() => this.#refuse('no PROXY header in time'), timeoutMs);
  }

  received(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    try {
      const header = readProxyHeader(this.#bytes);
      if (!header) return;
      clearTimeout(this.#timer);
      this.#transport.pause();
      const peer = header.source && { address: header.source.address, port: header.source.port };
      this.#next(this.#transport, peer, this.#bytes.subarray(header.size));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error.message);
    }
  }

  #refuse(why: string): void {
    tally.counts.packet_err += 1;
    log.warn(`connection from ${this.#transport.remote.address} refused: ${why}`);
    this.#transport.destroy();
  }

  drained(): void {}

  ended(): void {
    this.#transport.destroy();
  }

  closed(): void {
    clearTimeout(this.#timer);
  }
}
