import { maskedFrame, maskOf, plainFrame, textOf } from './frames.ts';

/**
 * What is said on a connection:
 * - `websocket`: masked frames, answered by plain ones
 * - `masked`: the same frames, sent back as they are by a server that knows nothing of frames
 * - `text`: lines
 * - `http`: requests, whose answers are measured before the first round
 */
export type Kind = 'websocket' | 'masked' | 'text' | 'http';

/** One message and the answer to it; `undefined` where only its length is known, and only after asking. */
export type Exchange = { readonly ask: Buffer; readonly answer: Buffer | undefined };

/** The exchange number `i`. */
export function exchange(kind: Kind, i: number): Exchange {
  const text = textOf(i);
  switch (kind) {
    case 'websocket':
      return { ask: maskedFrame(text, maskOf(i)), answer: plainFrame(text) };
    case 'masked':
      return same(maskedFrame(text, maskOf(i)));
    case 'text':
      return same(Buffer.from(`${text}\n`));
    case 'http':
      return { ask: request(i), answer: undefined };
  }
}

const same = (bytes: Buffer): Exchange => ({ ask: bytes, answer: bytes });

function request(i: number): Buffer {
  const lines = [
    `GET /?n=${String(i).padStart(8, '0')} HTTP/1.1`,
    'Host: chat.example.org',
    'User-Agent: longshore-bench/1',
    'Accept: */*',
    'Connection: keep-alive',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

/** Messages to choose from, ready to write: `many` of them in portions of `inFlight`, no two the same. */
export function portions(kind: Kind, inFlight: number, many: number): Buffer[] {
  return Array.from({ length: Math.ceil(many / inFlight) }, (_, i) =>
    Buffer.concat(Array.from({ length: inFlight }, (_, j) => exchange(kind, i * inFlight + j).ask)),
  );
}

/** How long a whole HTTP answer is; `undefined` until its head is there. */
export function httpLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const length = /^content-length: *(\d+)\r?$/im.exec(bytes.toString('latin1', 0, end))?.[1];
  return end + 4 + Number(length ?? 0);
}
