import { describe, expect, it } from '@jest/globals';
import { raw } from '../../src/protocols/raw.ts';

describe('raw', () => {
  it('gives each chunk as one message', () => {
    const decoder = raw.decoder({ maxPackageSize: 1 });
    expect(decoder.push(Buffer.from('ab'))).toEqual([Buffer.from('ab')]);
    expect(decoder.push(Buffer.from('c'))).toEqual([Buffer.from('c')]);
    expect(decoder.error).toBeUndefined();
    expect(decoder.held).toBe(0);
  });

  it('gives a copy, since the chunk is overwritten by the next one', () => {
    const chunk = Buffer.from('ab');
    const [message] = raw.decoder({ maxPackageSize: 10 }).push(chunk);
    chunk.fill(0);
    expect(message).toEqual(Buffer.from('ab'));
  });

  it('sends text as UTF-8 and bytes as they are', () => {
    const bytes = Buffer.from([0, 255]);
    expect(raw.encode('é')).toEqual(Buffer.from([0xc3, 0xa9]));
    expect(raw.encode(bytes)).toBe(bytes);
    expect(raw.encode('')).toHaveLength(0);
  });
});
