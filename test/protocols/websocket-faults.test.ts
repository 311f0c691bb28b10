import { describe, expect, it } from '@jest/globals';
import type { ErrorCode } from '../../src/errors.ts';
import { FrameDecoder } from '../../src/protocols/websocket-frames.ts';
import { cuts, decoded, hex } from '../support/cuts.ts';
import { frameOf, headOf, MASK, masked } from '../support/frames.ts';

const reader = (role: 'server' | 'client', deflate = false) => ({
  decoder: () => new FrameDecoder({ role, deflate, maxPayload: 1_000_000 }),
});

const joined = (...frames: Buffer[]) => Buffer.concat(frames);

/** What it is, the stream of a client, the code, and the close code if it is not 1002. */
const FAULTS: [string, Buffer, ErrorCode, number?][] = [
  ['an unmasked frame', frameOf(0x81, 'a'), 'FRAME_MASK_MISSING'],
  ['an unmasked empty control frame', hex('8900'), 'FRAME_MASK_MISSING'],
  ['reserved bit 1 without an extension', masked(0xc1, 'a'), 'FRAME_RESERVED_BITS'],
  ['reserved bit 2', masked(0xa1, 'a'), 'FRAME_RESERVED_BITS'],
  ['reserved bit 3', masked(0x91, 'a'), 'FRAME_RESERVED_BITS'],
  ['all reserved bits on a ping', masked(0xf9), 'FRAME_RESERVED_BITS'],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Buffer, ErrorCode] => [
    `opcode ${opcode}`,
    masked(0x80 | opcode),
    'FRAME_OPCODE',
  ]),
  ['a ping without FIN', masked(0x09), 'FRAME_CONTROL_FRAGMENTED'],
  ['a close without FIN', masked(0x08), 'FRAME_CONTROL_FRAGMENTED'],
  ['a ping of 126 bytes', masked(0x89, 'x'.repeat(126)), 'FRAME_CONTROL_TOO_LONG'],
  ['a pong of 65,536 bytes', headOf(0x8a, 65_536, true), 'FRAME_CONTROL_TOO_LONG'],
  ['a continuation of nothing', masked(0x80, 'a'), 'FRAME_SEQUENCE'],
  ['a first continuation of nothing', masked(0x00), 'FRAME_SEQUENCE'],
  ['a message inside a message', joined(masked(0x01), masked(0x81)), 'FRAME_SEQUENCE'],
  ['binary inside a text', joined(masked(0x01, 'a'), masked(0x02)), 'FRAME_SEQUENCE'],
  ['a close code of one byte', masked(0x88, 'a'), 'CLOSE_CODE'],
  ['a close code that may not be sent', masked(0x88, hex('03ed')), 'CLOSE_CODE'],
  ['a close reason that is not UTF-8', masked(0x88, hex('03e8ff')), 'TEXT_NOT_UTF8', 1007],
  ['text that is not UTF-8', masked(0x81, hex('61ff')), 'TEXT_NOT_UTF8', 1007],
  ['text with a surrogate', masked(0x81, hex('eda080')), 'TEXT_NOT_UTF8', 1007],
  ['text with an overlong form', masked(0x81, hex('c080')), 'TEXT_NOT_UTF8', 1007],
  ['text above U+10FFFF', masked(0x81, hex('f4908080')), 'TEXT_NOT_UTF8', 1007],
  ['text that ends in a character', masked(0x81, hex('61e282')), 'TEXT_NOT_UTF8', 1007],
  [
    'a long text with one bad byte at its end',
    masked(0x81, joined(Buffer.alloc(199, 'a'), hex('80'))),
    'TEXT_NOT_UTF8',
    1007,
  ],
  [
    'a character cut off by the end of the last fragment',
    joined(masked(0x01, hex('c3')), masked(0x80)),
    'TEXT_NOT_UTF8',
    1007,
  ],
  [
    'bad UTF-8 over two fragments that are each half a character',
    joined(masked(0x01, hex('e282')), masked(0x80, hex('61'))),
    'TEXT_NOT_UTF8',
    1007,
  ],
];

describe('frames that no client may send', () => {
  it.each(FAULTS)('%s ends the stream, however it is cut', (_, bad, code, closeCode = 1002) => {
    const stream = joined(masked(0x82, '1'), bad);
    for (const pieces of cuts(stream)) {
      expect(decoded(reader('server'), pieces)).toEqual({
        messages: [Buffer.from('1')],
        code,
        closeCode,
      });
    }
  });

  it.each([
    ['reserved bit 1 on a continuation', joined(masked(0x41), masked(0xc0))],
    ['reserved bit 1 on a ping', masked(0xc9)],
    ['reserved bit 2 beside it', masked(0xe1)],
  ])('%s is a fault with permessage-deflate too', (_, stream) => {
    for (const pieces of cuts(stream))
      expect(decoded(reader('server', true), pieces).code).toBe('FRAME_RESERVED_BITS');
  });

  it.each([
    ['of a wrong opcode', hex('83'), 'FRAME_OPCODE'],
    ['of a continuation', hex('80'), 'FRAME_SEQUENCE'],
    ['of an unmasked frame', hex('8105'), 'FRAME_MASK_MISSING'],
    ['of an over-long ping', headOf(0x89, 126, true), 'FRAME_CONTROL_TOO_LONG'],
  ])('is refused at the first bytes %s, before the rest arrives', (_, bytes, code) => {
    for (const pieces of cuts(bytes)) expect(decoded(reader('server'), pieces).code).toBe(code);
  });
});

it('refuses a continuation after the end of its message, which is still good', () => {
  for (const pieces of cuts(joined(masked(0x01, 'a'), masked(0x80, 'b'), masked(0x80))))
    expect(decoded(reader('server'), pieces)).toMatchObject({
      messages: ['ab'],
      code: 'FRAME_SEQUENCE',
    });
});

describe('frames that no server may send', () => {
  it('a masked frame ends the stream, however it is cut', () => {
    for (const stream of [
      masked(0x81, 'a'),
      masked(0x89),
      joined(headOf(0x82, 70_000, true), MASK),
    ])
      for (const pieces of cuts(stream))
        expect(decoded(reader('client'), pieces)).toEqual({
          messages: [],
          code: 'FRAME_MASK_UNEXPECTED',
          closeCode: 1002,
        });
  });
});
