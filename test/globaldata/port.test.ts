import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { GlobalDataClient } from '../../src/globaldata/client.ts';
import {
  type DataMessage,
  dataProtocol,
  encode,
  FORMAT_VERSION,
  KINDS,
} from '../../src/globaldata/format.ts';
import { GlobalDataServer, type GlobalDataServerOptions } from '../../src/globaldata/server.ts';
import { dataStats } from '../../src/globaldata/stats.ts';
import type { Hello } from '../../src/inner/greetings.ts';
import { answerTo } from '../../src/inner/handshake.ts';
import { newCertificate } from '../support/certificate.ts';
import { type AnyData, dataClient, endDataPlaces, failure } from '../support/data-engines.ts';
import { cleanUp, listening, peerOf } from '../support/in-process.ts';
import { authority, eventually, type Peer, whereIs } from '../support/peer.ts';
import { Random } from '../support/random.ts';

afterEach(async () => {
  await endDataPlaces();
  await cleanUp();
});

const server = (options?: GlobalDataServerOptions) =>
  listening(new GlobalDataServer('127.0.0.1:0', options));

async function hear(peer: Peer, count: number): Promise<DataMessage[]> {
  const messages: DataMessage[] = [];
  const decoder = dataProtocol.decoder({ maxPackageSize: 2 ** 31 });
  while (messages.length < count) messages.push(...decoder.push(await peer.take(1)));
  return messages;
}

/** A client that says just what a test wants, once it is welcome. */
async function welcomed(to: GlobalDataServer): Promise<Peer> {
  const peer = await peerOf(to);
  const [hello] = await hear(peer, 1);
  const answer = answerTo(hello as Hello, FORMAT_VERSION, undefined, undefined);
  if (typeof answer === 'string') throw new Error(answer);
  peer.send(encode(answer.greeting));
  await hear(peer, 1);
  return peer;
}

describe('the port of a global data server', () => {
  it.each([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a length that cannot be', Buffer.from([0, 0, 0, 4, 5])],
    ['a kind that is not defined', Buffer.from([0, 0, 0, 5, 99])],
    ['more than it takes', Buffer.from([0x7f, 0, 0, 0, 5, 0])],
    ['a request before the greeting', encode({ kind: 'get', id: 1, key: 'k' })],
  ])('closes a connection that begins with %s', async (_, bytes) => {
    const made = await server();
    const peer = await peerOf(made);
    await hear(peer, 1);
    peer.send(bytes);
    await peer.end();
    await eventually(() => made.connections.size === 0);
  });

  it('closes a client that breaks the protocol or asks what only servers say; others go on', async () => {
    const made = await server();
    const random = new Random(3);
    const client = dataClient(authority(made));
    await client.set('k', 1);
    const wrong = [
      Buffer.from([0, 0, 0, 9, KINDS.indexOf('get'), 0, 0, 0, 1]),
      Buffer.from([0, 0, 0, 11, KINDS.indexOf('get'), 0, 0, 0, 1, 9, 65]),
      encode({ kind: 'value', id: 1 }),
      encode({ kind: 'welcome', flag: false }),
      encode({ kind: 'increment', id: 1, key: 'k', step: Number.NaN }),
      ...Array.from({ length: 30 }, () =>
        Buffer.concat([Buffer.from([0, 0, 0, 5]), Buffer.from([99]), random.bytes(20)]),
      ),
    ];
    for (const bytes of wrong) {
      const peer = await welcomed(made);
      peer.send(bytes);
      await peer.end();
    }
    expect(await client.get('k')).toBe(1);
  });

  it('answers in the order of the requests, however they are cut', async () => {
    const made = await server();
    const peer = await welcomed(made);
    const requests: DataMessage[] = [
      { kind: 'set', id: 1, key: 'k', ms: 1e6, value: Buffer.from('5') },
      { kind: 'increment', id: 2, key: 'k', step: 2 },
      { kind: 'cas', id: 3, key: 'k', expected: Buffer.from('7'), value: Buffer.from('[1]') },
      { kind: 'get', id: 4, key: 'k' },
      { kind: 'get', id: 5, key: 'none' },
      { kind: 'keys', id: 6, pattern: '*' },
      { kind: 'increment', id: 7, key: 'k', step: 0.5 },
      { kind: 'delete', id: 8, key: 'k' },
    ];
    const bytes = Buffer.concat(requests.map(encode));
    const random = new Random(9);
    for (let at = 0; at < bytes.length; ) {
      const size = random.int(1, 12);
      peer.send(bytes.subarray(at, at + size));
      await new Promise((next) => setImmediate(next));
      at += size;
    }
    expect(await hear(peer, 8)).toEqual([
      { kind: 'yes', id: 1, flag: true },
      { kind: 'number', id: 2, number: 7 },
      { kind: 'yes', id: 3, flag: true },
      { kind: 'value', id: 4, value: Buffer.from('[1]') },
      { kind: 'value', id: 5 },
      { kind: 'names', id: 6, names: ['k'] },
      { kind: 'refusal', id: 7, reason: expect.stringContaining('no whole number') },
      { kind: 'yes', id: 8, flag: true },
    ]);
  });

  it('does not read from a client that does not read, and has no more for it than a few answers', async () => {
    const made = await server();
    const client = dataClient(authority(made));
    await client.set('k', Buffer.alloc(1_000_000));
    const peer = await welcomed(made);
    peer.socket.pause();
    const ask = encode({ kind: 'get', id: 1, key: 'k' });
    const before = dataStats.current?.operations ?? 0;
    peer.send(Buffer.concat(Array.from({ length: 200 }, () => ask)));
    const sent = () => (dataStats.current?.operations ?? 0) - before;
    await eventually(() => sent() > 3);
    expect(await client.has('k')).toBe(true);
    // 200 of 1 MB are asked for; what the kernel takes and 4 MB more are answered.
    expect(sent()).toBeLessThan(30);
    peer.socket.removeAllListeners('data').resume();
    await eventually(() => sent() > 200, 'the rest');
  });

  it.each([
    ['a wrong secret', 'wrong', /wrong secret/],
    ['none', '', /demands a secret/],
  ])(
    'lets nobody in with %s, who is told why, and loses nothing by it',
    async (_, secret, message) => {
      const made = await server({ secret: 'right' });
      const client = dataClient(authority(made), { secret, timeout: 0.5 });
      const told: string[] = [];
      client.onError = (_code, why) => told.push(why);
      expect(await failure(client.set('k', 1))).toMatchObject({
        code: 'GLOBALDATA_UNAVAILABLE',
        message: expect.stringMatching(message),
      });
      expect(told.join()).toMatch(message);
      const good = dataClient(authority(made), { secret: 'right' });
      expect(await good.has('k')).toBe(false);
    },
  );

  it('lets a client not trust a server that does not know the secret', async () => {
    const made = await server();
    const client = dataClient(authority(made), { secret: 'right', timeout: 0.5 });
    expect(await failure(client.set('k', 1))).toMatchObject({ code: 'GLOBALDATA_UNAVAILABLE' });
    expect(await dataClient(authority(made)).has('k')).toBe(false);
  });

  it('speaks TLS', async () => {
    await using certificate = newCertificate();
    const made = await server({ ssl: { cert: certificate.cert, key: certificate.key } });
    const { port } = whereIs(made) as { port: number };
    const client = dataClient(`localhost:${port}`, { tls: { ca: certificate.ca } });
    await client.set('k', 1);
    expect(await client.get('k')).toBe(1);
    const distrusting = dataClient(`localhost:${port}`, { tls: true, timeout: 0.5 });
    expect(await failure(distrusting.get('k'))).toMatchObject({ code: 'GLOBALDATA_UNAVAILABLE' });
  });

  it('closes a client that was silent for three signs of life, and one that never greets', async () => {
    const made = await server({ heartbeat: 0.5 });
    const peer = await welcomed(made);
    await peer.end();
    const silent = connect(whereIs(made) as { port: number });
    silent.resume();
    await once(silent, 'close');
  }, 30_000);
});

