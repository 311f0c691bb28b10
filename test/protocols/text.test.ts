import { describe, expect, it } from '@jest/globals';
import { text } from '../../src/protocols/text.ts';
import { cuts, decoded, hex, randomCut } from '../support/cuts.ts';
import { Random } from '../support/random.ts';

const line = (content: string) => Buffer.from(content);

describe('text', () => {
  it.each([
    ['hello', '68656c6c6f0a'],
    ['', '0a'],
    ['é€😀', 'c3a9e282acf09f98800a'],
    ['\ufffd', 'efbfbd0a'],
    ['\ufeffbom', 'efbbbf626f6d0a'],
    ['a\rb', '610d620a'],
    ['\0', '000a'],
  ])('%j is %s, both ways', (message, bytes) => {
    expect(Buffer.from(text.encode(message)).toString('hex')).toBe(bytes);
    for (const pieces of cuts(hex(bytes)))
      expect(decoded(text, pieces)).toEqual({ messages: [message] });
  });

  it.each<[unknown, string]>([
    [5, '5\n'],
    [Buffer.from('bytes'), 'bytes\n'],
    [new Uint8Array([104, 105]), 'hi\n'],
  ])('sends %j, from a program without types, as %j', (message, bytes) => {
    expect(String(text.encode(message as string))).toBe(bytes);
  });

  it.each([
    ['hi\r\n', ['hi']],
    ['hi\r\r\n', ['hi']],
    ['\r\n\n', ['', '']],
    ['\ra\n', ['\ra']],
    ['a\nb\nc', ['a', 'b']],
    ['a', []],
    ['', []],
  ])('reads %j as %j, however it is cut', (stream, messages) => {
    for (const pieces of cuts(line(stream))) expect(decoded(text, pieces)).toEqual({ messages });
  });

  it('gives the same lines however a long stream is cut', () => {
    const random = new Random(1);
    for (let round = 0; round < 200; round += 1) {
      const messages = Array.from({ length: random.int(0, 20) }, () =>
        random.text(random.int(0, 40)),
      );
      const stream = Buffer.concat(messages.map(text.encode));
      expect(decoded(text, randomCut(stream, random))).toEqual({ messages });
    }
  });

  it('refuses a line over the limit before its end arrives', () => {
    expect(decoded(text, [line('ok\n12345'), line('6')], 5)).toEqual({
      messages: ['ok'],
      code: 'PACKAGE_TOO_LARGE',
      closeCode: 1009,
    });
  });

  it('refuses a line over the limit that comes whole', () => {
    expect(decoded(text, [line('ok\n123456\nlater\n')], 5)).toMatchObject({
      messages: ['ok'],
      code: 'PACKAGE_TOO_LARGE',
    });
    expect(decoded(text, [line('123'), line('456\n')], 5)).toMatchObject({
      messages: [],
      code: 'PACKAGE_TOO_LARGE',
    });
  });

  it('bounds each line and not the chunk they come in', () => {
    const stream = line('12345\n'.repeat(1000));
    for (const pieces of [[stream], [stream.subarray(0, 9), stream.subarray(9)]])
      expect(decoded(text, pieces, 5).messages).toHaveLength(1000);
  });

  it.each([
    ['a stray byte', 'ff0a'],
    ['an overlong form', 'c0af0a'],
    ['a surrogate', 'eda0800a'],
    ['a character cut by the line end', 'e2820a'],
  ])('refuses %s as not UTF-8, however it is cut', (_, bytes) => {
    for (const pieces of cuts(Buffer.concat([line('ok\n'), hex(bytes), line('no\n')]))) {
      expect(decoded(text, pieces)).toEqual({
        messages: ['ok'],
        code: 'TEXT_NOT_UTF8',
        closeCode: 1007,
      });
    }
  });

  it('says how many bytes of an unfinished line it holds', () => {
    const decoder = text.decoder({ maxPackageSize: 100 });
    const held = ['ab', 'c', 'd\nef', '\n'].map((chunk) => {
      decoder.push(line(chunk));
      return decoder.held;
    });
    expect(held).toEqual([2, 3, 2, 0]);
  });
});
