import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CLEAN, endPrograms, freePort, type Program, start } from '../support/program.ts';
import { closeClients, plain, type Talk, webSocket } from './clients.ts';

jest.setTimeout(60_000);
afterEach(closeClients);
afterAll(endPrograms);

describe('the push example', () => {
  let program: Program;
  let port: number;
  let inner: number;
  beforeEach(async () => {
    [port, inner] = [await freePort(), await freePort()];
    const env = { PORT: `${port}`, INNER_PORT: `${inner}` };
    program = await start('examples/push.ts', env);
  });

  async function user(uid: string): Promise<Talk> {
    const talk = await webSocket(`ws://127.0.0.1:${port}`);
    expect(await talk.send(uid).next()).toBe(`welcome ${uid}`);
    return talk;
  }

  const push = (uid: string, text: string) => `${JSON.stringify({ uid, text })}\n`;

  it('sends to every connection of a user and to nobody else, and stops cleanly', async () => {
    const [ann, annToo, bob] = [await user('ann'), await user('ann'), await user('bob')];
    const sender = await plain(inner);
    expect(await sender.send(push('ann', 'for ann')).line()).toBe('ok');
    expect(await sender.send(push('bob', 'for bob')).line()).toBe('ok');
    expect(await ann.next()).toBe('for ann');
    expect(await annToo.next()).toBe('for ann');
    expect(await bob.next()).toBe('for bob');
    expect(await sender.send(push('carl', 'for carl')).line()).toBe('carl is not here');
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('forgets a user with the last of his connections', async () => {
    const [ann, annToo] = [await user('ann'), await user('ann')];
    const sender = await plain(inner);
    ann.socket.close();
    await ann.closed;
    expect(await sender.send(push('ann', 'one left')).line()).toBe('ok');
    expect(await annToo.next()).toBe('one left');
    annToo.socket.close();
    await annToo.closed;
    let answer = 'ok';
    while (answer === 'ok') answer = await sender.send(push('ann', 'anybody?')).line();
    expect(answer).toBe('ann is not here');
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('survives a push that is not JSON', async () => {
    const ann = await user('ann');
    const sender = await plain(inner);
    sender.send('what?\n');
    await program.line(/onMessage failed: SyntaxError/);
    expect(await sender.send(push('ann', 'go on')).line()).toBe('ok');
    expect(await ann.next()).toBe('go on');
    expect(await program.stop()).toEqual(CLEAN);
  });
});
