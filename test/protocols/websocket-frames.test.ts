import { describe, expect, it } from '@jest/globals';
import {
  Compressed,
  Control,
  FrameDecoder,
  type Incoming,
  isValidCloseCode,
} from '../../src/protocols/websocket-frames.ts';
import { cuts, decoded, hex, randomCut } from '../support/cuts.ts';
import { FIN, frameOf, headOf, MASK, masked } from '../support/frames.ts';
import { Random } from '../support/random.ts';

type Given = { role?: 'server' | 'client'; deflate?: boolean; max?: number };

const reader = ({ role = 'server', deflate = false, max = 2 ** 30 }: Given = {}) => ({
  decoder: () => new FrameDecoder({ role, deflate, maxPayload: max }),
});

const ping = (payload: string) => new Control(9, Buffer.from(payload));
const pong = (payload: string) => new Control(10, Buffer.from(payload));
const close = (payload: string, code: number, reason = '') =>
  new Control(8, hex(payload), code, reason);

/** What it is, the stream, what it gives. RFC 6455 section 5.7 first. */
const FROM_CLIENT: [string, Buffer, Incoming[]][] = [
  ['a masked text', hex('81 85 37fa213d 7f9f4d5158'), ['Hello']],
  ['a pong with a body', hex('8a 85 37fa213d 7f9f4d5158'), [pong('Hello')]],
  ['an empty text', hex('81 80 37fa213d'), ['']],
  ['a text with an all-zero mask', hex('81 85 00000000 48656c6c6f'), ['Hello']],
  ['an empty ping', hex('89 80 00000000'), [ping('')]],
  ['a close with code 1000', hex('88 82 00000000 03e8'), [close('03e8', 1000)]],
  ['a close without a code', hex('88 80 00000000'), [close('', 1005)]],
  ['a close with a reason', masked(0x88, hex('03e9627965')), [close('03e9627965', 1001, 'bye')]],
  ['two messages', Buffer.concat([masked(0x81, 'a'), masked(0x82, 'b')]), ['a', Buffer.from('b')]],
  ['text that is not ASCII', masked(0x81, 'é€😀'), ['é€😀']],
  [
    'a ping between the fragments of a text',
    Buffer.concat([masked(0x01, 'a'), masked(0x89, 'p'), masked(0x80, 'b')]),
    [ping('p'), 'ab'],
  ],
];

const FROM_SERVER: [string, Buffer, Incoming[]][] = [
  ['an unmasked text', hex('81 05 48656c6c6f'), ['Hello']],
  ['a fragmented text', hex('01 03 48656c 80 02 6c6f'), ['Hello']],
  ['an unmasked ping', hex('89 05 48656c6c6f'), [ping('Hello')]],
  ['a pong', hex('8a 01 78'), [pong('x')]],
  ['a close with code 1000', hex('88 02 03e8'), [close('03e8', 1000)]],
  ['256 bytes', frameOf(0x82, Buffer.alloc(256, 7)), [Buffer.alloc(256, 7)]],
  ['fragments, empty ones too', hex('01 00 00 01 61 00 00 80 00'), ['a']],
  ['a character over two fragments', hex('01 01 c3 80 01 a9'), ['é']],
  ['binary that is not UTF-8', hex('82 02 ffc0'), [hex('ffc0')]],
];

describe('frames in', () => {
  it.each(FROM_CLIENT)('a server reads %s, however it is cut', (_, stream, messages) => {
    for (const pieces of cuts(stream)) expect(decoded(reader(), pieces)).toEqual({ messages });
  });

  it.each(FROM_SERVER)('a client reads %s, however it is cut', (_, stream, messages) => {
    const client = reader({ role: 'client' });
    for (const pieces of cuts(stream)) expect(decoded(client, pieces)).toEqual({ messages });
  });

  it('reads 64 KiB in one unmasked frame', () => {
    const payload = Buffer.alloc(65_536, 'x');
    expect(frameOf(0x82, payload).subarray(0, 10)).toEqual(hex('82 7f 0000000000010000'));
    expect(decoded(reader({ role: 'client' }), [frameOf(0x82, payload)]).messages).toEqual([
      payload,
    ]);
  });

  it('gives the same messages however a long stream of fragments and control frames is cut', () => {
    const random = new Random(5);
    for (let round = 0; round < 150; round += 1) {
      const { stream, messages } = conversation(random);
      expect(decoded(reader(), randomCut(stream, random))).toEqual({ messages });
    }
  });

  it('gives the same messages, and a fault or none, however a damaged stream is cut', () => {
    const random = new Random(20);
    let faults = 0;
    for (let round = 0; round < 600; round += 1) {
      const { stream } = conversation(random);
      for (let n = random.int(1, 3); n > 0; n -= 1)
        stream[random.int(0, stream.length - 1)] = random.int(0, 255);
      const whole = decoded(reader({ max: 1000 }), [stream]);
      const cut = decoded(reader({ max: 1000 }), randomCut(stream, random));
      expect(cut.messages).toEqual(whole.messages);
      expect(cut.code === undefined).toBe(whole.code === undefined);
      if (whole.code !== undefined) faults += 1;
    }
    expect(faults).toBeGreaterThan(100);
  });

  it('marks a message that is still deflated, with the bit on its first frame only', () => {
    const both = Buffer.concat([masked(0xc1, 'zz'), masked(0x42, 'a'), masked(0x80, 'b')]);
    for (const pieces of cuts(both)) {
      const { messages } = decoded(reader({ deflate: true }), pieces);
      expect(messages).toEqual([
        new Compressed(false, Buffer.from('zz')),
        new Compressed(true, Buffer.from('ab')),
      ]);
    }
  });

  it('decodes nothing after a close frame, in the same chunk or later', () => {
    const decoder = reader().decoder();
    const stream = Buffer.concat([masked(0x88), masked(0x81, 'late'), hex('ff')]);
    expect(decoder.push(stream)).toEqual([close('', 1005)]);
    expect(decoder.push(masked(0x81, 'later'))).toEqual([]);
    expect(decoder.error).toBeUndefined();
  });

  it('keeps the messages before a fault and drops what it held', () => {
    const decoder = reader().decoder();
    expect(decoder.push(Buffer.concat([masked(0x81, 'good'), masked(0x01, 'half')]))).toEqual([
      'good',
    ]);
    expect(decoder.held).toBe(4);
    expect(decoder.push(Buffer.concat([masked(0x81, 'bad'), masked(0x81, 'x')]))).toEqual([]);
    expect(decoder.error?.code).toBe('FRAME_SEQUENCE');
    expect(decoder.held).toBe(0);
  });

  it('says how many bytes it holds: of a head, a payload, a message', () => {
    const decoder = reader().decoder();
    const held = [hex('01 82'), MASK, hex('00'), hex('00 80')].map((chunk) => {
      decoder.push(Buffer.from(chunk));
      return decoder.held;
    });
    expect(held).toEqual([2, 0, 1, 3]);
  });
});

