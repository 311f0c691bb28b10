import { describe, expect, it } from '@jest/globals';
import { websocket } from '../../src/protocols/websocket.ts';
import { Compressed, Control, FrameDecoder } from '../../src/protocols/websocket-frames.ts';
import { decoded, hex } from '../support/cuts.ts';
import { frameOf, MASK, masked } from '../support/frames.ts';
import { Random } from '../support/random.ts';

const server = websocket({ role: 'server', deflate: false });
const client = websocket({ role: 'client', deflate: false, mask: () => MASK });
const zeroes = websocket({ role: 'client', deflate: false, mask: () => Buffer.alloc(4) });

const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000];

/** Text of so many bytes: ASCII, and with a three-byte character so that characters and bytes differ in number. */
const texts = (bytes: number) => [
  'x'.repeat(bytes),
  '€'.repeat(Math.floor(bytes / 3)) + 'x'.repeat(bytes % 3),
];

const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe('frames out', () => {
  it.each([
    ['a text of a server', server.encode('Hello'), '81 05 48656c6c6f'],
    ['an empty text', server.encode(''), '81 00'],
    ['bytes of a server', server.encode(hex('ff00')), '82 02 ff00'],
    ['a text of a client', client.encode('Hello'), '81 85 37fa213d 7f9f4d5158'],
    ['a text under an all-zero mask', zeroes.encode('Hello'), '81 85 00000000 48656c6c6f'],
    ['an empty ping of a client', zeroes.ping?.(), '89 80 00000000'],
    ['a ping of a server', server.ping?.(Buffer.from('Hello')), '89 05 48656c6c6f'],
    ['a normal close', server.closing?.(1000, ''), '88 02 03e8'],
    ['a close with a reason', server.closing?.(1001, 'bye'), '88 05 03e9 627965'],
    ['a close without a code', server.closing?.(1005, 'nobody sees this'), '88 00'],
    ['a close of a client', zeroes.closing?.(1000, ''), '88 82 00000000 03e8'],
    ['a deflated text', server.deflated(false, hex('aabb')), 'c1 02 aabb'],
    ['deflated bytes of a client', zeroes.deflated(true, hex('aa')), 'c2 81 00000000 aa'],
    ['126 bytes', server.encode(Buffer.alloc(126)).subarray(0, 4), '82 7e 007e'],
    ['65536 bytes', server.encode(Buffer.alloc(65_536)).subarray(0, 10), '82 7f 0000000000010000'],
  ])('%s is as the standard says', (_, bytes, expected) => {
    expect(Buffer.from(bytes ?? [])).toEqual(hex(expected));
  });

  it.each(SIZES)('a message of %i bytes comes out as it went in, in both roles', (size) => {
    for (const message of [...texts(size), Buffer.alloc(size, 0xfe)]) {
      const first = typeof message === 'string' ? 0x81 : 0x82;
      expect(isSame(server.encode(message), frameOf(first, message))).toBe(true);
      expect(isSame(client.encode(message), masked(first, message))).toBe(true);
      for (const [to, from] of [
        [client, server],
        [server, client],
      ] as const) {
        const { messages } = decoded(to, [Buffer.from(from.encode(message))]);
        expect(messages).toHaveLength(1);
        expect(isSame(Buffer.from(messages[0] as string), Buffer.from(message as string))).toBe(
          true,
        );
        expect(typeof messages[0]).toBe(typeof message);
      }
    }
  });

  it.each([126, 65_536])('measures text in bytes, not characters, around %i', (bound) => {
    const out = Buffer.alloc(bound * 3 + 20);
    for (const chars of [bound - 3, bound - 2, bound - 1]) {
      const message = `é${'x'.repeat(chars - 1)}`;
      const frame = frameOf(0x81, message);
      expect(isSame(server.encode(message), frame)).toBe(true);
      expect(isSame(out.subarray(0, server.encodeInto?.(message, out, 0)), frame)).toBe(true);
      expect(decoded(server, [Buffer.from(client.encode(message))]).messages).toEqual([message]);
    }
  });

  it('asks for a fresh mask for every frame', () => {
    let n = 0;
    const counting = websocket({
      role: 'client',
      deflate: false,
      mask: () => Buffer.alloc(4, ++n),
    });
    const frames = [counting.encode('a'), counting.encode('a'), counting.ping?.()];
    expect(frames.map((frame) => frame?.[2])).toEqual([1, 2, 3]);
  });

  it('refuses to be a client without a source of masks', () => {
    expect(() => websocket({ role: 'client', deflate: false })).toThrow(/mask/);
  });

  it('keeps pings and closes within 125 bytes, at a whole character', () => {
    const ping = server.ping?.(Buffer.alloc(200, 1)) as Buffer;
    expect(isSame(ping, frameOf(0x89, Buffer.alloc(125, 1)))).toBe(true);
    const close = Buffer.from(server.closing?.(1001, '€'.repeat(100)) ?? []);
    expect(close.length).toBe(2 + 2 + 41 * 3);
    expect(decoded(client, [close]).messages).toEqual([
      new Control(8, close.subarray(2), 1001, '€'.repeat(41)),
    ]);
  });

  it('gives a broadcast the same bytes again, and never those of another message', () => {
    const first = server.encode('news');
    expect(server.encode('news')).toBe(first);
    expect(server.encode('olds')).not.toEqual(first);
    expect(server.encode('news')).toEqual(frameOf(0x81, 'news'));
    expect(server.encode(Buffer.from('news'))).toEqual(frameOf(0x82, 'news'));
    expect(first).toEqual(frameOf(0x81, 'news'));
    const long = 'x'.repeat(5000);
    expect(isSame(server.encode(long), server.encode(long))).toBe(true);
  });

  it('does not remember bytes, which the program may change', () => {
    const bytes = Buffer.from('a');
    server.encode(bytes);
    bytes[0] = 0x62;
    expect(server.encode(bytes)).toEqual(frameOf(0x82, 'b'));
  });
});

