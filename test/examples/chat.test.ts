import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CLEAN, endPrograms, freePort, type Program, start } from '../support/program.ts';
import { closeClients, type Talk, webSocket } from './clients.ts';

jest.setTimeout(60_000);
afterEach(closeClients);
afterAll(endPrograms);

type Message = {
  type: string;
  name?: string;
  text?: string;
  process?: string;
  people?: string[];
};

describe('the chat example', () => {
  let port: number;
  let program: Program;
  beforeAll(async () => {
    port = await freePort();
    program = await start('examples/chat/server.ts', { PORT: `${port}`, COUNT: '2' });
  });

  const client = () => webSocket(`ws://127.0.0.1:${port}`);
  const joined = async (talk: Talk, name: string, room: string) =>
    talk.send({ type: 'join', name, room }).json<Message>(({ type }) => type === 'joined');
  const sees = (talk: Talk, names: string[]) =>
    talk.json<Message>(
      ({ type, people }) => type === 'people' && `${people?.sort()}` === `${names.sort()}`,
    );
  const hears = (talk: Talk) => talk.json<Message>(({ type }) => type === 'say');

  /** Two people of a room, each connected to another process. */
  async function apart(room: string): Promise<{ name: string; talk: Talk }[]> {
    const byProcess = new Map<string, { name: string; talk: Talk }>();
    for (let i = 0; byProcess.size < 2; i += 1) {
      const talk = await client();
      const name = `guest ${i}`;
      const { process = '' } = await joined(talk, name, room);
      if (byProcess.has(process)) talk.socket.close();
      else byProcess.set(process, { name, talk });
    }
    return [...byProcess.values()];
  }

  it.each([
    ['/', 'text/html', 'src="chat.js"'],
    ['/chat.js', 'text/javascript', "from '/longshore/browser.js'"],
    ['/style.css', 'text/css', '{'],
    ['/longshore/browser.js', 'text/javascript', 'export class ReconnectingWebSocket'],
    ['/longshore/reconnect.js', 'text/javascript', 'export function reconnectMs'],
  ])('serves %s on the same port', async (path, type, content) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain(type);
    expect(await answer.text()).toContain(content);
  });

  it('serves a script that a browser can run: no types, and imports that are served too', async () => {
    const source = await (await fetch(`http://127.0.0.1:${port}/longshore/browser.js`)).text();
    const imports = [...source.matchAll(/^import .* from '(.*)';$/gm)].map(([, from]) => from);
    expect(imports).toEqual(['./reconnect.js']);
    expect(source).not.toMatch(/^\s*(type|interface|readonly) /m);
  });

  it.each(['/longshore/nothing.js', '/nothing.html', '/server.ts'])(
    'answers 404 for %s',
    async (path) => {
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(404);
    },
  );

  it('shows people of one room to each other, though their processes differ', async () => {
    const people = await apart('see');
    const names = people.map(({ name }) => name);
    for (const { talk } of people) await sees(talk, names);
  });

  it('carries what one says to the others of the room, and to nobody else', async () => {
    const people = await apart('say');
    const outsider = await client();
    await joined(outsider, 'outsider', 'another room');
    for (const { talk } of people) {
      await sees(
        talk,
        people.map(({ name }) => name),
      );
    }
    for (const { name, talk } of people) {
      talk.send({ type: 'say', text: `I am ${name}` });
      for (const { talk: other } of people) {
        expect(await hears(other)).toMatchObject({ name, text: `I am ${name}` });
      }
    }
    outsider.send({ type: 'say', text: 'is there anybody?' });
    expect(await hears(outsider)).toMatchObject({ name: 'outsider', text: 'is there anybody?' });
  });

  it('shows that somebody has left', async () => {
    const [stays, leaves] = await apart('leave');
    if (!stays || !leaves) throw new Error('two people were expected');
    await sees(stays.talk, [stays.name, leaves.name]);
    leaves.talk.socket.close();
    await sees(stays.talk, [stays.name]);
  });

  it.each([
    ['what is not JSON', 'hello', 'expected'],
    ['an unknown type', '{"type":"shout"}', 'expected'],
    ['a name that is too long', `{"type":"join","room":"r","name":"${'n'.repeat(25)}"}`, 'a name'],
    ['a join without a room', '{"type":"join","name":"n"}', 'a name'],
    ['a word before joining', '{"type":"say","text":"hello"}', 'join a room first'],
  ])('refuses %s and stays connected', async (_, message, reason) => {
    const talk = await client();
    const refusal = await talk.send(message).json<Message>(() => true);
    expect(refusal.type).toBe('error');
    expect(refusal.text).toContain(reason);
    expect(await joined(talk, 'better', 'now')).toMatchObject({ name: 'better' });
  });

  it('tells its clients when it stops, and leaves nothing behind', async () => {
    const talk = await client();
    expect(await program.stop()).toEqual(CLEAN);
    expect(await talk.closed).toBe(1001);
  });
});
