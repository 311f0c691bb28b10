import { describe, expect, it } from '@jest/globals';
import {
  type ChannelMessage,
  channelProtocol,
  decodeValue,
  encode,
  encodeValue,
  KIND,
} from '../../src/channel/format.ts';
import { cuts, decoded, hex, randomCut } from '../support/cuts.ts';
import { Random } from '../support/random.ts';

const message = (kind: number, channel = '', value = ''): ChannelMessage => ({
  kind,
  channel,
  value: hex(value),
});

const cycle: unknown[] = [];
cycle.push(cycle);

describe('channel messages', () => {
  it.each([
    ['alive', message(KIND.alive), '00000005 00'],
    ['subscribe', message(KIND.subscribe, 'ab'), '00000009 01 0002 6162'],
    ['unsubscribe', message(KIND.unsubscribe, 'é'), '00000009 02 0002 c3a9'],
    ['publish JSON', message(KIND.publish, 'a', '00 31'), '0000000a 03 0001 61 00 31'],
    ['an event of bytes', message(KIND.event, 'a', '01 ff'), '0000000a 04 0001 61 01 ff'],
    ['an event of no bytes', message(KIND.event, 'a', '01'), '00000009 04 0001 61 01'],
  ])('%s, both ways', (_, one, bytes) => {
    expect(encode(one.kind, one.channel, one.value)).toEqual(hex(bytes));
    expect(channelProtocol.encode(one)).toEqual(hex(bytes));
    for (const pieces of cuts(hex(bytes)))
      expect(decoded(channelProtocol, pieces)).toEqual({ messages: [one] });
  });

  it('are the same however a long stream is cut', () => {
    const random = new Random(9);
    for (let round = 0; round < 200; round += 1) {
      const messages = Array.from({ length: random.int(0, 10) }, () => {
        const kind = random.int(0, 4);
        const value =
          kind < KIND.publish ? '' : `01${random.bytes(random.int(0, 50)).toString('hex')}`;
        return message(kind, kind === KIND.alive ? '' : random.text(random.int(1, 60)), value);
      });
      const stream = Buffer.concat(messages.map(channelProtocol.encode));
      expect(decoded(channelProtocol, randomCut(stream, random))).toEqual({ messages });
    }
  });

  it('take a name of 255 bytes', () => {
    const name = 'n'.repeat(255);
    expect(decoded(channelProtocol, [encode(1, name)]).messages).toEqual([message(1, name)]);
  });

  it.each([
    ['a length that holds no kind', '00000004', 'LENGTH_TOO_SHORT'],
    ['a length of 0', '00000000', 'LENGTH_TOO_SHORT'],
    ['an unknown kind', '00000005 05', 'PACKAGE_INVALID'],
    ['no name', '00000005 01', 'PACKAGE_INVALID'],
    ['half a name length', '00000006 01 00', 'PACKAGE_INVALID'],
    ['an empty name', '00000007 01 0000', 'PACKAGE_INVALID'],
    ['a name that goes on behind the end', '00000008 01 0002 61', 'PACKAGE_INVALID'],
    ['bytes behind a subscription', '00000009 01 0001 6161', 'PACKAGE_INVALID'],
    ['a publication without a value', '00000008 03 0001 61', 'PACKAGE_INVALID'],
    ['a name of 256 bytes', encode(1, 'n'.repeat(256)).toString('hex'), 'PACKAGE_INVALID'],
  ])('refuse %s', (_, bytes, code) => {
    for (const pieces of cuts(hex(bytes)))
      expect(decoded(channelProtocol, pieces)).toMatchObject({ messages: [], code });
  });

  it('refuse a message over the limit by its length alone', () => {
    expect(decoded(channelProtocol, [hex('00000065')], 100).code).toBe('PACKAGE_TOO_LARGE');
  });
});

describe('channel values', () => {
  it.each([[null], [true], [-1.5], ['é\n'], [''], [[1, [2]]], [{ a: { b: 'c' } }]])(
    '%j comes out as it went in',
    (value) => {
      expect(decodeValue(encodeValue(value))).toEqual(value);
    },
  );

  it('takes undefined for null', () => {
    expect(decodeValue(encodeValue(undefined))).toBeNull();
  });

  it('bytes come out as bytes, whatever kind of bytes they were', () => {
    for (const bytes of [hex('00ff'), new Uint8Array([0, 255]), Buffer.alloc(0)])
      expect(decodeValue(encodeValue(bytes))).toEqual(Buffer.from(bytes));
  });

  it('keeps no hold of bytes that the program may change', () => {
    const bytes = hex('01');
    const encoded = encodeValue(bytes);
    bytes[0] = 9;
    expect(decodeValue(encoded)).toEqual(hex('01'));
  });

  it.each([
    ['a function', () => 0],
    ['a symbol', Symbol('s')],
    ['a bigint', 1n],
    ['a cycle', cycle],
  ])('refuses %s', (_, value) => {
    expect(() => encodeValue(value)).toThrow(TypeError);
  });

  it('refuses to read what is no JSON', () => {
    expect(() => decodeValue(hex('00 7b'))).toThrow(SyntaxError);
  });
});
