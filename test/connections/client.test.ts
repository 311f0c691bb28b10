import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { AddressInfo } from 'ws';
import { AsyncTcpConnection } from '../../src/connections/client.ts';
import { open } from '../../src/connections/connection.ts';
import { Worker } from '../../src/worker.ts';
import { newCertificate } from '../support/certificate.ts';
import { client, diary, endClients, server, servers } from '../support/clients.ts';
import { listening } from '../support/in-process.ts';
import { authority, eventually, Peer } from '../support/peer.ts';

const certificate = newCertificate();
afterEach(endClients);
afterAll(async () => {
  await certificate[Symbol.asyncDispose]();
});

describe('an outgoing connection', () => {
  it('sends what was sent before it was open, in order', async () => {
    const worker = await listening(new Worker('text://127.0.0.1:0'));
    worker.onMessage = (connection, line) => connection.send(line);
    const connection = client(`text://${authority(worker)}`);
    const seen = diary(connection);
    expect([connection.send('first'), connection.status]).toEqual([null, 'initial']);
    connection.connect();
    expect([connection.send('second'), connection.status]).toEqual([null, 'connecting']);
    await eventually(() => seen.length === 3);
    expect(connection.send('third')).toBe(true);
    await eventually(() => seen.length === 4);
    expect(seen).toEqual(['connect', 'message first', 'message second', 'message third']);
    expect(connection.getRemoteAddress()).toBe(authority(worker));
  });

  it('tells why it failed, then that it is closed, and the program lives', async () => {
    const port = await server(() => {});
    servers.pop()?.close();
    const connection = client(`tcp://127.0.0.1:${port}`);
    const seen = diary(connection);
    connection.connect();
    await eventually(() => seen.length === 2);
    expect([seen, connection.status, open.size]).toEqual([
      ['CONNECT_FAILED', 'close'],
      'closed',
      0,
    ]);
    const nowhere = client('tcp://does-not-exist.invalid:1');
    const told = diary(nowhere);
    nowhere.connect();
    await eventually(() => told.length === 2);
    expect(told).toEqual(['CONNECT_FAILED', 'close']);
  });

  it('gives up after its timeout, also in the middle of a WebSocket handshake', async () => {
    const port = await server(() => {});
    const connection = client(`ws://127.0.0.1:${port}/`, { timeout: 0.2 });
    const seen = diary(connection);
    connection.connect();
    await eventually(() => seen.length === 3);
    expect(seen).toEqual(['connect', 'CONNECT_TIMEOUT', 'close']);
  });

  it('comes back with reconnect, keeps its callbacks, and sends what was sent meanwhile', async () => {
    const sockets: Socket[] = [];
    const received: string[] = [];
    const port = await server((socket) => {
      sockets.push(socket);
      socket.on('data', (data) => received.push(String(data)));
    });
    const connection = client(`text://127.0.0.1:${port}`);
    let closes = 0;
    connection.onClose = () => {
      closes += 1;
      connection.reconnect(0.05);
      connection.send(`after ${closes}`);
    };
    connection.connect();
    for (const n of [1, 2, 3]) {
      await eventually(() => sockets.length === n && connection.status === 'established');
      sockets.at(-1)?.destroy();
      await eventually(() => received.join('').includes(`after ${n}\n`));
    }
    expect(closes).toBe(3);
    connection.onClose = undefined;
    connection.reconnect(60);
    connection.cancelReconnect();
    expect(connection.status).toBe('initial');
  });

  it('comes back also while it is closing, and the end of the old connection does not end the new one', async () => {
    const sockets: Socket[] = [];
    // Does not read, so it does not see that we close.
    const port = await server((socket) => void sockets.push(socket.on('error', () => {})));
    const connection = client(`text://127.0.0.1:${port}`);
    let closes = 0;
    connection.onClose = () => {
      closes += 1;
    };
    connection.connect();
    await eventually(() => connection.status === 'established');
    connection.close();
    expect(connection.status).toBe('closing');
    connection.reconnect();
    expect([connection.status, closes]).toEqual(['initial', 1]);
    await eventually(() => connection.status === 'established' && sockets.length === 2);
    sockets[0]?.destroy();
    // Whatever the old transport has to tell comes before the answer to this.
    connection.send('are you there?');
    sockets[1]?.once('data', (data) => sockets[1]?.write(data));
    const answers: string[] = [];
    connection.onMessage = (_, line) => void answers.push(line);
    await eventually(() => answers.length === 1);
    expect([connection.status, closes]).toEqual(['established', 1]);
  });

  it('tells of its end also when it is asked to come back in onConnect', async () => {
    const port = await server(() => {});
    const connection = client(`text://127.0.0.1:${port}`);
    const seen: string[] = [];
    connection.onConnect = () => {
      seen.push('connect');
      if (seen.length === 1) connection.reconnect();
    };
    connection.onClose = () => seen.push('close');
    connection.connect();
    await eventually(() => connection.status === 'established' && seen.length > 2);
    expect(seen).toEqual(['connect', 'close', 'connect']);
  });

  it('has one attempt pending, whatever onClose asked for', async () => {
    const port = await server(() => {});
    const connection = client(`text://127.0.0.1:${port}`);
    connection.onClose = () => connection.reconnect(30);
    connection.connect();
    await eventually(() => connection.status === 'established');
    const timers = () =>
      process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
    const before = timers();
    connection.reconnect(60);
    expect(timers() - before).toBe(1);
  });

  it('bounds what waits for it to open', async () => {
    const connection = client('tcp://127.0.0.1:9', { maxSendBufferSize: 1000 });
    let full = 0;
    connection.onBufferFull = () => {
      full += 1;
    };
    expect([connection.send('x'.repeat(999)), connection.send('y'), connection.send('z')]).toEqual([
      null,
      null,
      false,
    ]);
    expect([full, connection.getSendBufferQueueSize()]).toEqual([1, 1000]);
  });

  it.each([
    ['gopher://x:1', /scheme "gopher" cannot be connected to/],
    ['tcp://x', /the port is missing/],
    ['http://x:1', /scheme "http" cannot be connected to/],
  ])('cannot be made for %s', (address, message) => {
    expect(() => new AsyncTcpConnection(address)).toThrow(message);
  });
});

