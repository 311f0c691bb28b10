import { afterEach, describe, expect, it } from '@jest/globals';
import { tally } from '../../src/connections/connection.ts';
import { Worker } from '../../src/worker.ts';
import { cleanUp, listening, only, peerOf } from '../support/in-process.ts';
import { eventually } from '../support/peer.ts';

const MB = 1_048_576;
const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

/** What sending promises, whatever carries it. Run once for each transport. */
export function sendSuite(transport: string): void {
  describe(`sending over ${transport}`, () => {
    afterEach(cleanUp);

    it('echoes, counts bytes and knows both addresses', async () => {
      const worker = await listening(new Worker('tcp://127.0.0.1:0'));
      worker.onMessage = (connection, data) => expect(connection.send(data)).toBe(true);
      const peer = await peerOf(worker);
      peer.send('hello');
      expect(String(await peer.take(5))).toBe('hello');
      const connection = await only(worker);
      expect(connection.bytesRead).toBe(5);
      expect(connection.bytesWritten).toBe(5);
      expect(connection.getRemoteAddress()).toBe(`127.0.0.1:${peer.socket.localPort}`);
      expect(connection.getLocalAddress()).toBe(`127.0.0.1:${peer.socket.remotePort}`);
      expect([connection.isIpV4(), connection.isIpV6(), connection.transport]).toEqual([
        true,
        false,
        'tcp',
      ]);
      expect(connection.fd).toBeGreaterThan(2);
    });

    it('calls onConnect, onMessage and onClose in order, each once', async () => {
      const seen: string[] = [];
      const worker = await listening(new Worker('text://127.0.0.1:0'));
      worker.onConnect = () => seen.push('connect');
      worker.onMessage = (_, line) => seen.push(`message ${line}`);
      worker.onClose = () => seen.push('close');
      const peer = await peerOf(worker);
      peer.send('a\nb\n');
      peer.socket.end();
      await peer.end();
      await eventually(() => seen.length >= 4);
      expect(seen).toEqual(['connect', 'message a', 'message b', 'close']);
    });

    it('remembers the remote address after the connection is gone', async () => {
      const worker = await listening(new Worker('text://127.0.0.1:0'));
      const { promise, resolve } = Promise.withResolvers<string>();
      worker.onClose = (connection) => resolve(connection.getRemoteIp());
      const peer = await peerOf(worker);
      peer.socket.resetAndDestroy();
      expect(await promise).toBe('127.0.0.1');
    });

    it('answers many messages of one chunk in one write, in order', async () => {
      const worker = await listening(new Worker('text://127.0.0.1:0'));
      const answers: unknown[] = [];
      worker.onMessage = (connection, line) => answers.push(connection.send(line));
      const peer = await peerOf(worker);
      const lines = Array.from({ length: 100 }, (_, i) => `line ${i}`);
      peer.send(`${lines.join('\n')}\n`);
      expect(String(await peer.until((bytes) => bytes.toString().split('\n').length > 100))).toBe(
        `${lines.join('\n')}\n`,
      );
      // All but the last wait for the end of the chunk: queued; the last goes out with them: written.
      expect(answers).toEqual([...new Array(99).fill(null), true]);
      expect(peer.chunks).toBe(1);
    });

    it.each(['websocket', 'text', 'frame', 'tcp'] as const)(
      'refuses what is neither text nor bytes over %s, and goes on',
      async (scheme) => {
        const worker = await listening(new Worker(`${scheme}://127.0.0.1:0`));
        const connected = Promise.withResolvers<{ send(message: never): unknown }>();
        worker.onConnect = (connection) => connected.resolve(connection as never);
        const peer = await peerOf(worker);
        if (scheme === 'websocket') peer.send(HANDSHAKE);
        const connection = await connected.promise;
        for (const wrong of [{ a: 1 }, null, undefined, [1], new Map(), 1n, true, Symbol('s')])
          expect(() => connection.send(wrong as never)).toThrow(
            expect.objectContaining({ code: 'MESSAGE_INVALID' }),
          );
        for (const wrong of [
          new Uint16Array(2),
          new ArrayBuffer(2),
          new DataView(new ArrayBuffer(2)),
        ])
          expect(() => connection.send(wrong as never)).toThrow(
            'a message is text or a Uint8Array',
          );
        connection.send('still here' as never);
        await peer.until((bytes) => bytes.includes('still here'));
      },
    );

    it('drops whole messages once the queue has reached maxSendBufferSize, and says so', async () => {
      const worker = await listening(
        new Worker('tcp://127.0.0.1:0', { maxSendBufferSize: 2 * MB }),
      );
      const peer = await peerOf(worker);
      peer.socket.pause();
      const connection = await only(worker);
      const events: string[] = [];
      connection.onBufferFull = () => events.push('full');
      connection.onBufferDrain = () => events.push('drain');
      connection.onError = (_, code, message) => {
        events.push(code);
        expect(message).toMatch(/^\d{7} bytes wait, limit 2097152: message dropped$/);
      };
      const failsBefore = tally.counts.send_fail;
      const message = Buffer.alloc(MB, 'x');
      const results: unknown[] = [];
      for (let i = 0; i < 30; i += 1) results.push(connection.send(message));
      const dropped = results.filter((result) => result === false).length;
      const taken = results.length - dropped;
      expect(results.slice(0, taken)).not.toContain(false);
      expect(dropped).toBeGreaterThan(10);
      expect(tally.counts.send_fail - failsBefore).toBe(dropped);
      expect(events.filter((event) => event === 'full')).toEqual(['full']);
      expect(events.filter((event) => event === 'SEND_BUFFER_FULL')).toHaveLength(dropped);
      expect(connection.getSendBufferQueueSize()).toBeGreaterThanOrEqual(2 * MB);
      expect(connection.getSendBufferQueueSize()).toBeLessThan(3 * MB + 1);
      peer.socket.resume();
      // Not one byte of what was promised is missing, and none of what was not.
      await peer.take(taken * MB);
      await eventually(() => events.includes('drain'), 'onBufferDrain');
      expect(connection.bufferIsEmpty()).toBe(true);
      expect(peer.received.length).toBe(0);
    });

    it('takes one message that is larger than the whole limit while the queue is empty', async () => {
      const worker = await listening(new Worker('tcp://127.0.0.1:0', { maxSendBufferSize: 1000 }));
      const peer = await peerOf(worker);
      const connection = await only(worker);
      const big = Buffer.alloc(20 * MB, 'y');
      expect(connection.send(big)).toBe(null);
      expect(connection.send('more')).toBe(false);
      expect((await peer.take(big.length)).equals(big)).toBe(true);
    });

    it('flushes everything before it closes, however slowly the peer reads', async () => {
      const worker = await listening(
        new Worker('tcp://127.0.0.1:0', { maxSendBufferSize: 100 * MB }),
      );
      const peer = await peerOf(worker);
      peer.socket.pause();
      const connection = await only(worker);
      for (let i = 0; i < 20; i += 1) connection.send(Buffer.alloc(MB, i));
      connection.close('bye');
      expect(connection.status).toBe('closing');
      expect(connection.send('too late')).toBe(false);
      peer.socket.resume();
      const all = await peer.take(20 * MB + 3);
      expect(all.toString('latin1', 20 * MB)).toBe('bye');
      expect(await peer.end()).toBe('end');
    });

    it('ends in good order although the peer has sent what was never read', async () => {
      const worker = await listening(new Worker('text://127.0.0.1:0'));
      worker.onMessage = (connection) => connection.close('refused');
      const peer = await peerOf(worker);
      peer.send(`first\n${'x'.repeat(100_000)}`);
      expect(await peer.line()).toBe('refused');
      expect(await peer.end()).toBe('end');
    });

    it('delivers nothing after close, not even what was in the same chunk', async () => {
      const worker = await listening(new Worker('text://127.0.0.1:0'));
      const lines: string[] = [];
      worker.onMessage = (connection, line) => {
        lines.push(line);
        if (line === 'b') connection.close();
      };
      const peer = await peerOf(worker);
      peer.send('a\nb\nc\nd\n');
      await peer.end();
      expect(lines).toEqual(['a', 'b']);
    });
  });
}
