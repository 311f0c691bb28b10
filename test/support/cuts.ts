import type { Protocol } from '../../src/protocols/protocol.ts';
import type { Random } from './random.ts';

/** What came of a stream: messages, and the code and close code of the fault that ended it. */
export type Outcome<In> = {
  readonly messages: In[];
  readonly code: string | undefined;
  readonly closeCode: number | undefined;
};

/**
 * Feeds a decoder these pieces, each as a copy that is overwritten as soon as the call is over, as a read buffer would
 * be. Stops at a fault, as a connection does.
 */
export function decoded<In>(
  protocol: Pick<Protocol<In, never>, 'decoder'>,
  pieces: readonly Buffer[],
  maxPackageSize: number = 2 ** 31,
): Outcome<In> {
  const decoder = protocol.decoder({ maxPackageSize });
  const messages: In[] = [];
  for (const piece of pieces) {
    const chunk = Buffer.from(piece);
    messages.push(...decoder.push(chunk));
    chunk.fill(0xaa);
    if (decoder.error) break;
  }
  return { messages, code: decoder.error?.code, closeCode: decoder.error?.closeCode };
}

/** Longest stream that is cut in every way there is: 2^(n-1) ways. */
const EVERY_MAX = 11;

/** Ways to cut a stream: all of them if it is short, else whole, byte by byte, and in two at every place. */
export function* cuts(stream: Buffer): Generator<Buffer[]> {
  const n = stream.length;
  if (n <= EVERY_MAX) {
    for (let bits = 0; bits < 2 ** Math.max(0, n - 1); bits += 1) {
      yield cutAt(
        stream,
        Array.from({ length: n }, (_, i) => i).filter((i) => i > 0 && bits & (1 << (i - 1))),
      );
    }
    return;
  }
  yield [stream];
  yield cutAt(
    stream,
    Array.from({ length: n - 1 }, (_, i) => i + 1),
  );
  for (let at = 1; at < n; at += 1) yield cutAt(stream, [at]);
}

/** One way by chance. */
export function randomCut(stream: Buffer, random: Random): Buffer[] {
  const places = new Set(
    Array.from({ length: random.int(0, 8) }, () => random.int(0, stream.length)),
  );
  return cutAt(
    stream,
    [...places].sort((a, b) => a - b),
  );
}

function cutAt(stream: Buffer, places: readonly number[]): Buffer[] {
  return [0, ...places].map((from, i) => stream.subarray(from, places[i] ?? stream.length));
}

/** Bytes from hex digits, in which spaces are free. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}
