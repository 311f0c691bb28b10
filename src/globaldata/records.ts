import { crc32 } from 'node:zlib';
import { LongshoreError } from '../errors.ts';

/**
 * The file in which a global data server keeps what it has: a head, then one record for each change, the last one of a
 * key counts. Pure.
 *
 *     uint32 length of the body | uint32 CRC-32 of the body | body:
 *         uint8 0 | key in UTF-8                                                            deleted
 *         uint8 1 | float64 end in Unix milliseconds, 0: never | uint8 n | key | value      stored
 *
 * All numbers are big-endian.
 */

/** The first bytes of the file. */
export const FILE_HEAD: Buffer = Buffer.from('longshore global data 1\n');

/** One change. Without a value: deleted. */
export type DataRecord = {
  readonly key: string;
  readonly value?: Buffer | undefined;
  /** Unix time in milliseconds at which it ends; 0: never. */
  readonly until: number;
};

const FRAME = 8;
const DELETED = 0;
const STORED = 1;

export function encodeRecord({ key, value, until }: DataRecord): Buffer {
  const name = Buffer.from(key);
  const size = value ? 10 + name.length + value.length : 1 + name.length;
  const bytes = Buffer.allocUnsafe(FRAME + size);
  bytes.writeUInt32BE(size, 0);
  if (value) {
    bytes[FRAME] = STORED;
    bytes.writeDoubleBE(until, FRAME + 1);
    bytes[FRAME + 9] = name.length;
    name.copy(bytes, FRAME + 10);
    value.copy(bytes, FRAME + 10 + name.length);
  } else {
    bytes[FRAME] = DELETED;
    name.copy(bytes, FRAME + 1);
  }
  bytes.writeUInt32BE(crc32(bytes.subarray(FRAME)), 4);
  return bytes;
}

/** Reads records out of a file that comes in chunks. */
export class RecordReader {
  #left: Buffer = Buffer.alloc(0);
  #headSeen = false;
  /** Bytes of the file up to the end of the last good record. */
  good = 0;
  /** What follows is not a record; only zeros, or less than a record announces, may come behind it. */
  #torn = false;

  /**
   * The records that are complete with this chunk.
   *
   * @throws {LongshoreError} `START_FAILED` if the file is another one, or broken before its end
   */
  push(chunk: Buffer): DataRecord[] {
    this.#left = this.#left.length === 0 ? chunk : Buffer.concat([this.#left, chunk]);
    if (!this.#headSeen && !this.#head()) return [];
    const records: DataRecord[] = [];
    while (!this.#torn && this.#left.length >= FRAME) {
      const size = this.#left.readUInt32BE(0);
      if (this.#left.length < FRAME + size) break;
      const body = this.#left.subarray(FRAME, FRAME + size);
      const record = crc32(body) === this.#left.readUInt32BE(4) ? decodeBody(body) : undefined;
      if (record) {
        records.push(record);
        this.good += FRAME + size;
        this.#left = this.#left.subarray(FRAME + size);
      } else {
        this.#torn = true;
      }
    }
    if (this.#torn) this.#checkTail();
    return records;
  }

  #head(): boolean {
    const seen = Math.min(this.#left.length, FILE_HEAD.length);
    if (!this.#left.subarray(0, seen).equals(FILE_HEAD.subarray(0, seen)))
      throw new LongshoreError('START_FAILED', 'this is no file of a global data server');
    if (this.#left.length < FILE_HEAD.length) return false;
    this.good = FILE_HEAD.length;
    this.#left = this.#left.subarray(FILE_HEAD.length);
    this.#headSeen = true;
    return true;
  }

  /**
   * A crash of the machine leaves a last record that is cut short or full of zeros. Anything else was whole once, and
   * whoever threw it away would lose what was promised.
   */
  #checkTail(): void {
    const size = this.#left.readUInt32BE(0);
    const isZero = (bytes: Buffer) => bytes.every((byte) => byte === 0);
    const behind = this.#left.subarray(Math.min(FRAME + size, this.#left.length));
    if (isZero(behind)) return;
    throw new LongshoreError(
      'START_FAILED',
      `the record at byte ${this.good} is broken and others follow; put back a copy, or cut it off there: truncate -s ${this.good}`,
    );
  }

  /** The file is at its end. @returns bytes of it that are no record */
  end(): number {
    return this.#left.length;
  }
}

function decodeBody(body: Buffer): DataRecord | undefined {
  if (body.length > 1 && body[0] === DELETED) return { key: body.toString('utf8', 1), until: 0 };
  const length = body[9] ?? 0;
  if (body[0] !== STORED || length === 0 || body.length <= 10 + length) return undefined;
  const until = body.readDoubleBE(1);
  // A copy: the chunk it is in is large.
  const value = Buffer.from(body.subarray(10 + length));
  return { key: body.toString('utf8', 10, 10 + length), value, until };
}
