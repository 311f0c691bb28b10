import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Worker } from '../../src/worker.ts';
import { newCertificate } from '../support/certificate.ts';
import { cleanUp, listening, peerOf } from '../support/in-process.ts';

const certificate = newCertificate();
afterEach(cleanUp);
afterAll(async () => {
  await certificate[Symbol.asyncDispose]();
});

const V1 = 'PROXY TCP4 203.0.113.7 10.0.0.1 56324 443\r\n';
const V2 = Buffer.from(`0d0a0d0a000d0a515549540a2111000ccb0071070a000001dc0401bb`, 'hex');
const UPGRADE =
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
const behind = { proxyProtocol: true, trustedProxies: ['127.0.0.0/8'] };

describe('the PROXY protocol', () => {
  it.each([
    ['version 1', Buffer.from(V1)],
    ['version 2', V2],
  ])('tells a text Worker who the client is, %s, cut at every byte', async (_, header) => {
    const worker = await listening(new Worker('text://127.0.0.1:0', behind));
    worker.onMessage = (connection, line) =>
      connection.send(`${connection.getRemoteAddress()} ${line}`);
    const whole = Buffer.concat([header, Buffer.from('hi\n')]);
    for (let cut = 1; cut < whole.length; cut += 3) {
      const peer = await peerOf(worker);
      peer.socket.setNoDelay(true);
      peer.send(whole.subarray(0, cut));
      await new Promise((later) => setImmediate(later));
      peer.send(whole.subarray(cut));
      expect(await peer.line()).toBe('203.0.113.7:56324 hi');
      peer.destroy();
    }
  });

  it('works in front of HTTP, WebSocket and TLS', async () => {
    const http = await listening(new Worker('http://127.0.0.1:0', behind));
    http.onMessage = (connection) => connection.send(connection.getRemoteIp());
    const web = await peerOf(http);
    web.send(`${V1}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    await web.end();
    expect(String(web.received)).toMatch(/203\.0\.113\.7$/);

    const websocket = await listening(new Worker('websocket://127.0.0.1:0', behind));
    websocket.onWebSocketConnect = (connection) => connection.refuse(418, connection.getRemoteIp());
    const socket = await peerOf(websocket);
    socket.send(`${V1}${UPGRADE}\r\n`);
    await socket.end();
    expect(String(socket.received)).toMatch(/^HTTP\/1\.1 418 [\s\S]*203\.0\.113\.7\n$/);

    const ssl = { cert: certificate.cert, key: certificate.key };
    const tls = await listening(new Worker('text://127.0.0.1:0', { ...behind, ssl }));
    tls.onMessage = (connection) => connection.send(connection.getRemoteIp());
    const plain = await peerOf(tls);
    plain.socket.removeAllListeners('data');
    plain.send(V1);
    const secured = connect({ socket: plain.socket, ca: certificate.ca, servername: 'localhost' });
    await once(secured, 'secureConnect');
    secured.write('\n');
    expect(String((await once(secured, 'data'))[0])).toBe('203.0.113.7\n');
    secured.destroy();
  });

  it('comes before X-Forwarded-For: a client that is not trusted is not believed about itself', async () => {
    const http = await listening(new Worker('http://127.0.0.1:0', behind));
    http.onMessage = (connection) => connection.send(connection.getRemoteAddress());
    const web = await peerOf(http);
    web.send(`${V1}GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n`);
    web.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await web.end();
    const seen = String(web.received).match(/203\.0\.113\.7:56324|6\.6\.6\.6/g);
    expect(seen).toEqual(['203.0.113.7:56324', '203.0.113.7:56324']);
  });

  it('closes a trusted connection that has no header, a wrong one, or none in time', async () => {
    const worker = await listening(
      new Worker('text://127.0.0.1:0', { ...behind, handshakeTimeout: 0.3 }),
    );
    const connects: unknown[] = [];
    worker.onConnect = (connection) => connects.push(connection);
    for (const bytes of ['hello\n', 'PROXY TCP4 nonsense\r\n', '']) {
      const peer = await peerOf(worker);
      if (bytes !== '') peer.send(bytes);
      await peer.end();
    }
    expect(connects).toEqual([]);
  });

  it('believes no header from an address that is not trusted', async () => {
    const worker = await listening(
      new Worker('text://127.0.0.1:0', { proxyProtocol: true, trustedProxies: ['10.0.0.0/8'] }),
    );
    worker.onMessage = (connection, line) => connection.send(`${connection.getRemoteIp()} ${line}`);
    const peer = await peerOf(worker);
    peer.send(V1);
    expect(await peer.line()).toBe('127.0.0.1 PROXY TCP4 203.0.113.7 10.0.0.1 56324 443');
  });
});

describe('X-Forwarded-For', () => {
  it.each([
    [['127.0.0.1'], '203.0.113.9, 198.51.100.7', '198.51.100.7'],
    [['127.0.0.1', '198.51.100.0/24'], '203.0.113.9, 198.51.100.7', '203.0.113.9'],
    [['127.0.0.1'], 'nonsense', '127.0.0.1'],
    [[], '203.0.113.9', '127.0.0.1'],
  ])(
    'is believed as far as trusted addresses %j go: %s is %s',
    async (trustedProxies, header, seen) => {
      const http = await listening(new Worker('http://127.0.0.1:0', { trustedProxies }));
      http.onMessage = (connection) => connection.send(connection.getRemoteIp());
      const web = await peerOf(http);
      web.send(
        `GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${header}\r\nConnection: close\r\n\r\n`,
      );
      await web.end();
      expect(String(web.received).split('\r\n').at(-1)).toBe(seen);
      const websocket = await listening(new Worker('websocket://127.0.0.1:0', { trustedProxies }));
      websocket.onWebSocketConnect = (connection) =>
        connection.refuse(400, connection.getRemoteIp());
      const socket = await peerOf(websocket);
      socket.send(`${UPGRADE}X-Forwarded-For: ${header}\r\n\r\n`);
      await socket.end();
      expect(String(socket.received).split('\r\n').at(-1)).toBe(`${seen}\n`);
    },
  );

  it('counts for its own request only', async () => {
    const http = await listening(
      new Worker('http://127.0.0.1:0', { trustedProxies: ['127.0.0.1'] }),
    );
    http.onMessage = (connection) => connection.send(`${connection.getRemoteIp()};`);
    const web = await peerOf(http);
    web.send('GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n');
    web.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await web.end();
    expect(String(web.received).match(/[\d.]+;/g)).toEqual(['203.0.113.9;', '127.0.0.1;']);
  });
});
