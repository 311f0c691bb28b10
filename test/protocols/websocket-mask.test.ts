import { describe, expect, it } from '@jest/globals';
import { unmask } from '../../src/protocols/websocket-mask.ts';
import { Random } from '../support/random.ts';

/** RFC 6455 section 5.3, word for word. */
function naive(payload: Buffer, mask: Buffer, phase: number): Buffer {
  return Buffer.from(payload.map((byte, i) => byte ^ (mask[(i + phase) % 4] as number)));
}

const orOf = (bytes: Buffer) => bytes.reduce((all, byte) => all | byte, 0);

describe('unmask', () => {
  it('unmasks the example of RFC 6455 section 5.7', () => {
    const bytes = Buffer.from('37fa213d7f9f4d5158', 'hex');
    expect(unmask(bytes, 4, 9, bytes, 0)).toBe(orOf(Buffer.from('Hello')));
    expect(bytes.toString('latin1', 4)).toBe('Hello');
  });

  it('does what a loop over the bytes does, at any offset, length and phase', () => {
    const random = new Random(4);
    const noise = random.bytes(3000);
    const memory = Buffer.alloc(600);
    for (let round = 0; round < 4000; round += 1) {
      memory.set(noise.subarray(random.int(0, 2000)).subarray(0, 600));
      // A view that begins anywhere in its memory, and a range anywhere in the view.
      const view = memory.subarray(random.int(0, 9), 600 - random.int(0, 9));
      const start = random.int(0, 20);
      const end = random.int(start, random.chance(0.5) ? start + 80 : view.length);
      const mask = random.bytes(4);
      const phase = random.int(0, 1000);
      const before = Buffer.from(view);
      const expected = naive(before.subarray(start, end), mask, phase);

      const all = unmask(view, start, end, mask, 0, phase);

      expect(view.subarray(start, end).equals(expected)).toBe(true);
      expect(view.subarray(0, start).equals(before.subarray(0, start))).toBe(true);
      expect(view.subarray(end).equals(before.subarray(end))).toBe(true);
      expect(all).toBe(orOf(expected));
    }
  });

  it('takes the mask from anywhere in a buffer', () => {
    const bytes = Buffer.from('....abcd');
    unmask(bytes, 4, 8, Buffer.from([9, 9, 1, 2, 3, 4]), 2);
    expect(bytes.subarray(4)).toEqual(naive(Buffer.from('abcd'), Buffer.from([1, 2, 3, 4]), 0));
  });

  it('follows when the memory changes between calls', () => {
    const mask = Buffer.from([1, 2, 3, 4]);
    for (let round = 0; round < 4; round += 1) {
      const bytes = Buffer.alloc(100 + round, 7);
      const expected = naive(bytes, mask, 0);
      unmask(bytes, 0, bytes.length, mask, 0);
      expect(bytes).toEqual(expected);
    }
  });

  it('unmasks payloads at the very end of memory whose length is no multiple of four', () => {
    for (const length of [64, 65, 66, 67, 68, 127]) {
      const bytes = Buffer.from(new ArrayBuffer(length)).fill(0xf0);
      const expected = naive(bytes, Buffer.from([1, 2, 3, 4]), 3);
      unmask(bytes, 0, length, [1, 2, 3, 4], 0, 3);
      expect(bytes).toEqual(expected);
    }
  });
});
