import * as ws from 'ws';

/** The parts of `ws` that we use for compression, typed here because its type package lacks them. */

/** One connection's compressor and decompressor. */
export interface Deflater {
  /** Chooses among a client's offers; throws if none is acceptable. */
  accept(offers: readonly object[]): object;
  /** What a client offers. */
  offer(): object;
  compress(
    data: Uint8Array,
    fin: boolean,
    done: (error: Error | null, result: Buffer) => void,
  ): void;
  decompress(
    data: Uint8Array,
    fin: boolean,
    done: (error: Error | null, result: Buffer) => void,
  ): void;
  /** Frees both; callbacks under way are told an error. */
  cleanup(): void;
}

export type DeflaterOptions = {
  readonly isServer: boolean;
  readonly maxPayload: number;
  readonly threshold: number;
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
};

const parts = ws as unknown as {
  PerMessageDeflate: new (options: DeflaterOptions) => Deflater;
  extension: {
    parse(header: string): Record<string, object[]>;
    format(extensions: Record<string, object[]>): string;
  };
};

export const newDeflater = (options: DeflaterOptions): Deflater =>
  new parts.PerMessageDeflate(options);

/** `Sec-WebSocket-Extensions` to and from values (RFC 6455 section 9.1). */
export const extensions: {
  parse(header: string): Record<string, object[]>;
  format(extensions: Record<string, object[]>): string;
} = parts.extension;
