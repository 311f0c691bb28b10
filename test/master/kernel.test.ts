import { describe, expect, it } from '@jest/globals';
import { netstat, numbersOf } from '../../src/master/kernel.ts';

describe('netstat', () => {
  it('pairs the names of the TCP extensions with their values', () => {
    const content = [
      'TcpExt: SyncookiesSent ListenOverflows ListenDrops',
      'TcpExt: 0 12 34',
      'IpExt: InNoRoutes ListenDrops',
      'IpExt: 1 999',
      '',
    ].join('\n');
    expect(Object.fromEntries(netstat(content))).toEqual({
      SyncookiesSent: 0,
      ListenOverflows: 12,
      ListenDrops: 34,
    });
  });

  it('is empty where there is nothing to read', () => {
    expect(netstat('').size).toBe(0);
    expect(netstat('IpExt: A\nIpExt: 1\n').size).toBe(0);
  });
});

describe('numbersOf', () => {
  it.each([
    ['4096\n', [4096]],
    ['4096\t131072\t6291456\n', [4096, 131_072, 6_291_456]],
    ['32768 60999', [32_768, 60_999]],
    ['-1\n', [-1]],
    ['cubic\n', []],
    ['1 cubic', []],
    ['1.5', []],
    ['', []],
    ['\n', []],
  ])('of %j are %j', (value, numbers) => {
    expect(numbersOf(value)).toEqual(numbers);
  });
});
