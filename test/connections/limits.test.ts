import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import { tally } from '../../src/connections/connection.ts';
import { hintedMs } from '../../src/reconnect.ts';
import { Worker } from '../../src/worker.ts';
import { cleanUp, listening, peerOf } from '../support/in-process.ts';
import { authority, eventually } from '../support/peer.ts';

afterEach(cleanUp);

describe('heartbeat', () => {
  it('closes what is silent and leaves what speaks', async () => {
    const worker = await listening(new Worker('text://127.0.0.1:0', { heartbeat: { idle: 0.5 } }));
    const [silent, alive] = [await peerOf(worker), await peerOf(worker)];
    const talking = setInterval(() => alive.send('x\n'), 100);
    expect(await silent.end()).toBe('end');
    silent.destroy();
    await eventually(() => worker.connections.size === 1);
    clearInterval(talking);
    expect(await alive.end()).toBe('end');
  });

  it('pings WebSocket clients, which keeps those alive that answer', async () => {
    const worker = await listening(
      new Worker('websocket://127.0.0.1:0', { heartbeat: { ping: 0.2, idle: 0.6 } }),
    );
    const socket = new WebSocket(`ws://${authority(worker)}/`);
    let pings = 0;
    socket.on('ping', () => {
      pings += 1;
    });
    await eventually(() => pings >= 5, 'five pings');
    expect(worker.connections.size).toBe(1);
    const deaf = new WebSocket(`ws://${authority(worker)}/`, { autoPong: false });
    const [code] = (await once(deaf, 'close')) as [number];
    expect(code).toBe(1008);
    socket.terminate();
  });

  it('sends what it was told to on protocols without pings', async () => {
    const worker = await listening(
      new Worker('text://127.0.0.1:0', { heartbeat: { ping: 0.2, data: 'still here' } }),
    );
    const peer = await peerOf(worker);
    expect(await peer.line()).toBe('still here');
    expect(await peer.line()).toBe('still here');
  });
});

describe('limits', () => {
  it('closes those who do not authenticate in time', async () => {
    const worker = await listening(
      new Worker('text://127.0.0.1:0', { closeUnauthenticatedAfter: 0.4 }),
    );
    worker.onMessage = (connection, line) => {
      connection.authenticated = line === 'secret';
      connection.send(connection.authenticated ? 'welcome' : 'no');
    };
    const [good, bad] = [await peerOf(worker), await peerOf(worker)];
    good.send('secret\n');
    bad.send('guess\n');
    expect([await good.line(), await bad.line()]).toEqual(['welcome', 'no']);
    expect(await bad.end()).toBe('end');
    good.send('secret\n');
    expect(await good.line()).toBe('welcome');
  });

  it('holds the number of connections, and counts the rest as rejected', async () => {
    const worker = await listening(
      new Worker('text://127.0.0.1:0', { limits: { maxConnections: 3 } }),
    );
    const before = { ...tally.counts };
    const peers = [];
    for (let i = 0; i < 5; i += 1) peers.push(await peerOf(worker));
    await Promise.all(peers.slice(3).map((peer) => peer.end()));
    expect(worker.connections.size).toBe(3);
    expect([
      tally.counts.accepted - before.accepted,
      tally.counts.rejected - before.rejected,
    ]).toEqual([3, 2]);
    peers[0]?.socket.destroy();
    await eventually(() => worker.connections.size === 2);
    const late = await peerOf(worker);
    worker.onMessage = (connection, line) => connection.send(line);
    await eventually(() => worker.connections.size === 3);
    expect(late.ended).toBe(undefined);
  });

  it('ends old connections at different moments, with a hint to come back', async () => {
    const worker = await listening(
      new Worker('websocket://127.0.0.1:0', {
        limits: { maxConnectionAge: 0.8, maxConnectionAgeJitter: 0.5 },
      }),
    );
    const sockets = Array.from({ length: 12 }, () => new WebSocket(`ws://${authority(worker)}/`));
    const began = performance.now();
    const ends = await Promise.all(
      sockets.map(async (socket) => {
        const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
        expect([code, hintedMs(String(reason), 0.5)]).toEqual([1012, expect.any(Number)]);
        return performance.now() - began;
      }),
    );
    expect(Math.min(...ends)).toBeGreaterThan(350);
    // Half of 0.8 s is the range of the jitter; the sweep looks ten times a second.
    expect(new Set(ends.map((end) => Math.round(end / 100))).size).toBeGreaterThan(2);
  });
});
