import { afterEach, describe, expect, it } from '@jest/globals';
import { tally } from '../../src/connections/connection.ts';
import { Worker } from '../../src/worker.ts';
import { cleanUp, listening, peerOf } from '../support/in-process.ts';

/** More than the kernel takes for a client that reads nothing. */
const CHUNK = 'x'.repeat(262_144);
const BOUND = 1_000_000;

describe('a stream to a client that does not read', () => {
  afterEach(cleanUp);

  it('is bounded: chunks are dropped whole, counted and told, and it goes on when the client reads', async () => {
    const worker = await listening(new Worker('http://127.0.0.1:0', { maxSendBufferSize: BOUND }));
    const told: string[] = [];
    const results: unknown[] = [];
    let most = 0;
    const { promise: drained, resolve } = Promise.withResolvers<void>();
    worker.onMessage = (connection) => {
      connection.onError = (_, code) => told.push(code);
      connection.onBufferFull = () => told.push('full');
      connection.onBufferDrain = () => resolve();
      const events = connection.events();
      for (let i = 0; i < 100; i += 1) {
        results.push(events.send({ data: CHUNK }));
        most = Math.max(most, connection.getSendBufferQueueSize());
      }
      connection.onClose = () => results.push(events.send({ data: 'late' }));
    };
    const failures = tally.counts.send_fail;
    const peer = await peerOf(worker);
    peer.socket.pause();
    peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    while (results.length < 100) await new Promise((next) => setImmediate(next));
    const dropped = results.filter((each) => each === false).length;
    expect(dropped).toBeGreaterThan(50);
    expect(tally.counts.send_fail - failures).toBe(dropped);
    expect(told).toEqual(['full', ...Array(dropped).fill('SEND_BUFFER_FULL')]);
    expect(most).toBeLessThan(BOUND + 2 * CHUNK.length);
    peer.socket.resume();
    await drained;
    peer.socket.destroy();
    while (results.length < 101) await new Promise((next) => setImmediate(next));
    expect(results.at(-1)).toBe(false);
  });
});
