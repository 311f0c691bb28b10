import { describe, expect, it } from '@jest/globals';
import { matchOf, redisPlace } from '../../src/globaldata/redis-words.ts';

describe('the address of a Redis', () => {
  it.each([
    ['redis://host', { url: 'redis://host', prefix: 'longshore:', shown: 'redis://host' }],
    [
      'rediss://me:word@host:7000/3?prefix=app%3A',
      { url: 'rediss://me:word@host:7000/3', prefix: 'app:', shown: 'rediss://host:7000/3' },
    ],
    [
      'redis://:word@[::1]:1/?prefix=',
      { url: 'redis://:word@[::1]:1/', prefix: '', shown: 'redis://[::1]:1/' },
    ],
  ])('%s', (address, place) => {
    expect(redisPlace(address)).toEqual(place);
  });

  it.each([
    'redis://',
    'redis://me:word@host/three',
    'redis://me:word@host?db=3',
    'http://me:word@host',
  ])('%s is none, and its password is not told', (address) => {
    expect(() => redisPlace(address)).toThrow(
      expect.objectContaining({ code: 'GLOBALDATA_INVALID' }),
    );
    expect(() => redisPlace(address)).not.toThrow('word');
  });
});

it.each([
  ['user:*', 'longshore:user:*'],
  ['a?[b]\\*^', 'longshore:a\\?\\[b\\]\\\\*\\^'],
  ['', 'longshore:'],
])('the pattern %j is %j for Redis', (pattern, match) => {
  expect(matchOf('longshore:', pattern)).toBe(match);
});
