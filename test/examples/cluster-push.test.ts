import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CLEAN, endPrograms, freePort, type Program, start } from '../support/program.ts';
import { closeClients, type Talk, webSocket } from './clients.ts';

jest.setTimeout(60_000);
afterEach(closeClients);
afterAll(endPrograms);

describe('the cluster push example', () => {
  let port: number;
  let pushPort: number;
  let program: Program;
  beforeAll(async () => {
    [port, pushPort] = [await freePort(), await freePort()];
    const env = { PORT: `${port}`, PUSH_PORT: `${pushPort}`, COUNT: '2' };
    program = await start('examples/cluster-push.ts', env);
  });

  const client = () => webSocket(`ws://127.0.0.1:${port}`);
  const push = async (to: string, body: string) => {
    const url = `http://127.0.0.1:${pushPort}/?to=${to}`;
    return (await fetch(url, { method: 'POST', body })).text();
  };

  /** Two users, each connected to another process. */
  async function apart(): Promise<{ uid: string; talk: Talk }[]> {
    const users = new Map<string, { uid: string; talk: Talk }>();
    for (let i = 0; users.size < 2; i += 1) {
      const uid = `user${i}`;
      const talk = await client();
      const [, process = ''] = / process (\d+)$/.exec(String(await talk.send(uid).next())) ?? [];
      users.set(process, { uid, talk });
    }
    return [...users.values()];
  }

  it('reaches each user in whatever process he is', async () => {
    const users = await apart();
    for (const { uid } of users) expect(await push(uid, `hello ${uid}`)).toBe('sent\n');
    for (const { uid, talk } of users) expect(await talk.next()).toBe(`hello ${uid}`);
  });

  it('reaches every connection of a user', async () => {
    const pages: Talk[] = [];
    for (let i = 0; i < 8; i += 1) pages.push(await client());
    for (const page of pages) {
      expect(await page.send('ann').next()).toMatch(/^ann is connected to process /);
    }
    await push('ann', 'for all of them');
    for (const page of pages) {
      let message: string | Buffer = '';
      while (message !== 'for all of them') message = await page.next();
    }
  });

  it('goes on reaching a user after one of his connections has gone', async () => {
    const [leaves, stays] = [await client(), await client()];
    for (const page of [leaves, stays]) await page.send('bob').next();
    leaves.socket.close();
    await leaves.closed;
    await push('bob', 'still there?');
    let message: string | Buffer = '';
    while (message !== 'still there?') message = await stays.next();
  });

  it('stops cleanly', async () => {
    expect(await program.stop()).toEqual(CLEAN);
  });
});
