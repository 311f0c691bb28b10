import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { CLEAN, endPrograms, freePort, start } from '../support/program.ts';
import { closeClients, plain } from './clients.ts';

jest.setTimeout(60_000);
afterEach(closeClients);
afterAll(endPrograms);

describe('the example that closes unauthenticated connections', () => {
  it('closes who does not log in in time, and nobody who did', async () => {
    const port = await freePort();
    const program = await start('examples/close-unauthenticated.ts', {
      PORT: `${port}`,
      SECONDS: '0.5',
      PASSWORD: 'xyzzy',
    });
    const member = await plain(port);
    expect(await member.send('login xyzzy\n').line()).toBe('welcome');
    const silent = await plain(port);
    expect(await silent.end()).toBe('end');
    // The member's connection is older than the one that was just closed for its age.
    expect(await member.send('still here\n').line()).toBe('you said: still here');
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('closes at once who says a wrong password or something else', async () => {
    const port = await freePort();
    const program = await start('examples/close-unauthenticated.ts', { PORT: `${port}` });
    for (const line of ['login guess', 'hello', 'login open sesame ']) {
      const peer = await plain(port);
      expect(await peer.send(`${line}\n`).line()).toBe('wrong password');
      expect(await peer.end()).toBe('end');
    }
    const peer = await plain(port);
    expect(await peer.send('login open sesame\n').line()).toBe('welcome');
    expect(await program.stop()).toEqual(CLEAN);
  });
});
