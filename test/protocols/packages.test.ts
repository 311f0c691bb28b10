import { describe, expect, it } from '@jest/globals';
import { ProtocolError } from '../../src/errors.ts';
import { type PackageFormat, packages } from '../../src/protocols/packages.ts';
import { cuts, decoded, hex, randomCut } from '../support/cuts.ts';
import { Random } from '../support/random.ts';

const jsonLines = packages<unknown, unknown>({
  name: 'jsonl',
  input: (buffer, seen) => buffer.indexOf(10, seen) + 1,
  decode: (bytes) => JSON.parse(bytes.toString()),
  encode: (value) => `${JSON.stringify(value)}\n`,
});

/** Workerman's XmlProtocol: ten digits of total length, then the text. */
const xml = packages<string, string>({
  name: 'xml',
  input: (buffer) => (buffer.length < 10 ? 0 : Number(buffer.toString('latin1', 0, 10))),
  decode: (bytes) => bytes.toString('utf8', 10),
  encode: (body) => `${String(Buffer.byteLength(body) + 10).padStart(10, '0')}${body}`,
});

/** A format whose `input` is given; everything else is of no interest. */
const asking = (input: PackageFormat<string, never>['input']) =>
  packages<string, never>({ name: 'own', input, decode: String, encode: String });

const pieces = (...texts: string[]) => texts.map((text) => Buffer.from(text));

describe('packages', () => {
  it.each([
    ['JSON lines', jsonLines, { type: 'say', content: 'hi' }, '{"type":"say","content":"hi"}\n'],
    ['JSON lines with a list', jsonLines, [1, 'é'], '[1,"é"]\n'],
    ['a length in digits', xml, '<a>1</a>', '0000000018<a>1</a>'],
    ['a length in digits and nothing else', xml, '', '0000000010'],
  ])('makes a protocol of a format: %s, both ways', (_, protocol, message, bytes) => {
    expect(protocol.encode(message as never)).toEqual(Buffer.from(bytes));
    for (const cut of cuts(Buffer.from(bytes + bytes)))
      expect(decoded<unknown>(protocol, cut)).toEqual({ messages: [message, message] });
  });

  it('gives the same messages however a long stream is cut', () => {
    const random = new Random(3);
    for (let round = 0; round < 200; round += 1) {
      const messages = Array.from({ length: random.int(0, 12) }, () =>
        random.text(random.int(0, 40)),
      );
      const lines = Buffer.concat(messages.map(jsonLines.encode));
      expect(decoded(jsonLines, randomCut(lines, random))).toEqual({ messages });
      const prefixed = Buffer.concat(messages.map(xml.encode));
      expect(decoded(xml, randomCut(prefixed, random))).toEqual({ messages });
    }
  });

  it('tells input how far it has looked, so that no byte is searched twice', () => {
    const asked: [number, number][] = [];
    const lines = asking((buffer, seen) => {
      asked.push([buffer.length, seen]);
      return buffer.indexOf(10, seen) + 1;
    });
    decoded(lines, pieces('ab', 'c', 'd\nef', '\n'));
    expect(asked).toEqual([
      [2, 0],
      [3, 2],
      [7, 3],
      [2, 0],
      [3, 2],
    ]);
  });

  it('does not ask again for a length that is known', () => {
    let asked = 0;
    const format = asking(() => {
      asked += 1;
      return 4;
    });
    expect(decoded(format, pieces('a', 'b', 'c', 'd')).messages).toEqual(['abcd']);
    expect(asked).toBe(1);
  });

  it.each([-1, -Infinity, Number.NaN, 1.5, undefined, false])(
    'takes the answer %s of input as: not our format',
    (answer) => {
      const format = asking(() => answer as number);
      expect(decoded(format, [Buffer.from('a')])).toMatchObject({
        messages: [],
        code: 'PACKAGE_INVALID',
      });
    },
  );

  it('keeps the code of a ProtocolError that input throws', () => {
    const format = asking(() => {
      throw new ProtocolError('LENGTH_TOO_SHORT', 'too short');
    });
    expect(decoded(format, [Buffer.from('a')]).code).toBe('LENGTH_TOO_SHORT');
  });

  it('takes anything else that input or decode throws as the fault of the peer', () => {
    const decoder = jsonLines.decoder({ maxPackageSize: 100 });
    expect(decoder.push(Buffer.from('1\n{\n2\n'))).toEqual([1]);
    expect(decoder.error).toMatchObject({ code: 'PACKAGE_INVALID' });
    expect(decoder.error?.message).toMatch(/^jsonl: .*JSON/);
    const format = asking(() => {
      throw 'just text';
    });
    expect(decoded(format, [Buffer.from('a')]).code).toBe('PACKAGE_INVALID');
  });

  it('refuses a message over the limit as soon as its length is known', () => {
    expect(decoded(xml, [Buffer.from('0000000021')], 20)).toMatchObject({
      code: 'PACKAGE_TOO_LARGE',
      closeCode: 1009,
    });
    expect(decoded(xml, [Buffer.from('0000000020')], 20).code).toBeUndefined();
  });

  it('refuses more bytes than the limit while the length is still not known', () => {
    expect(decoded(jsonLines, pieces('12345', '67890'), 10).code).toBeUndefined();
    expect(decoded(jsonLines, pieces('12345', '67890', '1'), 10).code).toBe('PACKAGE_TOO_LARGE');
  });

  it('says how many bytes of an unfinished message it holds', () => {
    const decoder = jsonLines.decoder({ maxPackageSize: 100 });
    const held = ['1', '2', '\n3\n45', '6\n'].map((chunk) => {
      decoder.push(Buffer.from(chunk));
      return decoder.held;
    });
    expect(held).toEqual([1, 2, 2, 0]);
  });

  it('holds nothing any more after a fault', () => {
    const decoder = jsonLines.decoder({ maxPackageSize: 100 });
    decoder.push(Buffer.from('{'));
    decoder.push(Buffer.from('\n'));
    expect(decoder.error?.code).toBe('PACKAGE_INVALID');
    expect(decoder.held).toBe(0);
  });

  it('takes a message in a hundred thousand pieces in linear time', () => {
    const length = 100_000;
    const decoder = xml.decoder({ maxPackageSize: length });
    decoder.push(Buffer.from(String(length).padStart(10, '0')));
    const started = performance.now();
    let messages: readonly string[] = [];
    for (let i = 10; i < length; i += 1) messages = decoder.push(Buffer.from('x'));
    expect(messages).toEqual(['x'.repeat(length - 10)]);
    // Quadratic copying would be five thousand million bytes, which takes many times as long.
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('sends bytes that encode gives as they are', () => {
    const bytes = hex('00ff');
    const format = packages<never, null>({
      name: 'own',
      input: () => 0,
      decode: () => undefined as never,
      encode: () => bytes,
    });
    expect(format.encode(null)).toBe(bytes);
  });
});
