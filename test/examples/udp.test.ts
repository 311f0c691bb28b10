import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { CLEAN, endPrograms, freePort, start } from '../support/program.ts';

jest.setTimeout(60_000);
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});
afterAll(endPrograms);

describe('the UDP example', () => {
  it('answers each sender where it is, over several processes, and stops cleanly', async () => {
    const port = await freePort('udp');
    const program = await start('examples/udp.ts', { PORT: `${port}`, COUNT: '2' });
    for (let i = 0; i < 10; i += 1) {
      const socket = createSocket('udp4');
      sockets.push(socket);
      socket.send(`number ${i}`, port, '127.0.0.1');
      const [answer] = await once(socket, 'message');
      expect(String(answer)).toBe(`8 bytes from 127.0.0.1:${socket.address().port}: number ${i}`);
    }
    expect((await program.status()).processes).toHaveLength(2);
    expect(await program.stop()).toEqual(CLEAN);
  });
});