describe('bounds', () => {
  it.each([
    ['2 GiB', 2 ** 31],
    ['2^63', 2n ** 63n],
    ['2^64-1', 2n ** 64n - 1n],
  ])('refuses a length field of %s at the head, without allocating for it', (_, length) => {
    const head = Buffer.concat([headOf(0x82, length, true), MASK]);
    const before = process.memoryUsage().arrayBuffers;
    for (const pieces of cuts(head)) {
      expect(decoded(reader({ max: 2 ** 31 - 1 }), pieces)).toEqual({
        messages: [],
        code: 'PACKAGE_TOO_LARGE',
        closeCode: 1009,
      });
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  it('allocates for the bytes that came, not for those a head announces', () => {
    const decoder = reader({ max: 2 ** 40 }).decoder();
    const before = process.memoryUsage().arrayBuffers;
    decoder.push(Buffer.concat([headOf(0x82, 2 ** 31, true), MASK, hex('00')]));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
    expect([decoder.error, decoder.held]).toEqual([undefined, 1]);
  });

  it('counts the payload over all fragments, and refuses at the head of the one too many', () => {
    const two = Buffer.concat([masked(0x01, '12345'), masked(0x00, '12345')]);
    expect(decoded(reader({ max: 10 }), [two, masked(0x80)]).messages).toEqual(['1234512345']);
    for (const pieces of cuts(Buffer.concat([two, headOf(0x80, 1, true)]))) {
      expect(decoded(reader({ max: 10 }), pieces)).toMatchObject({
        messages: [],
        code: 'PACKAGE_TOO_LARGE',
      });
    }
  });

  it('begins to count anew with each message', () => {
    const stream = Buffer.concat(Array.from({ length: 5 }, () => masked(0x82, '1234567890')));
    expect(decoded(reader({ max: 10 }), [stream]).messages).toHaveLength(5);
  });

  it('does not add a control frame to the message around it', () => {
    const stream = Buffer.concat([masked(0x01, '12345'), masked(0x89, '123456'), masked(0x80, '')]);
    expect(decoded(reader({ max: 10 }), [stream]).messages).toHaveLength(2);
  });

  it('takes a message in 65,536 empty frames and refuses one in more', () => {
    const begin = masked(0x01);
    const middle = Buffer.concat(Array.from({ length: 65_534 }, () => masked(0x00)));
    const most = decoded(reader(), [begin, middle, masked(FIN)]);
    expect(most).toEqual({ messages: [''] });
    expect(decoded(reader(), [begin, middle, masked(0x00), masked(FIN)])).toEqual({
      messages: [],
      code: 'TOO_MANY_FRAGMENTS',
      closeCode: 1008,
    });
  });
});

describe('close codes', () => {
  it.each([
    [[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999], true],
    [[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535], false],
  ])('%j may be sent: %s', (codes, valid) => {
    for (const code of codes) {
      expect(isValidCloseCode(code)).toBe(valid);
      const payload = Buffer.from([code >> 8, code & 0xff]);
      expect(decoded(reader(), [masked(0x88, payload)]).code).toBe(
        valid ? undefined : 'CLOSE_CODE',
      );
    }
  });
});

/** A valid stream of a client: messages in fragments, pings between them, and what it must give. */
function conversation(random: Random): { stream: Buffer; messages: Incoming[] } {
  const all = Array.from({ length: random.int(1, 6) }, () => fragmented(random));
  return {
    stream: Buffer.concat(all.flatMap(({ frames }) => frames)),
    messages: all.flatMap(({ messages }) => messages),
  };
}

function fragmented(random: Random): { frames: Buffer[]; messages: Incoming[] } {
  const binary = random.chance(0.5);
  const size = random.pick([0, 3, 60, 130, 300]);
  const bytes = binary ? random.bytes(size) : Buffer.from(random.text(size));
  const parts = randomCut(bytes, random);
  const pings = parts.map((_, n) => (n > 0 && random.chance(0.3) ? [ping('p')] : []));
  const frames = parts.flatMap((part, n) => {
    const opcode = n > 0 ? 0 : binary ? 2 : 1;
    const fin = n === parts.length - 1 ? FIN : 0;
    const before = (pings[n] ?? []).map(() => masked(0x89, 'p'));
    return [...before, frameOf(fin | opcode, part, random.bytes(4))];
  });
  return { frames, messages: [...pings.flat(), binary ? bytes : bytes.toString()] };
}
