import { ProtocolError } from '../errors.ts';

/** Bytes to write and to read, field by field; all numbers big-endian. Pure. */

const FIRST_BYTES = 4096;

/**
 * Gathers packages, one behind the other, until they are taken: many messages are one write.
 *
 * A package is `begin`, its fields, `end`; the length in front is filled in by `end`.
 */
export class Writer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #start = 0;
  /** Bytes gathered. */
  size = 0;

  #room(more: number): void {
    const need = this.size + more;
    if (need <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(need, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.size);
    this.#bytes = larger;
  }

  /** A package of this kind begins. */
  begin(kind: number): this {
    this.#start = this.size;
    this.#room(5);
    this.size += 4;
    return this.u8(kind);
  }

  /** It is complete. */
  end(): void {
    this.#bytes.writeUInt32BE(this.size - this.#start, this.#start);
  }

  u8(value: number): this {
    this.#room(1);
    this.#bytes[this.size] = value;
    this.size += 1;
    return this;
  }

  u32(value: number): this {
    this.#room(4);
    this.#bytes.writeUInt32BE(value, this.size);
    this.size += 4;
    return this;
  }

  /** A number of a connection, or a count that grows for long: 6 bytes. */
  u48(value: number): this {
    this.#room(6);
    this.#bytes.writeUIntBE(value, this.size, 6);
    this.size += 6;
    return this;
  }

  /** A list of such numbers, its length in front. */
  numbers(values: readonly number[]): this {
    this.u32(values.length);
    for (const value of values) this.u48(value);
    return this;
  }

  /** A list of texts, its length in front. */
  names(values: readonly string[]): this {
    this.u32(values.length);
    for (const value of values) this.text(value);
    return this;
  }

  /** Text with its length in front. */
  text(value: string): this {
    this.#room(4 + value.length * 3);
    const length = this.#bytes.write(value, this.size + 4);
    this.#bytes.writeUInt32BE(length, this.size);
    this.size += 4 + length;
    return this;
  }

  /** The rest of the package. */
  rest(value: string | Uint8Array): this {
    if (typeof value === 'string') {
      this.#room(value.length * 3);
      this.size += this.#bytes.write(value, this.size);
    } else {
      this.#room(value.length);
      this.#bytes.set(value, this.size);
      this.size += value.length;
    }
    return this;
  }

  /** What was gathered; valid until the next `begin`, unless `keep` is called. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.size);
    this.size = 0;
    return bytes;
  }

  /** What was taken is still needed, or was large: the next packages go into fresh memory. */
  keep(): void {
    this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }
}

/** Reads the fields of one package. Whatever goes over its end is the peer's fault. */
export class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      const found = `gateway: a field of ${length} bytes where ${this.#bytes.length - at} are left`;
      throw new ProtocolError('PACKAGE_INVALID', found);
    }
    this.#at = at + length;
    return at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  u48(): number {
    return this.#bytes.readUIntBE(this.#take(6), 6);
  }

  numbers(): number[] {
    return this.#list(6, () => this.u48());
  }

  names(): string[] {
    return this.#list(4, () => this.text());
  }

  /** @param least bytes that each element has at least, so that a length alone costs no memory */
  #list<T>(least: number, read: () => T): T[] {
    const count = this.u32();
    if (count * least > this.#bytes.length - this.#at) {
      throw new ProtocolError('PACKAGE_INVALID', `gateway: a list of ${count} that is not there`);
    }
    return Array.from({ length: count }, read);
  }

  text(): string {
    const length = this.u32();
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** So many bytes, copied. */
  bytes(length: number): Buffer {
    const at = this.#take(length);
    return Buffer.from(this.#bytes.subarray(at, at + length));
  }

  /** All that is left, copied. */
  rest(): Buffer {
    return this.bytes(this.#bytes.length - this.#at);
  }

  /** All that is left, as text. */
  restText(): string {
    return this.#bytes.toString('utf8', this.#take(this.#bytes.length - this.#at));
  }

  /** The package must be over. */
  done(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw new ProtocolError('PACKAGE_INVALID', `gateway: ${left} bytes too many`);
  }
}
