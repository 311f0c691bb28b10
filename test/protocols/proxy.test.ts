import { describe, expect, it } from '@jest/globals';
import { readProxyHeader } from '../../src/protocols/proxy.ts';
import { hex } from '../support/cuts.ts';
import { Random } from '../support/random.ts';

const V2 = '0d0a0d0a000d0a515549540a';
const PORTS = 'dc04 01bb';
const source = (address: string, port = 56_324) => ({ address, port });

/** What it is, the header, who it says the client is. */
const HEADERS: [string, Buffer, { address: string; port: number } | undefined][] = [
  ['v1 TCP4', v1('TCP4 192.0.2.1 192.0.2.2 56324 443'), source('192.0.2.1')],
  ['v1 TCP6', v1('TCP6 2001:db8::1 ::1 56324 443'), source('2001:db8::1')],
  ['v1 port 0', v1('TCP4 255.255.255.255 0.0.0.0 0 0'), source('255.255.255.255', 0)],
  ['v1 UNKNOWN', v1('UNKNOWN'), undefined],
  ['v1 UNKNOWN with more', v1('UNKNOWN ffff::1 ffff::2 1 2'), undefined],
  [
    'v1 of the longest kind',
    v1(`UNKNOWN ${Array(2).fill('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff').join(' ')} 65535 65535`),
    undefined,
  ],
  ['v2 TCP4', hex(`${V2} 21 11 000c c0000201 c0000202 ${PORTS}`), source('192.0.2.1')],
  ['v2 UDP4', hex(`${V2} 21 12 000c c0000201 c0000202 ${PORTS}`), source('192.0.2.1')],
  [
    'v2 TCP6',
    hex(`${V2} 21 21 0024 20010db8000000000000000000000001 ${'00'.repeat(16)} ${PORTS}`),
    source('2001:db8::1'),
  ],
  [
    'v2 TCP4 with a value behind',
    hex(`${V2} 21 11 0010 c0000201 c0000202 ${PORTS} 04000100`),
    source('192.0.2.1'),
  ],
  ['v2 of a unix socket', hex(`${V2} 21 31 00d8 ${'61'.repeat(216)}`), undefined],
  ['v2 unspecified', hex(`${V2} 21 00 0000`), undefined],
  ['v2 LOCAL', hex(`${V2} 20 00 0000`), undefined],
  [
    'v2 LOCAL with addresses, to be skipped',
    hex(`${V2} 20 11 000c c0000201 c0000202 ${PORTS}`),
    undefined,
  ],
];

function v1(words: string): Buffer {
  return Buffer.from(`PROXY ${words}\r\n`);
}

describe('readProxyHeader', () => {
  it.each(HEADERS)('reads %s, and nothing of what follows', (_, header, client) => {
    const expected = { size: header.length, source: client };
    expect(readProxyHeader(header)).toEqual(expected);
    expect(readProxyHeader(Buffer.concat([header, header]))).toEqual(expected);
    expect(readProxyHeader(Buffer.concat([header, Buffer.from('\r\n')]))).toEqual(expected);
  });

  it.each(HEADERS)('waits for the rest of %s, wherever it is cut', (_, header) => {
    for (let cut = 0; cut < header.length; cut += 1)
      expect(readProxyHeader(header.subarray(0, cut))).toBeUndefined();
  });

  it.each([
    ['another protocol', 'GET / HTTP/1.1\r\n'],
    ['lower case', 'proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n'],
    ['its first byte being wrong', '\x16'],
    ['its sixth byte being wrong', 'PROXY\t'],
    ['a version 2 that goes wrong', '\r\n\r\n\0\r\nQUIX'],
    ['an unknown family', 'PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n'],
    ['an IPv6 address as IPv4', 'PROXY TCP4 ::1 ::1 1 2\r\n'],
    ['an IPv4 address as IPv6', 'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n'],
    ['an octet above 255', 'PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n'],
    ['three octets', 'PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n'],
    ['a name', 'PROXY TCP4 localhost 1.2.3.4 1 2\r\n'],
    ['a port above 65535', 'PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n'],
    ['a negative port', 'PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n'],
    ['no port', 'PROXY TCP4 1.2.3.4 1.2.3.4\r\n'],
    ['a word too many', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n'],
    ['a double space', 'PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n'],
  ])('refuses version 1 with %s', (_, header) => {
    expect(() => readProxyHeader(Buffer.from(header, 'latin1'))).toThrow(
      expect.objectContaining({ code: 'PROXY_HEADER' }),
    );
  });

  it('refuses anything else at the first byte that is wrong', () => {
    const random = new Random(21);
    for (const start of [Buffer.from('PROXY '), hex(V2)]) {
      for (let at = 0; at < start.length; at += 1) {
        const wrong = (start[at] as number) ^ random.int(1, 255);
        const bytes = Buffer.concat([start.subarray(0, at), Buffer.from([wrong])]);
        if (at === 0 && (wrong === 0x50 || wrong === 0x0d)) continue;
        expect(() => readProxyHeader(bytes)).toThrow(/does not begin with a PROXY header/);
      }
    }
  });

  it('refuses a version 1 header of more than 107 bytes, also before its end arrives', () => {
    const longest = v1(`UNKNOWN ${'x'.repeat(107 - 16)}`);
    expect(longest).toHaveLength(107);
    expect(readProxyHeader(longest)?.size).toBe(107);
    expect(readProxyHeader(longest.subarray(0, 106))).toBeUndefined();
    for (const end of ['', '\r\n']) {
      const tooLong = Buffer.from(`PROXY UNKNOWN ${'x'.repeat(93)}${end}`);
      expect(() => readProxyHeader(tooLong)).toThrow(/no line end in 107 bytes/);
    }
  });

  it.each([
    ['version 1', '11 11 000c'],
    ['version 3', '31 11 000c'],
    ['another command', '22 11 000c'],
    ['more than 4096 bytes', '21 11 1001'],
  ])('refuses version 2 with %s at its head', (_, rest) => {
    expect(() => readProxyHeader(hex(`${V2} ${rest}`))).toThrow(
      expect.objectContaining({ code: 'PROXY_HEADER' }),
    );
  });

  it.each([
    ['IPv4', `21 11 000b ${'00'.repeat(11)}`],
    ['IPv6', `21 21 0023 ${'00'.repeat(35)}`],
  ])('refuses version 2 with less than two %s addresses in it', (_, rest) => {
    expect(() => readProxyHeader(hex(`${V2} ${rest}`))).toThrow(/do not hold two addresses/);
  });

  it('takes a version 2 header of 4096 bytes', () => {
    const header = Buffer.concat([hex(`${V2} 21 11 1000`), Buffer.alloc(4096, 1)]);
    expect(readProxyHeader(header)).toEqual({ size: 4112, source: source('1.1.1.1', 257) });
  });
});
