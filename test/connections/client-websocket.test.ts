import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { WebSocket } from 'ws';
import { acceptKey } from '../../src/protocols/websocket-handshake.ts';
import { Worker } from '../../src/worker.ts';
import { newCertificate } from '../support/certificate.ts';
import { client, diary, endClients, server, wsServer } from '../support/clients.ts';
import { listening } from '../support/in-process.ts';
import { authority, eventually } from '../support/peer.ts';

const certificate = newCertificate();
afterEach(endClients);
afterAll(async () => {
  await certificate[Symbol.asyncDispose]();
});

describe('an outgoing WebSocket', () => {
  it('speaks with a ws server: text, binary, large, ping, subprotocol, headers, close code', async () => {
    const { port, wss } = await wsServer({ handleProtocols: () => 'v2' });
    const asked = once(wss, 'connection');
    const connection = client(`ws://127.0.0.1:${port}/feed?x=1`, {
      headers: { Origin: 'https://example.com' },
      subprotocols: ['v1', 'v2'],
    });
    const messages: unknown[] = [];
    connection.onMessage = (_, message) => messages.push(message);
    connection.connect();
    const [socket, request] = (await asked) as [WebSocket, IncomingMessage];
    expect([request.url, request.headers.origin, request.headers.host]).toEqual([
      '/feed?x=1',
      'https://example.com',
      `127.0.0.1:${port}`,
    ]);
    connection.send('text');
    connection.send(Buffer.from([0, 255]));
    connection.send('x'.repeat(100_000));
    await eventually(() => messages.length === 3);
    expect([
      connection.subprotocol,
      messages[0],
      messages[1],
      (messages[2] as string).length,
    ]).toEqual(['v2', 'text', Buffer.from([0, 255]), 100_000]);
    const { promise: pong, resolve } = Promise.withResolvers<string>();
    connection.onPong = (_, payload) => resolve(String(payload));
    connection.ping('there?');
    expect(await pong).toBe('there?');
    connection.close(undefined, { code: 4000, reason: 'done' });
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    expect([code, String(reason)]).toEqual([4000, 'done']);
  });

  it('compresses when both want to', async () => {
    const { port } = await wsServer({ perMessageDeflate: { threshold: 0 } });
    const connection = client(`ws://127.0.0.1:${port}/`, { deflate: true });
    const messages: string[] = [];
    connection.onMessage = (_, message) => messages.push(message as string);
    const sent = Array.from({ length: 20 }, (_, i) => `${i} `.repeat(i % 2 === 0 ? 1000 : 1));
    for (const each of sent) connection.send(each);
    connection.connect();
    await eventually(() => messages.length === sent.length);
    expect(messages).toEqual(sent);
    expect(connection.bytesRead).toBeLessThan(sent.join('').length / 4);
  });

  it('works over TLS, against our own server, and learns its close code', async () => {
    const ssl = { cert: certificate.cert, key: certificate.key };
    const worker = await listening(new Worker('websocket://127.0.0.1:0', { ssl }));
    worker.onMessage = (connection, data) =>
      connection.close(data, { code: 1012, reason: 'later' });
    const connection = client(`wss://${authority(worker)}/`, { tls: { ca: certificate.ca } });
    const seen = diary(connection);
    connection.send('hello');
    connection.connect();
    await eventually(() => seen.includes('close'));
    expect(seen).toEqual(['connect', 'websocket', 'message hello', 'close']);
    expect([connection.closeCode, connection.closeReason]).toEqual([1012, 'later']);
  });

  it.each([
    ['an answer that is no upgrade', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    [
      'a wrong key',
      'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n',
    ],
    ['no HTTP at all', 'hello\r\n\r\n'],
  ])('refuses %s', async (_, answer) => {
    const port = await server((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(answer));
    });
    const connection = client(`ws://127.0.0.1:${port}/`);
    const seen = diary(connection);
    connection.connect();
    await eventually(() => seen.includes('close'));
    expect(seen).toEqual(['connect', 'HANDSHAKE_FAILED', 'close']);
  });

  it('refuses masked frames from a server', async () => {
    const port = await server((socket) => {
      socket.on('error', () => {});
      socket.once('data', (data) => {
        const key = /Sec-WebSocket-Key: (.*)\r/i.exec(String(data))?.[1] ?? '';
        socket.write(
          `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
        );
        socket.write(Buffer.from('818100000000' + '61', 'hex'));
      });
    });
    const connection = client(`ws://127.0.0.1:${port}/`);
    const seen = diary(connection);
    connection.connect();
    await eventually(() => seen.includes('FRAME_MASK_UNEXPECTED'));
    expect(seen.filter((each) => each.startsWith('message'))).toEqual([]);
  });
});
