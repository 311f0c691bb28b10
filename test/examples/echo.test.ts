import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ProcessStatus } from '../../src/master/status.ts';
import { newCertificate, type TestCertificate } from '../support/certificate.ts';
import { CLEAN, endPrograms, freePort, start } from '../support/program.ts';
import { Random } from '../support/random.ts';
import { closeClients, httpsText, plain, secure, webSocket } from './clients.ts';

jest.setTimeout(60_000);
afterEach(closeClients);
afterAll(endPrograms);

const FILE = 'examples/echo.ts';
const FRAME = Buffer.from([0, 0, 0, 9, ...Buffer.from('hello')]);
/** `maxSendBufferSize`. */
const FULL = 1_048_576;
const BINARY = Buffer.from([0, 255, 128, 10, 13]);

async function echoesBytes(where: number | string): Promise<void> {
  const peer = await plain(where);
  expect(await peer.send(BINARY).take(BINARY.length)).toEqual(BINARY);
}

async function echoesMessages(url: string, ca?: Buffer): Promise<void> {
  const talk = await webSocket(url, ca ? { ca } : {});
  expect(await talk.send('h\u00e9llo').next()).toBe('h\u00e9llo');
  expect(await talk.send(BINARY).next()).toEqual(BINARY);
  expect(await talk.send('').next()).toBe('');
}

describe('the echo example', () => {
  it.each<[string, (port: number) => Promise<void>]>([
    ['tcp', echoesBytes],
    [
      'text',
      async (port) => {
        const peer = await plain(port);
        peer.send('one\r\nh\u00e9');
        expect(await peer.line()).toBe('one');
        expect(await peer.send('llo\n').line()).toBe('h\u00e9llo');
      },
    ],
    [
      'frame',
      async (port) => {
        const peer = await plain(port);
        expect(await peer.send(FRAME).take(FRAME.length)).toEqual(FRAME);
      },
    ],
    ['websocket', (port) => echoesMessages(`ws://127.0.0.1:${port}`)],
    [
      'http',
      async (port) => {
        const answer = await fetch(`http://127.0.0.1:${port}`);
        expect([answer.status, await answer.text()]).toEqual([200, 'hello']);
      },
    ],
  ])('answers over %s and stops cleanly', async (scheme, talk) => {
    const port = await freePort();
    const program = await start(FILE, { LISTEN: `${scheme}://127.0.0.1:${port}` });
    await talk(port);
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('answers each datagram over udp', async () => {
    const port = await freePort('udp');
    const program = await start(FILE, { LISTEN: `udp://127.0.0.1:${port}` });
    const socket = createSocket('udp4');
    try {
      socket.send(BINARY, port, '127.0.0.1');
      expect((await once(socket, 'message'))[0]).toEqual(BINARY);
    } finally {
      socket.close();
    }
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('answers over a unix socket, from several processes, and takes its file away', async () => {
    const path = join(tmpdir(), `longshore-echo-${process.pid}.sock`);
    const program = await start(FILE, { LISTEN: `unix://${path}`, COUNT: '2' });
    await echoesBytes(path);
    expect((await program.status()).processes).toHaveLength(2);
    expect(await program.stop()).toEqual(CLEAN);
    expect(existsSync(path)).toBe(false);
  });

  it('agrees to permessage-deflate only when it is told to', async () => {
    for (const [DEFLATE, extensions] of [
      ['0', ''],
      ['1', 'permessage-deflate'],
    ] as const) {
      const port = await freePort();
      const LISTEN = `websocket://127.0.0.1:${port}`;
      const program = await start(FILE, { LISTEN, DEFLATE });
      const talk = await webSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: true });
      expect(talk.socket.extensions).toBe(extensions);
      const long = 'again and '.repeat(1000);
      expect(await talk.send(long).next()).toBe(long);
      expect(await program.stop()).toEqual(CLEAN);
    }
  });

  it('echoes a message of 16 MiB', async () => {
    const port = await freePort();
    const program = await start(FILE, { LISTEN: `websocket://127.0.0.1:${port}` });
    const talk = await webSocket(`ws://127.0.0.1:${port}`);
    const message = Buffer.alloc(16_777_216, 'longshore');
    const answer = (await talk.send(message).next()) as Buffer;
    expect(message.equals(answer)).toBe(true);
    expect(await program.stop()).toEqual(CLEAN);
  });

  it.each([
    ['tcp', 1_000_000, 16],
    ['text', 100, 160_000],
    ['text', 20_000, 800],
  ])(
    'drops nothing over %s (%d bytes a message) of a client that sends much and reads late',
    async (scheme, size, count) => {
      const port = await freePort();
      const program = await start(FILE, { LISTEN: `${scheme}://127.0.0.1:${port}` });
      const state = async () => (await program.status()).processes[0] as ProcessStatus;
      const random = new Random(size);
      const letters = Array.from({ length: size - 1 }, () => random.pick([...'abcdefgh'])).join('');
      const sent = Buffer.from(`${letters}\n`.repeat(count));
      const { socket } = await plain(port);
      socket.removeAllListeners('data').pause();
      socket.write(sent);
      // From here on it has stopped reading, or it has begun to drop.
      for (let now = await state(); now.send_buffer < FULL && now.send_fail === 0; )
        now = await state();

      const received: Buffer[] = [];
      let length = 0;
      socket.on('data', (chunk) => {
        received.push(chunk);
        length += chunk.length;
      });
      socket.resume();
      while (length < sent.length && (await state()).send_fail === 0);
      expect(await state()).toMatchObject({ send_fail: 0 });
      expect(Buffer.concat(received).equals(sent)).toBe(true);
      expect(await program.stop()).toEqual(CLEAN);
    },
  );
});

describe('the echo example with a certificate', () => {
  let certificate: TestCertificate;
  beforeAll(() => {
    certificate = newCertificate();
  });
  afterAll(async () => certificate[Symbol.asyncDispose]());

  it.each<[string, (port: number, ca: Buffer) => Promise<void>]>([
    [
      'tcp',
      async (port, ca) => {
        const peer = await secure(port, ca);
        expect(await peer.send(BINARY).take(BINARY.length)).toEqual(BINARY);
      },
    ],
    ['websocket', (port, ca) => echoesMessages(`wss://127.0.0.1:${port}`, ca)],
    ['http', async (port, ca) => expect(await httpsText(port, '/', ca)).toBe('hello')],
  ])('speaks TLS over %s', async (scheme, talk) => {
    const port = await freePort();
    const program = await start(FILE, {
      LISTEN: `${scheme}://127.0.0.1:${port}`,
      SSL_CERT: certificate.cert,
      SSL_KEY: certificate.key,
    });
    await talk(port, certificate.ca);
    expect(await program.stop()).toEqual(CLEAN);
  });
});
