import { describe, expect, it } from '@jest/globals';
import { frame } from '../../src/protocols/frame.ts';
import { cuts, decoded, hex, randomCut } from '../support/cuts.ts';
import { Random } from '../support/random.ts';

describe('frame', () => {
  it.each([
    ['hello', '00000009 68656c6c6f'],
    ['', '00000004'],
    ['jhdxr', '00000009 6a68647872'],
    ['é', '00000006 c3a9'],
  ])('%j is %s, both ways', (message, bytes) => {
    expect(frame.encode(message)).toEqual(hex(bytes));
    expect(frame.encode(Buffer.from(message))).toEqual(hex(bytes));
    for (const pieces of cuts(hex(bytes)))
      expect(decoded(frame, pieces)).toEqual({ messages: [Buffer.from(message)] });
  });

  it('reads several messages, however they are cut', () => {
    for (const pieces of cuts(hex('00000005 61 00000004 0000')))
      expect(decoded(frame, pieces)).toEqual({ messages: [Buffer.from('a'), Buffer.alloc(0)] });
  });

  it('gives the same messages however a long stream is cut', () => {
    const random = new Random(2);
    for (let round = 0; round < 200; round += 1) {
      const messages = Array.from({ length: random.int(0, 12) }, () =>
        random.bytes(random.int(0, 60)),
      );
      const stream = Buffer.concat(messages.map(frame.encode));
      expect(decoded(frame, randomCut(stream, random))).toEqual({ messages });
    }
  });

  it.each([0, 1, 2, 3])(
    'refuses the announced length %i, which is shorter than itself',
    (length) => {
      for (const pieces of cuts(hex(`00000005 61 0000000${length}`))) {
        expect(decoded(frame, pieces)).toMatchObject({
          messages: [Buffer.from('a')],
          code: 'LENGTH_TOO_SHORT',
        });
      }
    },
  );

  it('refuses a length over the limit as soon as its four bytes are there', () => {
    const decoder = frame.decoder({ maxPackageSize: 10 });
    decoder.push(hex('000000'));
    expect(decoder.error).toBeUndefined();
    decoder.push(hex('0b'));
    expect(decoder.error).toMatchObject({ code: 'PACKAGE_TOO_LARGE', closeCode: 1009 });
  });

  it('takes a message of exactly the limit, header included', () => {
    const stream = Buffer.from(frame.encode('123456'));
    expect(decoded(frame, [stream], 10).messages).toEqual([Buffer.from('123456')]);
  });

  it('holds only bytes that came, whatever a length field promises', () => {
    const decoder = frame.decoder({ maxPackageSize: 2 ** 32 });
    decoder.push(hex('ffffffff 61'));
    expect(decoder.error).toBeUndefined();
    expect(decoder.held).toBe(5);
  });
});