describe('frames out, straight into a buffer', () => {
  it('are the same bytes, at any place, for any message', () => {
    const random = new Random(6);
    const out = Buffer.alloc(250_000);
    const sizes = [0, 1, 40, 41, 42, 124, 125, 126, 127, 21_844, 32_768, 65_535, 65_536, 70_000];
    for (const size of sizes) {
      for (const message of [
        random.text(Math.min(size, 2000)),
        ...texts(size),
        Buffer.alloc(size),
      ]) {
        const at = random.int(0, 20);
        const bytes = server.encode(message);
        expect(server.encodeInto?.(message, out, at)).toBe(bytes.length);
        expect(isSame(out.subarray(at, at + bytes.length), bytes)).toBe(true);
      }
    }
  });

  it('replace half a surrogate pair as the other way of encoding does', () => {
    const out = Buffer.alloc(100);
    const size = server.encodeInto?.('a\ud800', out, 0);
    expect(out.subarray(0, size)).toEqual(server.encode('a\ud800'));
  });

  it('are not written where there is not room for certain', () => {
    const out = Buffer.alloc(100, 0xee);
    expect(server.encodeInto?.('x'.repeat(31), out, 0)).toBe(-1);
    expect(server.encodeInto?.('x'.repeat(30), out, 1)).toBe(-1);
    expect(server.encodeInto?.(Buffer.alloc(91), out, 0)).toBe(-1);
    expect(out.every((byte) => byte === 0xee)).toBe(true);
    expect(server.encodeInto?.('x'.repeat(30), out, 0)).toBe(32);
    expect(server.encodeInto?.(Buffer.alloc(90), out, 0)).toBe(92);
  });

  it('are for servers only, since a client needs a mask', () => {
    expect(client.encodeInto).toBeUndefined();
  });
});

describe('reactions', () => {
  const hello = Buffer.from('Hello');

  it('answer a ping with its own payload', () => {
    const reaction = server.react?.(new Control(9, hello));
    expect(reaction).toEqual({ event: 'ping', payload: hello, reply: frameOf(0x8a, 'Hello') });
    expect(client.react?.(new Control(9, hello))?.reply).toEqual(masked(0x8a, 'Hello'));
  });

  it('report a pong and do not answer it', () => {
    expect(server.react?.(new Control(10, hello))).toEqual({ event: 'pong', payload: hello });
  });

  it('answer a close with its code and without its reason', () => {
    expect(server.react?.(new Control(8, hex('03e9627965'), 1001, 'bye'))).toEqual({
      reply: hex('88 02 03e9'),
      close: { code: 1001, reason: 'bye' },
    });
    expect(server.react?.(new Control(8, Buffer.alloc(0), 1005))).toEqual({
      reply: hex('88 00'),
      close: { code: 1005, reason: '' },
    });
  });

  it('leave data to the application, deflated or not', () => {
    for (const message of ['text', hello, new Compressed(true, hello)])
      expect(server.react?.(message)).toBeUndefined();
  });

  it('go with a decoder of the same role and limit', () => {
    const decoder = server.decoder({ maxPackageSize: 3 });
    expect(decoder).toBeInstanceOf(FrameDecoder);
    decoder.push(masked(0x81, '1234'));
    expect(decoder.error?.code).toBe('PACKAGE_TOO_LARGE');
  });
});
