import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import { type AnyWorker, Worker } from '../../src/worker.ts';
import { newCertificate } from '../support/certificate.ts';
import { cleanUp, listening } from '../support/in-process.ts';
import { authority, eventually, whereIs } from '../support/peer.ts';

const first = newCertificate();
const second = newCertificate();

afterEach(cleanUp);
afterAll(async () => {
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

const ssl = { cert: first.cert, key: first.key };

async function client(worker: AnyWorker, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    ...(whereIs(worker) as { host: string; port: number }),
    ca: first.ca,
    ...options,
  });
  await once(socket, 'secureConnect');
  return socket;
}

describe('TLS', () => {
  it('carries a text Worker', async () => {
    const worker = await listening(new Worker('text://127.0.0.1:0', { ssl }));
    worker.onMessage = (connection, line) => connection.send(`${connection.transport} ${line}`);
    expect(worker.transport).toBe('ssl');
    const socket = await client(worker);
    socket.write('hi\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toBe('ssl hi\n');
    socket.destroy();
  });

  it('carries many connections at once over a unix socket, which have no addresses', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'longshore-tls-')), 'sock');
    const worker = await listening(new Worker(`unix://${path}`, { ssl }));
    worker.onMessage = (connection, data) => connection.send(data);
    const answers = Array.from({ length: 20 }, async (_, i) => {
      const socket = connect({ path, ca: first.ca, servername: 'localhost' });
      socket.write(`${i}`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return Number(answer);
    });
    expect(await Promise.all(answers)).toEqual(answers.map((_, i) => i));
    rmSync(dirname(path), { recursive: true });
  });

  it('flushes megabytes before it closes', async () => {
    const worker = await listening(
      new Worker('text://127.0.0.1:0', { ssl, maxSendBufferSize: 50_000_000 }),
    );
    worker.onMessage = (connection) => {
      for (let i = 0; i < 10; i += 1) connection.send('x'.repeat(999_999));
      connection.close();
    };
    const socket = await client(worker);
    let size = 0;
    socket.on('data', (chunk: Buffer) => {
      size += chunk.length;
    });
    socket.write('go\n');
    await once(socket, 'end');
    expect(size).toBe(10_000_000);
  });

  it('makes a WebSocket Worker wss and an HTTP Worker https', async () => {
    const wss = new Worker('websocket://127.0.0.1:0', { ssl });
    wss.onMessage = (connection, data) => connection.send(data);
    await listening(wss);
    expect(wss.getSocketName()).toMatch(/^wss:/);
    const socket = new WebSocket(`wss://${authority(wss)}/`, { ca: first.ca });
    await once(socket, 'open');
    socket.send('secret');
    expect(String((await once(socket, 'message'))[0])).toBe('secret');
    socket.terminate();
    const https = new Worker('http://127.0.0.1:0', { ssl });
    https.onMessage = (connection) => connection.send(connection.transport);
    await listening(https);
    expect(https.getSocketName()).toMatch(/^https:/);
    const request = await client(https, { ALPNProtocols: ['http/1.1'] });
    expect(request.alpnProtocol).toBe('http/1.1');
    request.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of request) text += chunk;
    expect(text).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*ssl$/);
  });

  it('takes a renewed certificate without a restart, and keeps the old one while the new is broken', async () => {
    const mine = newCertificate();
    const worker = await listening(
      new Worker('text://127.0.0.1:0', { ssl: { cert: mine.cert, key: mine.key } }),
    );
    const serial = async () => {
      const socket = await client(worker, { rejectUnauthorized: false });
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const before = await serial();
    writeFileSync(mine.cert, 'not a certificate');
    expect(await serial()).toBe(before);
    copyFileSync(second.cert, mine.cert);
    copyFileSync(second.key, mine.key);
    let now = before;
    while (now === before) now = await serial();
    expect(now).not.toBe(before);
    await mine[Symbol.asyncDispose]();
  });

  it('asks for a client certificate where it was told to', async () => {
    const worker = await listening(
      new Worker('text://127.0.0.1:0', { ssl: { ...ssl, ca: second.cert } }),
    );
    const connects: string[] = [];
    worker.onConnect = (connection) => connects.push(connection.getRemoteIp());
    worker.onMessage = (connection, line) => connection.send(line);
    const { readFileSync } = await import('node:fs');
    const known = await client(worker, {
      cert: readFileSync(second.cert),
      key: readFileSync(second.key),
    });
    known.write('it is me\n');
    expect(String((await once(known, 'data'))[0])).toBe('it is me\n');
    known.destroy();
    const where = whereIs(worker) as { host: string; port: number };
    const stranger = connect({ ...where, ca: first.ca });
    stranger.on('error', () => {});
    stranger.write('hello?\n');
    await new Promise((closed) => stranger.on('close', closed));
    expect(connects).toEqual(['127.0.0.1']);
  });

  it('ends connections that speak no TLS, or say nothing', async () => {
    const worker = await listening(
      new Worker('text://127.0.0.1:0', { ssl, handshakeTimeout: 0.3 }),
    );
    const connects: unknown[] = [];
    worker.onConnect = (connection) => connects.push(connection);
    for (const words of ['hello in plain text\n', '']) {
      const socket = connectTcp(whereIs(worker) as { host: string; port: number });
      socket.on('error', () => {});
      socket.resume();
      if (words !== '') socket.write(words);
      await new Promise((closed) => socket.on('close', closed));
    }
    expect(connects).toEqual([]);
  });

  it('refuses to start with files that are missing or do not belong together', async () => {
    const missing = new Worker('text://127.0.0.1:0', {
      ssl: { cert: '/none/cert.pem', key: ssl.key },
    });
    await expect(missing.listen()).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('/none/cert.pem'),
    });
    const mixed = new Worker('text://127.0.0.1:0', { ssl: { cert: first.cert, key: second.key } });
    await expect(mixed.listen()).rejects.toMatchObject({ code: 'START_FAILED' });
    await eventually(() => !missing.listening && !mixed.listening);
  });
});
