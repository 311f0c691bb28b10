import { ProtocolError, protocolErrorOf } from '../errors.ts';
import type { Decoder, Limits, Protocol } from './protocol.ts';

/** A format as three functions: where does a message end, what is in it, and back. */
export type PackageFormat<In, Out> = {
  readonly name: string;
  /**
   * Looks at bytes that begin at a message's first byte.
   *
   * @param seen how many of these bytes were there when the answer was last 0, so that a search for a delimiter can
   *             go on from there instead of from byte 0
   * @returns the whole length of that message, header included (it may be more than is there yet, and is then not
   *          asked again); 0 for "cannot tell yet"; a negative number for "this is not our format"
   * @throws {ProtocolError} the same as a negative number, with a reason
   */
  input(buffer: Buffer, seen: number): number;
  /** The message in exactly that many bytes. The bytes are only valid during the call: copy what you keep. */
  decode(bytes: Buffer): In;
  /** The bytes of one message. */
  encode(message: Out): string | Uint8Array;
};

/**
 * Makes a protocol of Workerman's three functions `input`, `decode` and `encode`.
 *
 * Whatever `input` or `decode` throws counts as the peer's fault and ends that connection.
 *
 * @example
 * const jsonLines = packages({
 *   name: 'jsonl',
 *   input: (buffer, seen) => buffer.indexOf(10, seen) + 1,
 *   decode: (bytes) => JSON.parse(bytes.toString()),
 *   encode: (value) => `${JSON.stringify(value)}\n`,
 * });
 */
export function packages<In, Out>(format: PackageFormat<In, Out>): Protocol<In, Out> {
  return {
    name: format.name,
    decoder: (limits) => new PackageDecoder(format, limits),
    encode(message) {
      const bytes = format.encode(message);
      return typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    },
  };
}

/**
 * Cuts a stream as a `PackageFormat` says.
 *
 * Invariant: `#size <= #held.length`; the held bytes begin at a message's first byte. The buffer doubles when it is
 * full, so a message that comes in n pieces is copied O(its length) and not O(n × its length); it never grows ahead
 * of the bytes that really came, whatever a length field promises.
 */
class PackageDecoder<In> implements Decoder<In> {
  error: ProtocolError | undefined = undefined;
  readonly #format: PackageFormat<In, never>;
  readonly #max: number;
  #held: Buffer | undefined = undefined;
  #size = 0;
  /** Length of the message at the front, once it is known; 0 until then. */
  #need = 0;
  #seen = 0;

  constructor(format: PackageFormat<In, never>, limits: Limits) {
    this.#format = format;
    this.#max = limits.maxPackageSize;
  }

  get held(): number {
    return this.#size;
  }

  push(chunk: Buffer): In[] {
    const messages: In[] = [];
    const buffer = this.#held ? this.#append(this.#held, chunk) : chunk;
    try {
      this.#keep(buffer, this.#cut(buffer, messages));
    } catch (error) {
      this.#held = undefined;
      this.#size = 0;
      this.error = protocolErrorOf(this.#format.name, error);
    }
    return messages;
  }

  /** Takes whole messages off the front; gives where the unfinished one begins. */
  #cut(buffer: Buffer, messages: In[]): number {
    let from = 0;
    while (from < buffer.length) {
      if (this.#need === 0) {
        this.#need = this.#checked(this.#format.input(buffer.subarray(from), this.#seen));
      }
      if (this.#need === 0) {
        this.#seen = buffer.length - from;
        this.#checked(this.#seen);
        break;
      }
      if (buffer.length - from < this.#need) break;
      const end = from + this.#need;
      this.#need = 0;
      this.#seen = 0;
      messages.push(this.#format.decode(buffer.subarray(from, end)));
      from = end;
    }
    return from;
  }

  #checked(length: number): number {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new ProtocolError(
        'PACKAGE_INVALID',
        `${this.#format.name}: input() answered ${length}`,
      );
    }
    if (length > this.#max) {
      const found = `${this.#format.name}: a message of ${length} bytes, limit ${this.#max}`;
      throw new ProtocolError('PACKAGE_TOO_LARGE', found, 1009);
    }
    return length;
  }

  #append(held: Buffer, chunk: Buffer): Buffer {
    const size = this.#size + chunk.length;
    let room = held;
    if (size > held.length) {
      room = Buffer.allocUnsafeSlow(Math.max(size, held.length * 2));
      held.copy(room, 0, 0, this.#size);
      this.#held = room;
    }
    room.set(chunk, this.#size);
    this.#size = size;
    return room.subarray(0, size);
  }

  #keep(buffer: Buffer, from: number): void {
    const rest = buffer.length - from;
    if (rest === 0) this.#held = undefined;
    else if (this.#held && from === 0) return;
    else this.#held = Buffer.from(buffer.subarray(from));
    this.#size = rest;
  }
}