describe('a client', () => {
  it.each([
    ['timeout', 0],
    ['timeout', Number.NaN],
    ['heartbeat', -1],
    ['timeout', 1e9],
  ])('is not made with %s %d', (name, value) => {
    expect(() => new GlobalDataClient('127.0.0.1:1', { [name]: value })).toThrow(
      new RegExp(`^"?${name}"? is ${value}\\b`),
    );
  });

  it.each(['redis://', 'redis://me:word@h/three', 'nonsense://x', ''])(
    'with the address "%s" says at once what is wrong with it',
    async (address) => {
      const began = performance.now();
      const { code, message } = (await failure(dataClient(address).get('k'))) as Record<
        string,
        string
      >;
      expect([code, message]).toEqual([
        expect.stringMatching(/_INVALID$/),
        expect.not.stringContaining('word'),
      ]);
      expect(performance.now() - began).toBeLessThan(2000);
    },
  );

  it('has keys of text', async () => {
    const client = dataClient('127.0.0.1:1');
    expect(await failure(client.get(5 as never))).toMatchObject({
      code: 'GLOBALDATA_INVALID',
      message: 'a key is a number, expected text',
    });
  });

  it('needs an address outside of a program', async () => {
    const client: AnyData = new GlobalDataClient();
    expect(await failure(client.get('k'))).toMatchObject({
      code: 'GLOBALDATA_INVALID',
      message: expect.stringContaining('LONGSHORE_GLOBALDATA'),
    });
  });

  it('takes no more than can wait', async () => {
    const client = dataClient('127.0.0.1:1', { timeout: 0.3 });
    const value = Buffer.alloc(4_000_000);
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => failure(client.set(`k ${i}`, value))),
    );
    const tooMuch = all.filter((each) => JSON.stringify(each).includes('wait for answers'));
    expect([tooMuch.length, new Set(all.map((each) => 'code' in each && each.code))]).toEqual([
      4,
      new Set(['GLOBALDATA_UNAVAILABLE']),
    ]);
  });

  it('knows the types of its keys', () => {
    const client = new GlobalDataClient<{ n: number; user: { name: string } }>('127.0.0.1:1');
    const types = async () => {
      const user: { name: string } | undefined = await client.get('user');
      // @ts-expect-error: no such key
      await client.get('nobody');
      // @ts-expect-error: another type
      await client.set('n', 'one');
      return user;
    };
    expect(types).toBeInstanceOf(Function);
    client.close();
  });
});
