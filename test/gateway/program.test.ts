import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { closeClients, webSocket } from '../examples/clients.ts';
import { Fixture } from '../support/fixture.ts';
import { CLEAN, endPrograms, Program, start } from '../support/program.ts';

jest.setTimeout(60_000);
afterEach(closeClients);
afterAll(endPrograms);

const PROGRAM = `
  import { BusinessWorker, Gateway, Worker } from 'longshore';
  new Gateway('websocket://127.0.0.1:PORT', { name: 'gateway', count: 2 });
  const business = new BusinessWorker({ name: 'business', count: 2 });
  const version = 'one';
  business.onWebSocketConnect = (client, request) => {
    client.session.name = request.query.get('name');
    client.send('welcome ' + client.session.name);
  };
  business.onMessage = (client, message) => {
    client.session.count = (client.session.count ?? 0) + 1;
    business.gateway.sendToAll(version + ' ' + client.session.name + ' ' + client.session.count + ' ' + message);
  };
  business.onClose = (client) => console.log('closed ' + client.session.name);
  await Worker.runAll();
`;

describe('a program of gateways and BusinessWorkers', () => {
  it('needs nothing to find each other, and its code is replaced under connected clients', async () => {
    using app = await Fixture.create(PROGRAM);
    const program = await start(app.file);
    const ann = await webSocket(`ws://127.0.0.1:${app.port}/?name=ann`);
    expect(await ann.next()).toBe('welcome ann');
    const bob = await webSocket(`ws://127.0.0.1:${app.port}/?name=bob`);
    expect(await bob.next()).toBe('welcome bob');
    ann.send('hi');
    for (const each of [ann, bob]) expect(await each.next()).toBe('one ann 1 hi');
    app.write(PROGRAM.replace("'one'", "'two'"));
    expect((await program.command('reload', app.file)).code).toBe(0);
    ann.send('again');
    for (const each of [ann, bob]) expect(await each.next()).toBe('two ann 2 again');
    bob.socket.close();
    await program.line(/closed bob/);
    expect(await program.stop()).toEqual(CLEAN);
    expect(program.output).toContain('closed ann');
  });

  it.each([
    ['0.0.0.0:0', /gateway#\d can never start: the inner port 0\.0\.0\.0:0 needs a secret/],
    ['nonsense', /gateway#\d can never start: .*nonsense.*the port is missing/],
  ])('does not try again and again with the inner address %s, and says why', async (inner, why) => {
    using app = await Fixture.create(
      PROGRAM.replace("name: 'gateway',", `name: 'gateway', inner: '${inner}',`),
    );
    const program = new Program(app.file, {});
    expect(await program.ended()).toEqual({ code: 78, signal: null });
    expect(program.output).toMatch(why);
  });
});
