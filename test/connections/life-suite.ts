import { afterEach, describe, expect, it } from '@jest/globals';
import { tally } from '../../src/connections/connection.ts';
import { packages } from '../../src/protocols/packages.ts';
import type { Protocol } from '../../src/protocols/protocol.ts';
import { text } from '../../src/protocols/text.ts';
import { Worker } from '../../src/worker.ts';
import { cleanUp, listening, only, peerOf } from '../support/in-process.ts';
import { eventually, type Peer } from '../support/peer.ts';

const MB = 1_048_576;

/** What a connection's life promises, whatever carries it. Run once for each transport. */
export function lifeSuite(transport: string): void {
  describe(`a connection over ${transport}`, () => {
    afterEach(cleanUp);

    it('calls onClose once, before destroy returns', async () => {
      const worker = await listening(new Worker('tcp://127.0.0.1:0'));
      const peer = await peerOf(worker);
      const connection = await only(worker);
      let closes = 0;
      connection.onClose = () => {
        closes += 1;
        connection.destroy();
        connection.close();
        expect(connection.send('nobody')).toBe(false);
      };
      connection.destroy();
      expect(closes).toBe(1);
      expect(connection.status).toBe('closed');
      expect(worker.connections.size).toBe(0);
      await peer.end();
      expect(closes).toBe(1);
    });

    it('stops delivering while paused and goes on with what was there first', async () => {
      const worker = await listening(new Worker('text://127.0.0.1:0'));
      const lines: string[] = [];
      worker.onMessage = (connection, line) => {
        lines.push(line);
        if (line === '2') connection.pauseRecv();
      };
      const peer = await peerOf(worker);
      peer.send('1\n2\n3\n4\n');
      await eventually(() => lines.length === 2);
      peer.send('5\n');
      const connection = await only(worker);
      await new Promise((next) => setImmediate(next));
      expect(lines).toEqual(['1', '2']);
      connection.resumeRecv();
      expect(lines).toEqual(['1', '2', '3', '4']);
      await eventually(() => lines.length === 5);
      expect(lines[4]).toBe('5');
    });

    it('lives on after a callback throws or rejects, and counts it', async () => {
      const worker = await listening(new Worker('text://127.0.0.1:0'));
      worker.onMessage = (connection, line) => {
        if (line === 'throw') throw new Error('planned');
        if (line === 'reject') return Promise.reject(new Error('planned'));
        connection.send(line);
        return undefined;
      };
      const before = tally.counts.throw_exception;
      const peer = await peerOf(worker);
      peer.send('throw\nreject\nfine\n');
      expect(await peer.line()).toBe('fine');
      await eventually(() => tally.counts.throw_exception === before + 2);
    });

    it('counts a peer that leaves while something is queued for it as a failed send', async () => {
      const worker = await listening(
        new Worker('tcp://127.0.0.1:0', { maxSendBufferSize: 100 * MB }),
      );
      const peer = await peerOf(worker);
      peer.socket.pause();
      const connection = await only(worker);
      const before = { ...tally.counts };
      connection.send(Buffer.alloc(30 * MB));
      peer.socket.end();
      await eventually(() => connection.status === 'closed');
      expect(tally.counts.client_close - before.client_close).toBe(1);
      expect(tally.counts.send_fail - before.send_fail).toBe(1);
    });

    it('cuts off a peer that breaks the protocol, and only that one', async () => {
      const json = packages<unknown, unknown>({
        name: 'jsonl',
        input: (buffer, seen) => buffer.indexOf(10, seen) + 1,
        decode: (bytes) => JSON.parse(bytes.toString()),
        encode: (value) => `${JSON.stringify(value)}\n`,
      });
      const worker = await listening(new Worker('tcp://127.0.0.1:0', { protocol: json }));
      const errors: string[] = [];
      worker.onMessage = (connection, value) => connection.send({ echo: value });
      worker.onError = (_, code) => errors.push(code);
      const before = tally.counts.packet_err;
      const [good, bad] = [await peerOf(worker), await peerOf(worker)];
      bad.send('{"a":1}\nnot json\n{"a":2}\n');
      expect(await bad.line()).toBe('{"echo":{"a":1}}');
      expect(await bad.end()).toBe('end');
      expect(errors).toEqual(['PACKAGE_INVALID']);
      expect(tally.counts.packet_err - before).toBe(1);
      good.send('[1,2]\n');
      expect(await good.line()).toBe('{"echo":[1,2]}');
    });

    it('takes a decoder that throws as the fault of the peer, and lives on', async () => {
      const strict: Protocol<string, string> = {
        name: 'strict',
        decoder: () => ({
          error: undefined,
          held: 0,
          push: (chunk) => {
            if (chunk[0] === 0) throw new RangeError('no zeros');
            return [chunk.toString()];
          },
        }),
        encode: (message) => Buffer.from(`${message}\n`),
      };
      const worker = await listening(new Worker('tcp://127.0.0.1:0', { protocol: strict }));
      const errors: unknown[] = [];
      worker.onMessage = (connection, message) => connection.send(message);
      worker.onError = (_, code, message) => errors.push([code, message]);
      const before = tally.counts.packet_err;
      const [good, bad] = [await peerOf(worker), await peerOf(worker)];
      bad.send('\0');
      expect(await bad.end()).toBe('end');
      expect(errors).toEqual([['PACKAGE_INVALID', 'strict: no zeros']]);
      expect(tally.counts.packet_err - before).toBe(1);
      good.send('here');
      expect(await good.line()).toBe('here');
    });

    it('can speak another protocol from one message on', async () => {
      const worker = await listening(new Worker('tcp://127.0.0.1:0'));
      worker.onMessage = (connection, data) => {
        if (String(data) !== 'text please') return;
        connection.protocol = text as never;
        connection.onMessage = (_, line) => connection.send(`line: ${line}`);
        connection.send('ok');
      };
      const peer = await peerOf(worker);
      peer.send('text please');
      expect(await peer.line()).toBe('ok');
      peer.send('hi\n');
      expect(await peer.line()).toBe('line: hi');
    });

    it('sends raw bytes past the protocol', async () => {
      const worker = await listening(new Worker('text://127.0.0.1:0'));
      worker.onMessage = (connection) => expect(connection.send('no line end', true)).toBe(true);
      const peer = await peerOf(worker);
      peer.send('x\n');
      expect(String(await peer.take(11))).toBe('no line end');
    });

    it('throttles a peer above messagesPerSecond without losing anything', async () => {
      const worker = await listening(
        new Worker('text://127.0.0.1:0', { limits: { messagesPerSecond: 50 } }),
      );
      const lines: string[] = [];
      worker.onMessage = (connection, line) => {
        lines.push(line);
        connection.send(line);
      };
      const peer = await peerOf(worker);
      const sent = Array.from({ length: 80 }, (_, i) => String(i));
      const began = performance.now();
      peer.send(`${sent.join('\n')}\n`);
      for (const line of sent) expect(await peer.line()).toBe(line);
      // 50 at once, 30 more at 50 a second: 0.6 s; the clock ticks in tenths.
      expect(performance.now() - began).toBeGreaterThan(450);
      expect(lines).toEqual(sent);
    });

    it('keeps a broadcast exact for a thousand connections', async () => {
      const worker = await listening(new Worker('text://127.0.0.1:0'));
      worker.onMessage = (_, line) => {
        for (const each of worker.connections.values()) each.send(line);
      };
      const crowd = await Promise.all(Array.from({ length: 1000 }, () => peerOf(worker)));
      await eventually(() => worker.connections.size === 1000);
      (crowd[0] as Peer).send('to all\nand again\n');
      for (const peer of crowd)
        expect([await peer.line(), await peer.line()]).toEqual(['to all', 'and again']);
    });
  });
}
