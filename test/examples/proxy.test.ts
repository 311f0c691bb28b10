import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Peer } from '../support/peer.ts';
import { CLEAN, endPrograms, freePort, type Program, start } from '../support/program.ts';
import { Random } from '../support/random.ts';
import { closeClients, plain } from './clients.ts';

jest.setTimeout(60_000);
afterEach(closeClients);
afterAll(endPrograms);

describe('the proxy example', () => {
  let port: number;
  let program: Program;
  let target: Server;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    target = createServer({ allowHalfOpen: true }, (socket) => void sockets.push(socket));
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    port = await freePort();
    const { port: targetPort } = target.address() as { port: number };
    program = await start('examples/proxy.ts', {
      LISTEN: `tcp://127.0.0.1:${port}`,
      TARGET: `tcp://127.0.0.1:${targetPort}`,
    });
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    target.close();
  });

  /** A client of the proxy, and the target's end of what the proxy has opened for it. */
  async function pair(): Promise<[client: Peer, server: Peer]> {
    const accepted = once(target, 'connection');
    const client = await plain(port);
    const [socket] = await accepted;
    return [client, new Peer(socket)];
  }

  it('passes bytes both ways and keeps clients apart', async () => {
    const [a, serverOfA] = await pair();
    const [b, serverOfB] = await pair();
    a.send('from a');
    b.send('from b');
    expect(String(await serverOfA.take(6))).toBe('from a');
    expect(String(await serverOfB.take(6))).toBe('from b');
    serverOfA.send('to a');
    serverOfB.send('to b');
    expect(String(await a.take(4))).toBe('to a');
    expect(String(await b.take(4))).toBe('to b');
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('loses nothing of what a fast end sends to one that reads late, in either direction', async () => {
    const sent = new Random(1).bytes(1_000_000);
    const copies = 20;
    for (const towards of ['server', 'client'] as const) {
      const [client, server] = await pair();
      const [fast, slow] = towards === 'server' ? [client, server] : [server, client];
      slow.socket.removeAllListeners('data').pause();
      for (let i = 0; i < copies; i += 1) fast.send(sent);
      const state = async () => (await program.status()).processes[0]?.send_buffer ?? 0;
      while ((await state()) < 1_048_576);
      let length = 0;
      let wrong = 0;
      slow.socket.on('data', (chunk) => {
        for (let at = 0; at < chunk.length; ) {
          const expected = sent.subarray((length + at) % sent.length);
          const size = Math.min(expected.length, chunk.length - at);
          if (expected.compare(chunk, at, at + size, 0, size) !== 0) wrong += 1;
          at += size;
        }
        length += chunk.length;
      });
      slow.socket.resume();
      fast.socket.end();
      await slow.end();
      expect([length, wrong]).toEqual([copies * sent.length, 0]);
    }
    expect((await program.status()).processes[0]).toMatchObject({ send_fail: 0 });
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('closes one end when the other one leaves', async () => {
    const [leaving, itsServer] = await pair();
    leaving.send('last words').socket.end();
    expect(String(await itsServer.take(10))).toBe('last words');
    expect(await itsServer.end()).toBe('end');

    const [client, itsTarget] = await pair();
    itsTarget.send('goodbye').socket.end();
    expect(String(await client.take(7))).toBe('goodbye');
    expect(await client.end()).toBe('end');
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('closes a client and says why when the target is not there', async () => {
    target.close();
    await once(target, 'close');
    const client = await plain(port);
    expect(await client.end()).toBe('end');
    await program.line(/CONNECT_FAILED: tcp:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    expect(await program.stop()).toEqual(CLEAN);
  });
});
