import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { digest } from '../src/digest.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('a digest', () => {
  it('is what it is said to be', () => {
    const list = `[["a","${sha256('1')}"],["b","${sha256('2')}"]]`;
    expect(digest({ b: '2', a: '1' })).toBe(sha256(list).slice(0, 16));
    expect(digest({ b: Buffer.from('2'), a: '1' })).toBe(sha256(list).slice(0, 16));
    expect(digest({})).toBe(sha256('[]').slice(0, 16));
  });

  it.each([
    [{ a: 'bc' }, { ab: 'c' }],
    [
      { a: '1', b: '2' },
      { a: '2', b: '1' },
    ],
    [{ a: '' }, {}],
    [{ a: '1' }, { a: '1', b: '' }],
    [{ 'a","': '1' }, { a: '1' }],
  ])('of %j is another than of %j', (one, other) => {
    expect(digest(one as Record<string, string>)).not.toBe(digest(other as Record<string, string>));
  });
});
