import { describe, expect, it } from '@jest/globals';
import { Declarations } from '../../src/channel/declared.ts';

describe('declarations of history', () => {
  it.each([
    ['room:*', 'room:1', true],
    ['room:*', 'room:', true],
    ['room:*', 'aroom:1', false],
    ['*:news', 'a:b:news', true],
    ['*:news', 'news', false],
    ['a*c*e', 'abcde', true],
    ['a*c*e', 'abde', false],
    ['*', 'line\nbreak', true],
    ['a.c', 'abc', false],
    ['a.*', 'a.c', true],
    ['news', 'news', true],
    ['news', 'news2', false],
  ])('%s fits %j: %s', (channels, channel, fits) => {
    const declared = new Declarations([{ channels, size: 1, seconds: 1 }]);
    expect(declared.of(channel)).toEqual(fits ? { size: 1, seconds: 1 } : undefined);
  });

  it('count in their order, seconds as whole ones', () => {
    const declared = new Declarations([
      { channels: 'room:1', size: 5, seconds: 0.5 + 1 },
      { channels: 'room:*', size: 9, seconds: 60 },
    ]);
    expect(declared.of('room:1')).toEqual({ size: 5, seconds: 2 });
    expect(declared.of('room:2')).toEqual({ size: 9, seconds: 60 });
    expect(new Declarations().of('room:1')).toBeUndefined();
  });

  it.each([
    [{ size: 0, seconds: 1 }, /size 0, allowed: 1 to 1000000/],
    [{ size: 1.5, seconds: 1 }, /size 1.5/],
    [{ size: 1_000_001, seconds: 1 }, /size 1000001/],
    [{ size: 1, seconds: 0 }, /0 seconds, allowed: 1 to 2592000/],
    [{ size: 1, seconds: Number.NaN }, /NaN seconds/],
    [{ size: 1, seconds: 2_592_001 }, /2592001 seconds/],
  ])('refuse %j', (bounds, message) => {
    expect(() => new Declarations([{ channels: '*', ...bounds }])).toThrow(message);
  });
});
