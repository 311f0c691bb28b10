import { describe, expect, it } from '@jest/globals';
import { clientAddress, unmapped } from '../../src/protocols/forwarded.ts';

const trusted = (address: string) => address.startsWith('10.') || address === 'fd00::1';

describe('clientAddress', () => {
  it.each([
    ['believes a trusted proxy', '10.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['believes nobody else', '192.0.2.1', '192.0.2.7', '192.0.2.1'],
    ['takes the peer without a header', '10.0.0.1', undefined, '10.0.0.1'],
    ['takes the peer with an empty header', '10.0.0.1', '', '10.0.0.1'],
    ['goes through a chain of proxies', '10.0.0.1', '192.0.2.7, 10.0.0.3,10.0.0.2', '192.0.2.7'],
    ['ignores what a client wrote itself', '10.0.0.1', '1.1.1.1, 192.0.2.7, 10.0.0.2', '192.0.2.7'],
    ['ends at the last proxy if all are ours', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['stops before what is no address', '10.0.0.1', '192.0.2.7, unknown, 10.0.0.2', '10.0.0.2'],
    ['stops at an empty entry', '10.0.0.1', '192.0.2.7,', '10.0.0.1'],
    ['takes a port off', '10.0.0.1', '192.0.2.7:4711', '192.0.2.7'],
    ['reads IPv6', '10.0.0.1', '2001:db8::7', '2001:db8::7'],
    ['reads IPv6 in brackets', '10.0.0.1', '[2001:db8::7]', '2001:db8::7'],
    ['reads IPv6 with a port and quotes', '10.0.0.1', '"[2001:db8::7]:4711"', '2001:db8::7'],
    ['trusts an IPv6 proxy', 'fd00::1', '192.0.2.7', '192.0.2.7'],
    ['goes through a proxy with a port', '10.0.0.1', '192.0.2.7, 10.0.0.2:80', '192.0.2.7'],
  ])('%s', (_, peer, forwarded, client) => {
    expect(clientAddress(peer, forwarded, trusted)).toBe(client);
  });

  it('takes time linear in a header made to be slow', () => {
    const started = performance.now();
    for (const evil of [':'.repeat(16_000), '1.'.repeat(8000), '['.repeat(16_000)])
      expect(clientAddress('10.0.0.1', `${evil}x`, trusted)).toBe('10.0.0.1');
    expect(performance.now() - started).toBeLessThan(50);
  });
});

describe('unmapped', () => {
  it.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '::ffff:c000:201'],
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['', ''],
  ])('%j is %j', (address, plain) => {
    expect(unmapped(address)).toBe(plain);
  });
});
