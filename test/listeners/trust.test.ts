import { describe, expect, it } from '@jest/globals';
import { trusting } from '../../src/listeners/trust.ts';

describe('trusting', () => {
  const trusted = trusting(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '2001:db8::1', '0.0.0.0/32']);

  it.each([
    ['10.0.0.0', true],
    ['10.255.255.255', true],
    ['11.0.0.0', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['fd12::1', true],
    ['fe80::1', false],
    ['2001:db8::1', true],
    ['2001:0db8:0:0::1', true],
    ['2001:db8::2', false],
    ['::ffff:10.0.0.1', true],
    ['', false],
    ['localhost', false],
    ['10.0.0.1:80', false],
  ])('%j: %s', (address, expected) => {
    expect(trusted(address)).toBe(expected);
  });

  it('is nobody without networks, and everybody with /0', () => {
    expect(trusting([])('127.0.0.1')).toBe(false);
    const all = trusting(['0.0.0.0/0', '::/0']);
    expect([all('192.0.2.1'), all('2001:db8::1')]).toEqual([true, true]);
  });

  it.each([
    'localhost',
    '',
    '/',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8.5',
    '10.0.0.0/1e1',
    '10.0.0.0/8/9',
    '10.0.0/8',
    'fd00::/129',
    '[::1]',
    ' 10.0.0.1',
  ])('refuses %j', (network) => {
    expect(() => trusting([network])).toThrow(`"${network}"`);
    expect(() => trusting([network])).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});