describe('an outgoing TLS connection', () => {
  it('verifies the certificate, unless told not to', async () => {
    const tls = createTls(
      { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) },
      (socket) => socket.pipe(socket),
    );
    tls.on('tlsClientError', () => {});
    servers.push(tls);
    tls.listen(0, '127.0.0.1');
    await once(tls, 'listening');
    const { port } = tls.address() as AddressInfo;
    const strict = client(`ssl://localhost:${port}`);
    const refused = diary(strict);
    strict.connect();
    await eventually(() => refused.length === 2);
    expect(refused).toEqual(['CONNECT_FAILED', 'close']);
    for (const options of [
      { tls: { ca: certificate.ca } },
      { tls: { rejectUnauthorized: false } },
    ]) {
      const connection = client(`ssl://localhost:${port}`, options);
      const seen = diary(connection);
      connection.send('hello');
      connection.connect();
      await eventually(() => seen.length === 2);
      expect(seen).toEqual(['connect', 'message hello']);
      expect(connection.transport).toBe('ssl');
    }
  });

  it('says in one line what the matter is where nobody speaks TLS', async () => {
    const worker = await listening(new Worker('tcp://127.0.0.1:0'));
    worker.onMessage = (connection) => connection.send('no TLS here, only words\n');
    const connection = client(`ssl://${authority(worker)}`);
    const said: unknown[] = [];
    connection.onError = (_, code, message) => said.push(code, message);
    connection.connect();
    await eventually(() => said.length > 0);
    expect(said).toEqual([
      'CONNECT_FAILED',
      `ssl://${authority(worker)}: TLS: wrong version number; does the other end speak TLS?`,
    ]);
  });
});

describe('pipe', () => {
  it('forwards in both directions through a proxy, with memory bounded whatever the receiver does', async () => {
    const MB = 1_048_576;
    const target = await listening(new Worker('tcp://127.0.0.1:0'));
    let received = 0;
    target.onMessage = (_, data) => {
      received += data.length;
    };
    target.onConnect = (connection) => connection.pauseRecv();
    const proxy = await listening(new Worker('tcp://127.0.0.1:0', { maxSendBufferSize: MB }));
    const upstreams: AsyncTcpConnection[] = [];
    proxy.onConnect = (connection) => {
      const upstream = client(`tcp://${authority(target)}`, { maxSendBufferSize: MB });
      upstreams.push(upstream);
      connection.pipe(upstream);
      upstream.pipe(connection);
      upstream.connect();
    };
    const peer = await Peer.toWorker(proxy);
    const sent = 30 * MB;
    peer.socket.write(Buffer.alloc(sent, 'x'));
    await eventually(() => upstreams[0]?.status === 'established' && target.connections.size === 1);
    // The target reads nothing: at some point the whole chain stands still.
    let before = -1;
    while (before !== peer.socket.bytesWritten - peer.socket.writableLength) {
      before = peer.socket.bytesWritten - peer.socket.writableLength;
      await new Promise((later) => setTimeout(later, 200));
    }
    expect(upstreams[0]?.getSendBufferQueueSize()).toBeLessThan(MB + 65_537);
    const [stopped] = target.connections.values();
    stopped?.resumeRecv();
    await eventually(() => received === sent, 'all bytes');
    peer.destroy();
    await eventually(() => target.connections.size === 0);
  }, 20_000);
});
