import { afterEach, describe, expect, it } from '@jest/globals';
import { Worker } from '../../src/worker.ts';
import { cleanUp, listening, peerOf } from '../support/in-process.ts';

afterEach(cleanUp);

const UPGRADE =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
/** Sent as a body it would be a text frame "a". */
const FRAME = '\u0081\u0081\0\0\0\0a';

/** What comes back until the server closes. */
async function all(request: string): Promise<string> {
  const worker = await listening(new Worker('websocket://127.0.0.1:0'));
  worker.onMessage = () => expect('a message').toBe('never seen');
  const peer = await peerOf(worker);
  peer.send(Buffer.from(request, 'latin1'));
  expect(await peer.end()).toBe('end');
  return peer.received.toString('latin1');
}

describe('a WebSocket port', () => {
  it.each([
    ['no Host', `GET / HTTP/1.1\r\n${UPGRADE}\r\n`],
    ['two Hosts', `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n${UPGRADE}\r\n`],
    ['HTTP/1.0', `GET / HTTP/1.0\r\nHost: a\r\n${UPGRADE}\r\n`],
    ['a body', `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n${UPGRADE}\r\n${FRAME}`],
    [
      'a chunked body',
      `GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${UPGRADE}\r\n7\r\n${FRAME}\r\n0\r\n\r\n`,
    ],
  ])('refuses a handshake with %s', async (_, request) => {
    expect(await all(request)).toMatch(/^HTTP\/1.1 400 /);
  });

  it.each(['1.0', '1.1'])('ends a connection of HTTP/%s that does not upgrade', async (version) => {
    const answer = await all(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`);
    expect(answer).toMatch(
      /^HTTP\/1.1 426 Upgrade Required\r\n(.*\r\n)*connection: upgrade, close\r\n/,
    );
  });
});
