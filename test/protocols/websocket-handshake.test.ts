import { describe, expect, it } from '@jest/globals';
import {
  acceptKey,
  chooseSubprotocol,
  handshakeResponse,
  hasToken,
  readHandshake,
  refusal,
  refusalOf,
} from '../../src/protocols/websocket-handshake.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const REQUIRED = [
  'Host: server.example.com',
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Key: ${KEY}`,
  'Sec-WebSocket-Version: 13',
];

const request = (line = 'GET /chat HTTP/1.1', headers: readonly string[] = REQUIRED) =>
  Buffer.from([line, ...headers, '', ''].join('\r\n'), 'latin1');
/** The request with one header replaced; an empty one is left out. */
const but = (header: string) => {
  const [name = ''] = header.split(':');
  const others = REQUIRED.filter((each) => !each.startsWith(`${name}:`));
  return request(undefined, header.endsWith(':') ? others : [...others, header]);
};
const lowerName = (header: string) => header.replace(/^[^:]+/, (name) => name.toLowerCase());
const also = (...headers: string[]) => request(undefined, [...REQUIRED, ...headers]);

describe('readHandshake', () => {
  it('reads the request of RFC 6455 section 1.2, and says where it ends', () => {
    const bytes = also('Origin: http://example.com', 'Sec-WebSocket-Protocol: chat, superchat');
    const handshake = readHandshake(Buffer.concat([bytes, Buffer.from([0x81, 0x80])]));
    expect(handshake?.target).toBe('/chat');
    expect(handshake?.size).toBe(bytes.length);
    expect({ ...handshake?.headers }).toEqual({
      host: 'server.example.com',
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-key': KEY,
      'sec-websocket-version': '13',
      origin: 'http://example.com',
      'sec-websocket-protocol': 'chat, superchat',
    });
  });

  it.each([
    ['a query', request('GET /chat?a=1&b=%20 HTTP/1.1')],
    ['several tokens in Connection', but('Connection: keep-alive, Upgrade')],
    ['tokens in another case', but('Upgrade: WebSocket')],
    ['header names in another case', request(undefined, REQUIRED.map(lowerName))],
    ['an empty header', also('X-Empty:')],
    ['white space around a value', also('X-Wide: \t a\tb \t')],
    ['a header named __proto__', also('__proto__: polluted')],
    ['an empty Host', but('Host: ')],
  ])('takes %s', (_, bytes) => {
    expect(readHandshake(bytes)).toMatchObject({ size: bytes.length });
  });

  it('gives values without the white space around them', () => {
    expect(readHandshake(also('X-Wide: \t a\tb \t'))?.headers['x-wide']).toBe('a\tb');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a cut request', request().subarray(0, -1)],
    ['a TLS hello', Buffer.from('160301', 'hex')],
    ['POST', request('POST /chat HTTP/1.1')],
    ['lower case', request('get /chat HTTP/1.1')],
    ['HTTP/1.0', request('GET /chat HTTP/1.0')],
    ['an absolute target', request('GET http://h/chat HTTP/1.1')],
    ['a space in the target', request('GET /ch at HTTP/1.1')],
    ['a byte above 7e in the target', request('GET /\xe9 HTTP/1.1')],
    ['a page', but('Upgrade:')],
    ['another upgrade', but('Upgrade: h2c')],
    ['an upgrade list', but('Upgrade: websocket, h2c')],
    ['no Connection', but('Connection:')],
    ['Connection without upgrade', but('Connection: keep-alive')],
    ['no Host', but('Host:')],
    ['no key', but('Sec-WebSocket-Key:')],
    ['a key of 15 bytes', but(`Sec-WebSocket-Key: ${'A'.repeat(20)}`)],
    ['a key with loose bits', but('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==')],
    ['no version', but('Sec-WebSocket-Version:')],
    ['version 8', but('Sec-WebSocket-Version: 8')],
    ['a body by length', also('Content-Length: 0')],
    ['a body in chunks', also('Transfer-Encoding: chunked')],
    ['Expect', also('Expect: 100-continue')],
    ['two of a header', also('X-A: 1', 'x-a: 2')],
    ['two Hosts', also('Host: other')],
    ['a folded header', also('X-A: 1', ' 2')],
    ['white space before the colon', also('X-A : 1')],
    ['a header without a name', also(': 1')],
    ['a header without a colon', also('X-A')],
    ['a bare line feed', also('X-A: 1\nX-B: 2')],
    ['a bare carriage return', also('X-A: 1\rX-B: 2')],
    ['a NUL byte', also('X-A: \0')],
    ['a byte above 7e', also('X-A: \xe9')],
    ['more than 16 KiB', also(`X-A: ${'a'.repeat(16_384)}`)],
    ['a hundred headers', also(...Array.from({ length: 95 }, (_, i) => `X-${i}: 1`))],
  ])('leaves %s to node:http', (_, bytes) => {
    expect(readHandshake(bytes)).toBeUndefined();
  });

  it('leaves every cut of a good request to node:http', () => {
    const bytes = request();
    for (let cut = 0; cut < bytes.length; cut += 1)
      expect(readHandshake(bytes.subarray(0, cut))).toBeUndefined();
    expect(readHandshake(bytes)).toBeDefined();
  });
});

describe('refusal', () => {
  const good = {
    host: 'a',
    upgrade: 'websocket',
    'sec-websocket-key': KEY,
    'sec-websocket-version': '13',
  };

  it.each([
    ['nothing', 'GET', {}, undefined],
    ['an empty body', 'GET', { 'content-length': '0' }, undefined],
    ['a body', 'GET', { 'content-length': '5' }, /^HTTP\/1.1 400 /],
    ['a chunked body', 'GET', { 'transfer-encoding': 'chunked' }, /^HTTP\/1.1 400 /],
    ['a capital', 'GET', { upgrade: 'WebSocket' }, undefined],
    ['POST', 'POST', {}, /^HTTP\/1.1 405 Method Not Allowed\r\n(.*\r\n)*Allow: GET\r\n/],
    ['no method', undefined, {}, /^HTTP\/1.1 405 /],
    ['another upgrade', 'GET', { upgrade: 'h2c' }, /^HTTP\/1.1 400 Bad Request\r\n/],
    ['no key', 'GET', { 'sec-websocket-key': undefined }, /^HTTP\/1.1 400 /],
    ['a short key', 'GET', { 'sec-websocket-key': 'abc=' }, /^HTTP\/1.1 400 /],
    [
      'version 8',
      'GET',
      { 'sec-websocket-version': '8' },
      /^HTTP\/1.1 426 Upgrade Required\r\n(.*\r\n)*Sec-WebSocket-Version: 13\r\n/,
    ],
  ])('of %s', (_, method, headers, expected) => {
    const all: Record<string, string | undefined> = { ...good, ...headers };
    const rawHeaders = Object.entries(all).flatMap(([name, value]) => [name, value ?? '']);
    const httpVersion = '1.1';
    const answer = refusal({ method, headers: all, rawHeaders, httpVersion });
    if (expected === undefined) expect(answer).toBeUndefined();
    else expect(answer?.toString()).toMatch(expected);
  });

  it('says how long its text is and that the connection ends', () => {
    const [head = '', body] = refusalOf(403, 'não').toString().split('\r\n\r\n');
    expect(head.split('\r\n')).toEqual([
      'HTTP/1.1 403 Forbidden',
      'Connection: close',
      'Content-Type: text/plain',
      'Content-Length: 5',
    ]);
    expect(body).toBe('não\n');
    expect(refusalOf(499, '').toString()).toMatch(
      /^HTTP\/1.1 499 Refused\r\n.*Length: 0\r\n\r\n$/s,
    );
  });
});

describe('the answer to a handshake', () => {
  it('has the accept key of RFC 6455 section 1.3', () => {
    expect(acceptKey(KEY)).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    const added = { 'Sec-WebSocket-Protocol': 'chat', 'X-Empty': '' };
    expect(handshakeResponse(KEY, added).toString().split('\r\n')).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      'Sec-WebSocket-Protocol: chat',
      'X-Empty: ',
      '',
      '',
    ]);
  });

  it.each([
    ['a line break inside a value', 'X-A', 'a\r\nX-B: b'],
    ['a bare line feed', 'X-A', 'a\nb'],
    ['a line break at the end of a value', 'X-A', 'a\r\n'],
    ['an end of the head', 'X-A', 'a\r\n\r\n'],
    ['a line feed alone', 'X-A', '\n'],
    ['a NUL byte', 'X-A', 'a\0'],
    ['what becomes a NUL byte in latin1', 'X-A', 'a\u3000'],
    ['a line break in a name', 'X-A: 1\r\nX-B', 'b'],
    ['a space in a name', 'X A', 'a'],
    ['an empty name', '', 'a'],
    ['a character that latin1 lacks', 'X-A', '€'],
  ])('refuses %s', (_, name, value) => {
    expect(() => handshakeResponse(KEY, { [name]: value })).toThrow(/not a header line/);
    expect(() => refusalOf(403, '', { [name]: value })).toThrow(/not a header line/);
  });
});

describe('tokens', () => {
  it.each([
    ['upgrade', true],
    ['keep-alive, Upgrade', true],
    ['keep-alive ,UPGRADE,', true],
    ['upgraded', false],
    ['', false],
    [undefined, false],
  ])('%j contains upgrade: %s', (value, contains) => {
    expect(hasToken(value, 'upgrade')).toBe(contains);
  });

  it.each([
    ['a, b', ['b', 'a'], 'b'],
    ['a,b', ['c', 'a'], 'a'],
    ['A', ['a'], undefined],
    ['a', [], undefined],
    ['', ['a'], undefined],
    [undefined, ['a'], undefined],
  ])('offered %j, ours %j: %j is spoken', (offered, ours, chosen) => {
    expect(chooseSubprotocol(offered, ours)).toBe(chosen);
  });
});
