import { describe, expect, it } from '@jest/globals';
import {
  type ChannelMessage,
  channelProtocol,
  decodeValue,
  encode,
  encodeValue,
  KINDS,
} from '../../src/channel/format.ts';
import { cuts, decoded, hex, randomCut } from '../support/cuts.ts';
import { Random } from '../support/random.ts';

const EPOCH = '0102030405060708';
const NONCE = '00112233445566778899aabbccddeeff';
const PROOF = 'ab'.repeat(32);
const position = { offset: 5, epoch: EPOCH };
const bounds = { size: 256, seconds: 60 };
const json = hex('00 31');

const cycle: unknown[] = [];
cycle.push(cycle);

/** One of each kind, and what it is on the wire. */
const TABLE: [string, ChannelMessage, string][] = [
  ['alive', { kind: 'alive' }, '00000005 00'],
  [
    'hello',
    { kind: 'hello', version: 2, secured: true, nonce: hex(NONCE) },
    `00000017 01 02 01 ${NONCE}`,
  ],
  [
    'greeting without a secret',
    { kind: 'greeting', version: 2, nonce: hex(NONCE) },
    `00000017 02 02 ${NONCE} 00`,
  ],
  [
    'greeting of a server with a secret',
    { kind: 'greeting', version: 2, nonce: hex(NONCE), proof: hex(PROOF), member: 'a' },
    `00000039 02 02 ${NONCE} 03 ${PROOF} 01 61`,
  ],
  ['welcome', { kind: 'welcome', flag: false }, '00000007 03 00 00'],
  [
    'welcome, proved',
    { kind: 'welcome', flag: true, proof: hex(PROOF) },
    `00000027 03 01 01 ${PROOF}`,
  ],
  ['refused', { kind: 'refused', reason: 'é' }, '00000007 04 c3a9'],
  ['subscribe', { kind: 'subscribe', name: 'ab' }, '00000009 05 02 6162 00'],
  [
    'subscribe with history',
    { kind: 'subscribe', name: 'a', bounds, position },
    `00000020 05 01 61 03 00000100 0000003c 0000000000000005 ${EPOCH}`,
  ],
  ['unsubscribe', { kind: 'unsubscribe', name: 'é' }, '00000008 06 02 c3a9'],
  ['publish JSON', { kind: 'publish', name: 'a', value: json }, '0000000a 07 01 61 00 00 31'],
  [
    'publish with history',
    { kind: 'publish', name: 'a', bounds, value: hex('01') },
    '00000011 07 01 61 01 00000100 0000003c 01',
  ],
  ['event', { kind: 'event', name: 'a', value: hex('01 ff') }, '0000000a 08 01 61 00 01 ff'],
  [
    'event with history',
    { kind: 'event', name: 'a', position: { offset: 2 ** 33 + 1, epoch: EPOCH }, value: hex('01') },
    `00000019 08 01 61 01 0000000200000001 ${EPOCH} 01`,
  ],
  [
    'recovery',
    { kind: 'recovery', name: 'a', flag: true, count: 3, position },
    `0000001d 09 01 61 01 00000003 01 0000000000000005 ${EPOCH}`,
  ],
  ['lost', { kind: 'lost', name: 'a', count: 7 }, '0000000b 0a 01 61 00000007'],
  ['watch', { kind: 'watch', name: 'a' }, '00000007 0b 01 61'],
  ['unwatch', { kind: 'unwatch', name: 'a' }, '00000007 0c 01 61'],
  ['reserve', { kind: 'reserve', name: 'a' }, '00000007 0d 01 61'],
  ['enqueue', { kind: 'enqueue', name: 'a', value: json }, '00000009 0e 01 61 00 31'],
  ['job', { kind: 'job', name: 'a', id: 9, value: json }, '0000000d 0f 01 61 00000009 00 31'],
  ['done', { kind: 'done', name: 'a', id: 9 }, '0000000b 10 01 61 00000009'],
  ['full', { kind: 'full', name: 'a', count: 1 }, '0000000b 11 01 61 00000001'],
  [
    'moved',
    { kind: 'moved', flag: false, name: 'a', to: 'b', address: 'c:1', position },
    `0000001f 12 00 01 61 01 62 03 633a31 01 0000000000000005 ${EPOCH}`,
  ],
  ['leaving', { kind: 'leaving' }, '00000005 13'],
  ['sync', { kind: 'sync', id: 1 }, '00000009 14 00000001'],
  ['synced', { kind: 'synced', id: 0xffffffff }, '00000009 15 ffffffff'],
  [
    'claim',
    { kind: 'claim', flag: true, name: 'a', to: 'b', address: 'c' },
    '0000000c 16 01 01 61 01 62 01 63',
  ],
  [
    'take',
    { kind: 'take', name: 'a', count: 10_000, bounds, position },
    `00000024 17 01 61 00002710 03 00000100 0000003c 0000000000000005 ${EPOCH}`,
  ],
  [
    'keep',
    { kind: 'keep', name: 'a', count: 1000, position, value: json },
    `0000001e 18 01 61 000003e8 01 0000000000000005 ${EPOCH} 0031`,
  ],
  ['keepJob', { kind: 'keepJob', name: 'a', value: json }, '00000009 19 01 61 0031'],
  ['offer', { kind: 'offer', flag: true, name: 'a', found: false }, '00000009 1a 01 01 61 00'],
  ['taken', { kind: 'taken', flag: false, name: 'a' }, '00000008 1b 00 01 61'],
  ['forward', { kind: 'forward', count: 1, value: hex('ff') }, '0000000a 1c 00000001 ff'],
  ['giveBack', { kind: 'giveBack', name: 'a', value: json }, '00000009 1d 01 61 0031'],
];

