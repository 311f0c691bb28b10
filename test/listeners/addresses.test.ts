import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { tally } from '../../src/connections/connection.ts';
import { packages } from '../../src/protocols/packages.ts';
import type { Protocol } from '../../src/protocols/protocol.ts';
import { type AnyWorker, Worker } from '../../src/worker.ts';
import { cleanUp, listening, peerOf } from '../support/in-process.ts';
import { eventually, Peer, whereIs } from '../support/peer.ts';

afterEach(cleanUp);

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ family }) => family === 'IPv6'),
);
const ifIpv6 = hasIpv6 ? it : it.skip;
if (!hasIpv6) console.log('skipped: tests of IPv6, because this machine has no IPv6 address');

const whoami = (worker: AnyWorker) => {
  worker.onMessage = (connection) =>
    connection.send(`${connection.getRemoteIp()} ${connection.isIpV6()}`);
  return worker;
};

describe('addresses', () => {
  ifIpv6('listens on IPv6 only when told so, and on both with [::]', async () => {
    const six = whoami(await listening(new Worker('text://[::1]:0')));
    expect(six.getSocketName()).toMatch(/^text:\/\/\[::1\]:\d+$/);
    const a = await peerOf(six);
    a.send('\n');
    expect(await a.line()).toBe('::1 true');
    const both = whoami(await listening(new Worker('text://[::]:0')));
    const port = (whereIs(both) as { port: number }).port;
    for (const [host, seen] of [
      ['::1', '::1 true'],
      ['127.0.0.1', '127.0.0.1 false'],
    ] as const) {
      const peer = await Peer.to({ host, port });
      peer.send('\n');
      expect(await peer.line()).toBe(seen);
      peer.destroy();
    }
  });

  it('listens on a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-unix-'));
    const worker = await listening(new Worker(`unix://${folder}/sock`));
    worker.onMessage = (connection, data) =>
      connection.send(`${connection.transport} ${String(data)} ${connection.getRemoteIp()}|`);
    const peer = await peerOf(worker);
    peer.send('hi');
    expect(String(await peer.until((bytes) => bytes.includes('|')))).toBe('unix hi |');
    await worker.unlisten();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['EADDRINUSE', 'PORT_TAKEN', /is taken/],
    ['EADDRNOTAVAIL', 'START_FAILED', /no network interface/],
  ])('says what to do about %s', async (kind, code, message) => {
    const first = await listening(new Worker('text://127.0.0.1:0', { reusePort: false }));
    const port = (whereIs(first) as { port: number }).port;
    const second = new Worker(
      kind === 'EADDRINUSE' ? `text://127.0.0.1:${port}` : 'text://203.0.113.1:9',
      { reusePort: false },
    );
    await expect(second.listen()).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(second.listening).toBe(false);
  });

  it('accepts no more after unlisten, and keeps what is open', async () => {
    const worker = whoami(await listening(new Worker('text://127.0.0.1:0')));
    const where = whereIs(worker);
    const peer = await peerOf(worker);
    await eventually(() => worker.connections.size === 1);
    await worker.unlisten();
    await expect(Peer.to(where)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    peer.send('\n');
    expect(await peer.line()).toBe('127.0.0.1 false');
  });

  it('accepts all that the kernel has queued before it stops', async () => {
    const worker = whoami(await listening(new Worker('text://127.0.0.1:0')));
    const before = tally.counts.accepted;
    // The loop turns only in `unlisten`: until then the kernel connects, and nobody accepts.
    const clients = Array.from({ length: 50 }, () => connect(whereIs(worker)));
    await new Promise<void>((next) => process.nextTick(next));
    await worker.unlisten();
    const peers = clients.map((socket) => new Peer(socket));
    const answers = peers.map((peer) => peer.send('\n').line());
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['127.0.0.1 false']));
    expect(tally.counts.accepted - before).toBe(50);
    for (const peer of peers) peer.destroy();
  });
});

describe('a UDP Worker', () => {
  const sockets: UdpSocket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });

  async function ask(worker: AnyWorker, ...datagrams: string[]): Promise<UdpSocket> {
    const { port } = whereIs(worker) as { port: number };
    const socket = createSocket('udp4');
    sockets.push(socket);
    for (const each of datagrams) socket.send(each, port, '127.0.0.1');
    return socket;
  }

  const udp = async (worker: AnyWorker) => {
    await worker.listen();
    return worker;
  };

  it('answers a datagram to where it came from', async () => {
    const worker = await udp(new Worker('udp://127.0.0.1:0'));
    worker.onMessage = (connection, data) =>
      connection.send(`received: ${String(data)} from ${connection.getRemotePort()}`);
    const before = tally.counts.total_request;
    const socket = await ask(worker, 'hello');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(String(answer)).toBe(`received: hello from ${socket.address().port}`);
    expect(tally.counts.total_request - before).toBe(1);
    await worker.unlisten();
  });

  it('finds several messages in one datagram, and drops an unfinished one', async () => {
    const lines = packages<string, string>({
      name: 'lines',
      input: (buffer, seen) => buffer.indexOf(10, seen) + 1,
      decode: (bytes) => bytes.toString('utf8', 0, bytes.length - 1),
      encode: (line) => `${line}\n`,
    });
    const worker = await udp(new Worker('udp://127.0.0.1:0', { protocol: lines }));
    const seen: string[] = [];
    worker.onMessage = (connection, line) => {
      seen.push(line);
      if (line === 'end') connection.close('bye');
    };
    const socket = await ask(worker, 'a\nb\nunfinished', 'end\n');
    expect(String((await once(socket, 'message'))[0])).toBe('bye\n');
    expect(seen).toEqual(['a', 'b', 'end']);
    await worker.unlisten();
  });

  it('drops a datagram whose decoder throws, counts it, and goes on', async () => {
    const strict: Protocol<string, string> = {
      name: 'strict',
      decoder: () => ({ error: undefined, held: 0, push: (bytes) => [JSON.parse(String(bytes))] }),
      encode: (message) => Buffer.from(message),
    };
    const worker = await udp(new Worker('udp://127.0.0.1:0', { protocol: strict }));
    worker.onMessage = (connection, message) => connection.send(message);
    const before = tally.counts.packet_err;
    const socket = await ask(worker, 'garbage', '"good"');
    expect(String((await once(socket, 'message'))[0])).toBe('good');
    expect(tally.counts.packet_err - before).toBe(1);
    await worker.unlisten();
  });

  it('refuses what fits into no datagram', async () => {
    const worker = await udp(new Worker('udp://127.0.0.1:0'));
    const { promise, resolve } = Promise.withResolvers<unknown>();
    worker.onMessage = (connection) => resolve(connection.send(Buffer.alloc(65_508)));
    await ask(worker, 'x');
    expect(await promise).toBe(false);
    await worker.unlisten();
  });
});
