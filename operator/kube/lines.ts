/** A line was longer than allowed; what follows it cannot be read. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines, however it arrives, in time linear in its bytes. Pure. */
export class Lines {
  readonly #maxBytes: number;
  /** The line that has no end yet. */
  #parts: Buffer[] = [];
  #size = 0;

  /** @param maxBytes longest line, without its end */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The lines that this chunk ends, without the empty ones. The chunk must not be changed afterwards.
   *
   * @throws {LineTooLong}
   */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      this.#add(chunk.subarray(from, to));
      const line = Buffer.concat(this.#parts, this.#size).toString('utf8');
      this.#parts = [];
      this.#size = 0;
      if (line.trim() !== '') lines.push(line);
      from = to + 1;
    }
    if (from < chunk.length) this.#add(chunk.subarray(from));
    return lines;
  }

  #add(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > this.#maxBytes)
      throw new LineTooLong(`a line is over the limit of ${this.#maxBytes} bytes`);
    this.#parts.push(part);
  }
}
