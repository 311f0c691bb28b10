import { describe, expect, it } from '@jest/globals';
import {
  handshake,
  maskedFrame,
  maskOf,
  plainFrame,
  TEXT_LENGTH,
  textOf,
} from '../../bench/load/frames.ts';
import { exchange, httpLength, type Kind, portions } from '../../bench/load/speech.ts';
import { websocket } from '../../src/protocols/websocket.ts';
import { FrameDecoder } from '../../src/protocols/websocket-frames.ts';
import { readHandshake } from '../../src/protocols/websocket-handshake.ts';
import { masked } from '../support/frames.ts';

const COUNT = 3000;
const numbers = Array.from({ length: COUNT }, (_, i) => i);
const TEXT = 0x81;

describe('texts', () => {
  it('have 64 characters of ASCII each, none twice', () => {
    const texts = numbers.map(textOf);
    expect(new Set(texts.map((text) => Buffer.byteLength(text)))).toEqual(new Set([TEXT_LENGTH]));
    expect(new Set(texts).size).toBe(COUNT);
  });
});

describe('frames', () => {
  it('are those of RFC 6455, section 5.7: a masked and an unmasked "Hello"', () => {
    expect(maskedFrame('Hello', Buffer.from('37fa213d', 'hex')).toString('hex')).toBe(
      '818537fa213d7f9f4d5158',
    );
    expect(plainFrame('Hello').toString('hex')).toBe('810548656c6c6f');
  });

  it.each([0, 125, 126, 65_535, 65_536])('of %d bytes have the right head', (length) => {
    const text = 'a'.repeat(length);
    const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
    expect(maskedFrame(text, mask)).toEqual(masked(TEXT, text));
    expect(plainFrame(text)).toEqual(websocket({ role: 'server', deflate: false }).encode(text));
  });

  it('are read as the texts they carry, many in one chunk', () => {
    const options = { role: 'server', maxPayload: 1000, deflate: false } as const;
    const frames = numbers.map((i) => maskedFrame(textOf(i), maskOf(i)));
    expect(new FrameDecoder(options).push(Buffer.concat(frames))).toEqual(numbers.map(textOf));
  });

  it('have masks that differ', () => {
    expect(new Set(numbers.map((i) => maskOf(i).toString('hex'))).size).toBe(COUNT);
  });
});

describe('a handshake', () => {
  it('is as long as a browser makes it, and each has a key of its own', () => {
    const all = numbers.map((i) => handshake('/', i));
    for (const each of all) {
      expect(each.length).toBeGreaterThanOrEqual(500);
      expect(each.length).toBeLessThanOrEqual(600);
    }
    const keys = all.map((each) => readHandshake(each)?.headers['sec-websocket-key']);
    expect(new Set(keys).size).toBe(COUNT);
  });

  it('is one that a server takes', () => {
    const request = handshake('/path?a=b', 7);
    expect(readHandshake(request)).toMatchObject({ target: '/path?a=b', size: request.length });
  });
});

describe('exchanges', () => {
  it.each<[Kind, number, number | undefined]>([
    ['websocket', 70, 66],
    ['masked', 70, 70],
    ['text', 65, 65],
  ])('of %s ask with %d bytes and expect %d', (kind, ask, answer) => {
    for (const i of [0, 1, 99_999_999]) {
      const one = exchange(kind, i);
      expect([one.ask.length, one.answer?.length]).toEqual([ask, answer]);
    }
  });

  it('of HTTP ask for another page each time', () => {
    expect(exchange('http', 12).ask.toString()).toMatch(/^GET \/\?n=00000012 HTTP\/1\.1\r\n/);
    expect(exchange('http', 12).answer).toBeUndefined();
  });

  it('come in portions that hold all messages in their order', () => {
    const all = portions('text', 16, 100);
    expect(all.length).toBe(7);
    const lines = Buffer.concat(all).toString().trimEnd().split('\n');
    expect(lines).toEqual(Array.from({ length: 112 }, (_, i) => textOf(i)));
  });
});

describe('the length of an HTTP answer', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: now\r\n\r\n';

  it('is known once its head is there, not before', () => {
    for (let cut = 0; cut < head.length; cut += 1)
      expect(httpLength(Buffer.from(head.slice(0, cut)))).toBeUndefined();
    for (const body of ['', 'he', 'hello', 'hello and more'])
      expect(httpLength(Buffer.from(head + body))).toBe(head.length + 5);
  });
});
