import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import { Worker } from '../../src/worker.ts';
import { cleanUp, listening } from '../support/in-process.ts';
import { authority, eventually } from '../support/peer.ts';

afterEach(cleanUp);

describe('pages of a WebSocket Worker', () => {
  it('are not among its connections, so that a broadcast answers no request, but count for the limit', async () => {
    const worker = new Worker('websocket://127.0.0.1:0', { limits: { maxConnections: 2 } });
    const asked: (() => void)[] = [];
    worker.onRequest = (connection) => void asked.push(() => connection.send('page'));
    worker.onMessage = () => {
      for (const each of worker.connections.values()) each.send('news');
    };
    await listening(worker);
    const page = fetch(`http://${authority(worker)}/`, { headers: { connection: 'close' } });
    const socket = new WebSocket(`ws://${authority(worker)}/`);
    await once(socket, 'open');
    await eventually(() => asked.length === 1);
    await expect(fetch(`http://${authority(worker)}/`)).rejects.toThrow();
    socket.send('tell');
    expect(String((await once(socket, 'message'))[0])).toBe('news');
    asked[0]?.();
    expect(await (await page).text()).toBe('page');
    socket.terminate();
  });

  it('are ended when they are idle for too long', async () => {
    const worker = new Worker('websocket://127.0.0.1:0', { heartbeat: { idle: 0.2 } });
    const closes: number[] = [];
    worker.onRequest = (connection) => {
      connection.onClose = ({ id }) => closes.push(id);
      connection.send('page');
    };
    await listening(worker);
    expect(await (await fetch(`http://${authority(worker)}/`)).text()).toBe('page');
    await eventually(() => closes.length === 1);
  });
});
