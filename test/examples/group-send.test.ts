import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CLEAN, endPrograms, freePort, type Program, start } from '../support/program.ts';
import { closeClients, type Talk, webSocket } from './clients.ts';

jest.setTimeout(60_000);
afterEach(closeClients);
afterAll(endPrograms);

describe('the group send example', () => {
  let port: number;
  let program: Program;
  beforeAll(async () => {
    port = await freePort();
    program = await start('examples/group-send.ts', { PORT: `${port}`, COUNT: '2' });
  });

  const client = () => webSocket(`ws://127.0.0.1:${port}`);
  const say = (talk: Talk, group: string, message: string) =>
    talk.send({ cmd: 'send_to_group', group_id: group, message });

  /** Skips what others have said before. */
  async function hears(talk: Talk, text: string): Promise<void> {
    while ((await talk.next()) !== text);
  }

  /** Joins and gives the process of the connection. */
  async function joins(talk: Talk, group: string): Promise<string> {
    talk.send({ cmd: 'add_group', group_id: group });
    const [, process = ''] = /at process (\d+)$/.exec(String(await talk.next())) ?? [];
    return process;
  }

  it('carries a message to members in all processes, and to nobody else', async () => {
    const processes = new Map<string, Talk>();
    for (let i = 0; processes.size < 2; i += 1) {
      const talk = await client();
      // Each in a group of its own first, so that what it hears is about itself.
      processes.set(await joins(talk, `own${i}`), talk);
    }
    const [one, other] = [...processes.values()] as [Talk, Talk];
    for (const talk of [one, other]) await joins(talk, 'red');
    const outsider = await client();
    await joins(outsider, 'blue');
    say(outsider, 'red', 'from outside');
    say(outsider, 'blue', 'from inside');
    for (const talk of [one, other]) await hears(talk, 'red: from outside');
    expect(await outsider.next()).toBe('blue: from inside');
  });

  it('goes on with the members that stay', async () => {
    const [leaves, stays] = [await client(), await client()];
    for (const talk of [leaves, stays]) await joins(talk, 'green');
    leaves.socket.close();
    await leaves.closed;
    say(stays, 'green', 'still there');
    await hears(stays, 'green: still there');
  });

  it.each([
    ['hello', 'expected {"cmd"'],
    ['{"cmd":"add_group"}', 'expected {"cmd"'],
    ['{"cmd":"add_group","group_id":"a b"}', 'expected {"cmd"'],
    ['{"cmd":"dance","group_id":"a"}', 'unknown cmd "dance"'],
  ])('answers %s with what it expects', async (message, answer) => {
    const talk = await client();
    expect(await talk.send(message).next()).toContain(answer);
  });

  it('stops cleanly', async () => {
    expect(await program.stop()).toEqual(CLEAN);
  });
});
