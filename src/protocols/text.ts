import { isUtf8 } from 'node:buffer';
import { ProtocolError } from '../errors.ts';
import { bytesOf, type Decoder, type Limits, type Protocol } from './protocol.ts';

/**
 * Lines. A message is UTF-8 text and ends at the first `\n`.
 *
 *     hello  ⇒  68 65 6c 6c 6f 0a
 *
 * Trailing `\r` and `\n` are taken off, so `hi\r\n` is `hi`; an empty line is a message. A line that is longer than
 * `maxPackageSize` is refused before its end arrives. Bytes that are not UTF-8 are refused.
 * Encoding appends `\n`; a line break inside the text makes it several messages at the other end.
 */
export const text: Protocol<string, string> = {
  name: 'text',
  decoder: (limits) => new LineDecoder(limits),
  encode: (message) =>
    typeof message === 'string' ? Buffer.from(`${message}\n`) : lineOf(message),
};

/** What a program without types may send: bytes are UTF-8, a number is its digits. */
function lineOf(message: unknown): Buffer {
  if (typeof message === 'number') return Buffer.from(`${message}\n`);
  return Buffer.concat([bytesOf(message as Uint8Array), END]);
}

const END = Buffer.from('\n');
const LF = 10;
const CR = 13;

/** Cuts a stream into lines. Only new bytes are searched, so a peer that drips bytes costs linear time. */
class LineDecoder implements Decoder<string> {
  error: ProtocolError | undefined = undefined;
  readonly #max: number;
  /** The beginning of an unfinished line; `undefined` between lines, which is where an idle connection rests. */
  #parts: Buffer[] | undefined = undefined;
  held = 0;

  constructor(limits: Limits) {
    this.#max = limits.maxPackageSize;
  }

  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      if (!this.#line(chunk, from, end, lines)) return lines;
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk, from);
    return lines;
  }

  #line(chunk: Buffer, from: number, end: number, lines: string[]): boolean {
    if (this.held + end - from > this.#max) return this.#tooLong(this.held + end - from);
    let line = chunk;
    let start = from;
    let stop = end;
    if (this.#parts) {
      line = Buffer.concat([...this.#parts, chunk.subarray(from, end)]);
      start = 0;
      stop = line.length;
      this.#parts = undefined;
      this.held = 0;
    }
    while (stop > start && line[stop - 1] === CR) stop -= 1;
    // NB: a decoded U+FFFD may be the peer's own, so only then is the slower check needed.
    const message = line.toString('utf8', start, stop);
    if (message.includes('\ufffd') && !isUtf8(line.subarray(start, stop))) {
      this.error = new ProtocolError('TEXT_NOT_UTF8', 'the line is not valid UTF-8', 1007);
      return false;
    }
    lines.push(message);
    return true;
  }

  #keep(chunk: Buffer, from: number): void {
    this.held += chunk.length - from;
    if (this.held > this.#max) {
      this.#tooLong(this.held);
      return;
    }
    this.#parts ??= [];
    this.#parts.push(Buffer.from(chunk.subarray(from)));
  }

  #tooLong(length: number): false {
    const found = `the line has ${length} bytes so far, limit ${this.#max}`;
    this.error = new ProtocolError('PACKAGE_TOO_LARGE', found, 1009);
    return false;
  }
}
