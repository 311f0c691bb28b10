import { describe, expect, it } from '@jest/globals';
import { type Head, readHead, writeHead } from '../../src/protocols/websocket-head.ts';
import { hex } from '../support/cuts.ts';

const read = (bytes: Buffer, at = 0): [boolean, Head] => {
  // What an earlier frame left must not show through.
  const head: Head = { first: 0xff, length: 4711, masked: true, size: 99 };
  return [readHead(bytes, at, head), head];
};

/** First byte, payload length, mask bit, head without mask bytes. */
const HEADS: [number, number, number, string][] = [
  [0x81, 5, 0, '81 05'],
  [0x82, 0, 0, '82 00'],
  [0x81, 125, 0x80, '81 fd'],
  [0x81, 126, 0, '81 7e 007e'],
  [0x02, 65_535, 0x80, '02 fe ffff'],
  [0x81, 65_536, 0, '81 7f 0000000000010000'],
  [0x82, 2 ** 32 + 1, 0, '82 7f 0000000100000001'],
  [0x82, 2 ** 53 - 1, 0x80, '82 ff 001fffffffffffff'],
];

describe('frame heads', () => {
  it.each(HEADS)('first byte %i, length %i, mask bit %i are %s', (first, length, bit, bytes) => {
    const out = Buffer.alloc(20, 0xee);
    const size = writeHead(out, 3, first, length, bit);
    expect(out.subarray(3, 3 + size)).toEqual(hex(bytes));
    expect(out[3 + size]).toBe(0xee);

    const masked = bit !== 0;
    const whole = Buffer.concat([hex(bytes), Buffer.alloc(masked ? 4 : 0)]);
    expect(read(whole)).toEqual([true, { first, length, masked, size: whole.length }]);
    expect(read(Buffer.concat([Buffer.alloc(5), whole]), 5)[1].length).toBe(length);
  });

  it.each(HEADS)('first byte %i, length %i, mask bit %i: a cut head is not whole', (...row) => {
    const [first, length, bit, bytes] = row;
    const whole = Buffer.concat([hex(bytes), Buffer.alloc(bit ? 4 : 0)]);
    for (let cut = 1; cut < whole.length; cut += 1) {
      const [done, head] = read(whole.subarray(0, cut));
      expect(done).toBe(false);
      expect(head.first).toBe(first);
      expect([0, length]).toContain(head.length);
    }
  });

  it('writes into the middle of a view of larger memory', () => {
    const memory = Buffer.alloc(64);
    writeHead(memory.subarray(7), 5, 0x82, 65_536, 0);
    expect(memory.subarray(12, 22)).toEqual(hex('82 7f 0000000000010000'));
  });

  it('gives at least 2^63 for a length of 2^63', () => {
    expect(read(hex('82 7f 8000000000000000'))[1].length).toBe(2 ** 63);
  });
});
