import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import { type AnyWorker, Worker } from '../../src/worker.ts';
import { cleanUp, listening } from '../support/in-process.ts';
import { authority, eventually } from '../support/peer.ts';

async function opened(worker: AnyWorker): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${authority(worker)}/`);
  await once(socket, 'open');
  return socket;
}

describe('onClose', () => {
  afterEach(cleanUp);

  it.each([
    ['a code and a reason', (socket: WebSocket) => socket.close(4001, 'bye'), 4001, 'bye'],
    ['no code', (socket: WebSocket) => socket.close(), 1005, ''],
    ['no word', (socket: WebSocket) => socket.terminate(), undefined, ''],
  ])('is told of a peer that leaves with %s', async (_, leave, code, reason) => {
    const worker = await listening(new Worker('websocket://127.0.0.1:0'));
    const words: unknown[] = [];
    worker.onClose = ({ closeCode, closeReason }) => words.push(closeCode, closeReason);
    leave(await opened(worker));
    await eventually(() => words.length === 2);
    expect(words).toEqual([code, reason]);
  });
});