describe('channel messages', () => {
  it.each(TABLE)('%s, both ways', (_, message, bytes) => {
    expect(encode(message).toString('hex')).toBe(hex(bytes).toString('hex'));
    for (const pieces of cuts(hex(bytes)))
      expect(decoded(channelProtocol, pieces)).toEqual({ messages: [message] });
  });

  it('are all in the table', () => {
    expect(new Set(TABLE.map(([, { kind }]) => kind))).toEqual(new Set(KINDS));
  });

  it('are the same however a long stream is cut', () => {
    const random = new Random(9);
    for (let round = 0; round < 200; round += 1) {
      const messages = Array.from({ length: random.int(0, 10) }, () => {
        const [, message] = random.pick(TABLE);
        const value = Buffer.concat([hex('01'), random.bytes(random.int(0, 50))]);
        const name = random.text(random.int(1, 60));
        return {
          ...message,
          ...('name' in message ? { name } : {}),
          ...('value' in message ? { value } : {}),
        };
      });
      const stream = Buffer.concat(messages.map(encode));
      expect(decoded(channelProtocol, randomCut(stream, random))).toEqual({ messages });
    }
  });

  it('take a name of 255 bytes, and counts of any size for 32 bits', () => {
    const name = 'n'.repeat(255);
    const messages: ChannelMessage[] = [{ kind: 'unsubscribe', name }];
    expect(decoded(channelProtocol, [encode(messages[0] as ChannelMessage)])).toEqual({ messages });
    expect(encode({ kind: 'lost', name: 'a', count: 2 ** 40 }).toString('hex')).toContain(
      'ffffffff',
    );
  });

  it.each([
    ['a length that holds no kind', '00000004 00', 'LENGTH_TOO_SHORT'],
    ['a length of 0', '00000000 00', 'LENGTH_TOO_SHORT'],
    ['an unknown kind', '00000005 1e', 'PACKAGE_INVALID'],
    ['an unknown kind, however long it says to be', '7fffffff fe', 'PACKAGE_INVALID'],
    ['no name', '00000005 06', 'PACKAGE_INVALID'],
    ['an empty name', '00000006 06 00', 'PACKAGE_INVALID'],
    ['a name that goes on behind the end', '00000007 06 02 61', 'PACKAGE_INVALID'],
    ['bytes behind the last field', '00000008 06 01 6161', 'PACKAGE_INVALID'],
    ['a publication without a value', '00000008 07 01 61 00', 'PACKAGE_INVALID'],
    ['a publication without flags', '00000007 07 01 61', 'PACKAGE_INVALID'],
    ['flags that are not defined', '0000000a 07 01 61 02 00 31', 'PACKAGE_INVALID'],
    ['half a position', '0000000c 08 01 61 01 00000000', 'PACKAGE_INVALID'],
    [
      'an offset above 2^53',
      `00000019 08 01 61 01 0020000000000000 ${EPOCH} 01`,
      'PACKAGE_INVALID',
    ],
    ['a truth value of 2', '00000007 03 02 00', 'PACKAGE_INVALID'],
    ['half a number', '00000007 14 0000', 'PACKAGE_INVALID'],
  ])('refuse %s', (_, bytes, code) => {
    for (const pieces of cuts(hex(bytes)))
      expect(decoded(channelProtocol, pieces)).toMatchObject({ messages: [], code });
  });

  it('refuse a message over the limit by its length alone', () => {
    expect(decoded(channelProtocol, [hex('00000065 07')], 100).code).toBe('PACKAGE_TOO_LARGE');
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
