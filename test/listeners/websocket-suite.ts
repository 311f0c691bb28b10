import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import { tally } from '../../src/connections/connection.ts';
import type { TcpConnection } from '../../src/connections/tcp.ts';
import { type AnyWorker, Worker } from '../../src/worker.ts';
import { cleanUp, listening, only, peerOf } from '../support/in-process.ts';
import { authority, eventually, type Peer } from '../support/peer.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** The request that browsers send, as far as it matters. */
const REQUEST = `GET /chat?room=1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`;

const echo = (connection: TcpConnection, data: unknown) => connection.send(data);

async function opened(
  worker: AnyWorker,
  options: WebSocket.ClientOptions = {},
  protocols: string[] = [],
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${authority(worker)}/chat?room=1`, protocols, options);
  await once(socket, 'open');
  return socket;
}

/** The next message as `[data, isBinary]`. */
async function next(socket: WebSocket): Promise<[string, boolean]> {
  const [data, binary] = (await once(socket, 'message')) as [Buffer, boolean];
  return [data.toString('latin1'), binary];
}

async function handshaken(worker: AnyWorker): Promise<Peer> {
  const peer = await peerOf(worker);
  peer.send(REQUEST);
  const answer = String(await peer.until((bytes) => bytes.includes('\r\n\r\n')));
  expect(answer).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
  expect(answer).toContain('\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
  return peer;
}

/** The close code in the next close frame. */
async function closeCode(peer: Peer): Promise<number> {
  const bytes = await peer.until((all) => all.length >= 4);
  expect((bytes[0] as number) & 0x0f).toBe(8);
  return bytes.readUInt16BE(2);
}

/** What a WebSocket Worker promises, whatever carries it. Run once for each transport. */
export function websocketSuite(transport: string): void {
  describe(`a WebSocket Worker over ${transport}`, () => {
    afterEach(cleanUp);

    it('echoes text as text and binary as binary, of all sizes', async () => {
      const worker = await listening(new Worker('websocket://127.0.0.1:0'));
      worker.onMessage = echo;
      const socket = await opened(worker);
      for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000]) {
        for (const binary of [false, true]) {
          socket.send(binary ? Buffer.alloc(size, 0xfe) : 'a'.repeat(size), { binary });
          const [data, isBinary] = await next(socket);
          expect([data.length, isBinary]).toEqual([size, binary]);
        }
      }
      socket.send('grüße, 你好 😀');
      expect(Buffer.from((await next(socket))[0], 'latin1').toString()).toBe('grüße, 你好 😀');
      socket.terminate();
    });

    it('calls onConnect, onWebSocketConnect, onMessage and onClose in order', async () => {
      const seen: string[] = [];
      const worker = await listening(new Worker('websocket://127.0.0.1:0'));
      worker.onConnect = () => seen.push('connect');
      worker.onWebSocketConnect = (_, request) =>
        seen.push(`request ${request.path} ${request.query.get('room')}`);
      worker.onMessage = (_, data) => seen.push(`message ${String(data)}`);
      worker.onClose = () => seen.push('close');
      const socket = await opened(worker);
      socket.send('hi');
      socket.close(1000);
      await once(socket, 'close');
      await eventually(() => seen.length === 4);
      expect(seen).toEqual(['connect', 'request /chat 1', 'message hi', 'close']);
    });

    it('reads frames that come with the request, and a request cut at every byte', async () => {
      const worker = await listening(new Worker('websocket://127.0.0.1:0'));
      worker.onMessage = echo;
      const hello = Buffer.from('818537fa213d7f9f4d5158', 'hex');
      const whole = Buffer.concat([Buffer.from(REQUEST), hello]);
      for (let cut = 1; cut < whole.length; cut += 7) {
        const peer = await peerOf(worker);
        peer.socket.setNoDelay(true);
        peer.send(whole.subarray(0, cut));
        await eventually(() => peer.socket.writableLength === 0);
        await new Promise((later) => setImmediate(later));
        peer.send(whole.subarray(cut));
        const bytes = await peer.until((all) => all.includes('Hello'));
        expect(bytes.subarray(-7).toString('hex')).toBe('810548656c6c6f');
        peer.destroy();
      }
    });

    it('answers pings, takes pongs, and sends its own', async () => {
      const worker = await listening(new Worker('websocket://127.0.0.1:0'));
      const seen: string[] = [];
      worker.onPing = (_, payload) => seen.push(`ping ${String(payload)}`);
      worker.onPong = (_, payload) => seen.push(`pong ${String(payload)}`);
      const socket = await opened(worker);
      socket.ping('are you there');
      const [payload] = (await once(socket, 'pong')) as [Buffer];
      expect(String(payload)).toBe('are you there');
      (await only(worker)).ping('and you');
      await eventually(() => seen.length === 2);
      expect(seen).toEqual(['ping are you there', 'pong and you']);
      socket.terminate();
    });

    it('answers a ping between the fragments of a message and spoils neither', async () => {
      const worker = await listening(new Worker('websocket://127.0.0.1:0'));
      worker.onMessage = echo;
      const peer = await handshaken(worker);
      // 'Hel' (text, not final) | ping 'p' | 'lo' (continuation, final); masks are zero.
      peer.send(
        Buffer.from(
          '018300000000' + '48656c' + '898100000000' + '70' + '808200000000' + '6c6f',
          'hex',
        ),
      );
      const bytes = await peer.until((all) => all.length >= 10);
      expect(bytes.toString('hex')).toBe('8a0170' + '810548656c6c6f');
    });

    it('agrees on a subprotocol that both know, its own favourite first', async () => {
      const worker = await listening(
        new Worker('websocket://127.0.0.1:0', { websocket: { subprotocols: ['v2', 'v1'] } }),
      );
      worker.onMessage = (connection) => connection.send(String(connection.subprotocol));
      const socket = await opened(worker, {}, ['v1', 'v2']);
      expect(socket.protocol).toBe('v2');
      socket.send('?');
      expect((await next(socket))[0]).toBe('v2');
      socket.terminate();
      const other = await peerOf(worker);
      other.send(REQUEST.replace('\r\n\r\n', '\r\nSec-WebSocket-Protocol: v9\r\n\r\n'));
      expect(String(await other.until((bytes) => bytes.includes('\r\n\r\n')))).not.toContain(
        'Sec-WebSocket-Protocol',
      );
    });

    it("tells its close code and reason, and learns the peer's", async () => {
      const worker = await listening(new Worker('websocket://127.0.0.1:0'));
      worker.onMessage = (connection) => connection.close('last', { code: 4001, reason: 'enough' });
      const socket = await opened(worker);
      socket.send('go');
      expect((await next(socket))[0]).toBe('last');
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
      expect([code, String(reason)]).toEqual([4001, 'enough']);
      const before = tally.closes['1000'] ?? 0;
      const another = await opened(worker);
      another.close(1000, 'bye');
      const [answered] = (await once(another, 'close')) as [number];
      expect(answered).toBe(1000);
      await eventually(() => (tally.closes['1000'] ?? 0) === before + 1);
    });

    it('lets the program refuse a request, also after thinking, and add headers', async () => {
      const worker = await listening(new Worker('websocket://127.0.0.1:0'));
      worker.onWebSocketConnect = async (connection, request) => {
        await new Promise((later) => setImmediate(later));
        if (request.header('authorization') === undefined) connection.refuse(401, 'who are you?');
        else if (request.header('authorization') === 'bad') connection.close();
        else if (request.header('authorization') === 'throw') throw new Error('planned');
        else connection.handshakeHeaders = { 'X-Server': 'longshore' };
      };
      const statusOf = async (authorization?: string) => {
        const headers = authorization === undefined ? {} : { authorization };
        const socket = new WebSocket(`ws://${authority(worker)}/`, { headers });
        socket.on('error', () => {});
        const status = await Promise.race([
          once(socket, 'unexpected-response').then(
            ([, answer]) => (answer as { statusCode: number }).statusCode,
          ),
          once(socket, 'upgrade').then(
            ([answer]) => (answer as { headers: Record<string, string> }).headers['x-server'],
          ),
        ]);
        socket.terminate();
        return status;
      };
      expect(await statusOf()).toBe(401);
      expect(await statusOf('bad')).toBe(403);
      expect(await statusOf('throw')).toBe(500);
      expect(await statusOf('good')).toBe('longshore');
    });

    it('keeps what a client sends too early, and gives it out after the program has made up its mind', async () => {
      const worker = await listening(new Worker('websocket://127.0.0.1:0'));
      const { promise, resolve } = Promise.withResolvers<void>();
      worker.onWebSocketConnect = () => promise;
      worker.onMessage = echo;
      const peer = await peerOf(worker);
      peer.send(Buffer.concat([Buffer.from(REQUEST), Buffer.from('818100000000' + '61', 'hex')]));
      peer.send(Buffer.from('818100000000' + '62', 'hex'));
      await only(worker);
      resolve();
      const bytes = await peer.until((all) => all.toString('latin1').endsWith('\u0081\u0001b'));
      expect(bytes.subarray(-6).toString('hex')).toBe('810161' + '810162');
    });

    it('answers plain HTTP on the same port, and 426 when the program does not', async () => {
      const worker = new Worker('websocket://127.0.0.1:0');
      worker.onRequest = (connection, request) => connection.send(`page ${request.path}`);
      worker.onMessage = echo;
      const connects: number[] = [];
      worker.onConnect = () => connects.push(1);
      await listening(worker);
      const answer = await fetch(`http://${authority(worker)}/index.html`);
      expect([answer.status, await answer.text()]).toEqual([200, 'page /index.html']);
      // A page is no WebSocket connection.
      expect(connects).toEqual([]);
      const socket = await opened(worker);
      socket.send('still a socket');
      expect((await next(socket))[0]).toBe('still a socket');
      socket.terminate();
      const bare = await listening(new Worker('websocket://127.0.0.1:0'));
      expect((await fetch(`http://${authority(bare)}/`)).status).toBe(426);
    });

    it('compresses where both agree, keeps the order, and bounds what a bomb inflates to', async () => {
      const worker = await listening(
        new Worker('websocket://127.0.0.1:0', {
          websocket: { deflate: { threshold: 32 }, maxPayload: 100_000 },
        }),
      );
      worker.onMessage = echo;
      const socket = await opened(worker, { perMessageDeflate: { threshold: 0 } });
      expect(socket.extensions).toContain('permessage-deflate');
      const messages = Array.from({ length: 50 }, (_, i) =>
        i % 3 === 0 ? `short ${i}` : `${i} `.repeat(500),
      );
      const answers: string[] = [];
      socket.on('message', (data) => answers.push(String(data)));
      for (const message of messages) socket.send(message);
      await eventually(() => answers.length === messages.length);
      expect(answers).toEqual(messages);
      socket.send('0'.repeat(5_000_000));
      const [code] = (await once(socket, 'close')) as [number];
      expect(code).toBe(1009);
    });

    it('goes without compression for clients that do not offer it', async () => {
      const worker = await listening(
        new Worker('websocket://127.0.0.1:0', { websocket: { deflate: true } }),
      );
      worker.onMessage = echo;
      const peer = await handshaken(worker);
      peer.send(Buffer.from('818100000000' + '61', 'hex'));
      expect((await peer.take(3)).toString('hex')).toBe('810161');
      peer.send(Buffer.from('c18100000000' + '61', 'hex'));
      expect(await closeCode(peer)).toBe(1002);
    });

    it.each([
      ['an unmasked frame', '810161', 1002],
      ['a reserved bit', 'a18100000000' + '61', 1002],
      ['an undefined opcode', '838100000000' + '61', 1002],
      ['text that is not UTF-8', '818100000000' + 'ff', 1007],
      ['a control frame over 125 bytes', '89fe007e00000000', 1002],
      ['a length field of 2 GiB', '82ff000000007fffffff00000000', 1009],
      ['a length field of 2^63', '82ff800000000000000000000000', 1009],
      ['a continuation of nothing', '808100000000' + '61', 1002],
      ['close code 1005', '888200000000' + '03ed', 1002],
    ])('answers %s with the right close code and ends', async (_, hex, code) => {
      const worker = await listening(new Worker('websocket://127.0.0.1:0'));
      const before = tally.counts.packet_err;
      const peer = await handshaken(worker);
      peer.send(Buffer.from(hex, 'hex'));
      expect(await closeCode(peer)).toBe(code);
      peer.socket.end();
      expect(await peer.end()).toBe('end');
      expect(tally.counts.packet_err - before).toBe(1);
    });

    it('closes connections that do not finish their handshake in time', async () => {
      const worker = await listening(
        new Worker('websocket://127.0.0.1:0', { handshakeTimeout: 0.3 }),
      );
      const silent = await peerOf(worker);
      const half = await peerOf(worker);
      half.send(REQUEST.slice(0, 60));
      expect(await silent.end()).toBe('end');
      await half.end();
      await eventually(() => worker.connections.size === 0);
    });
  });
}
