import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { AsyncTcpConnection } from '../../src/connections/client.ts';
import { Fixture } from '../support/fixture.ts';
import { eventually } from '../support/peer.ts';
import { CLEAN, endPrograms, isAlive, type Program, start } from '../support/program.ts';

jest.setTimeout(60_000);
afterAll(endPrograms);

const PROGRAM = `
  import { BusinessWorker, Gateway, Worker } from 'longshore';
  new Gateway('websocket://127.0.0.1:PORT', { name: 'gateway', count: 2 });
  const business = new BusinessWorker({ name: 'business', count: 2 });
  const { gateway } = business;
  business.onWebSocketConnect = (client, request) => {
    gateway.bindUid(client.id, request.query.get('uid'));
    gateway.joinGroup(client.id, 'all');
    client.session.n = 0;
    client.send('ready');
  };
  business.onMessage = async (client, message) => {
    if (message === 'counts') {
      const counts = [gateway.getAllClientIdCount(), gateway.getAllUidCount(), gateway.getClientIdCountByGroup('all')];
      client.send('counts ' + (await Promise.all(counts)).join(' '));
    } else if (message === 'die') {
      client.send('dying');
      // The word is out before the end comes; the message is not finished then.
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50);
      await new Promise(() => {});
    } else {
      client.session.n += 1;
      client.send(process.pid + ' ' + message + ' ' + client.session.n);
    }
  };
  business.onClose = (client) => console.log('CLOSED ' + client.uid);
  await Worker.runAll();
`;

/** A WebSocket client and what it has heard. */
class Client {
  readonly heard: string[] = [];
  closed = false;
  readonly #connection: AsyncTcpConnection;

  constructor(port: number, uid: string) {
    this.#connection = new AsyncTcpConnection(`ws://127.0.0.1:${port}/?uid=${uid}`);
    this.#connection.onMessage = (_, message) => this.heard.push(String(message));
    this.#connection.onClose = () => {
      this.closed = true;
    };
    this.#connection.connect();
  }

  say(message: string): void {
    this.#connection.send(message);
  }

  /** Says it, and gives the next that is heard. */
  async ask(message: string): Promise<string> {
    const { length } = this.heard;
    this.say(message);
    await eventually(() => this.heard.length > length, `an answer to ${message}`);
    return this.heard.at(-1) as string;
  }

  end(): void {
    this.#connection.destroy();
  }
}

async function crowd(port: number, count: number): Promise<Client[]> {
  const clients = Array.from({ length: count }, (_, i) => new Client(port, `u${i}`));
  await eventually(() => clients.every(({ heard }) => heard.length > 0), 'all are ready');
  return clients;
}

async function pidsOf(running: Program, worker: string): Promise<number[]> {
  const { processes } = await running.status();
  return processes.filter(({ worker_name }) => worker_name === worker).map(({ pid }) => pid);
}

/** Events that a BusinessWorker had and had not finished, over all gateways; processes report them now and then. */
async function maybeLost(admin: string): Promise<number> {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  const all = text.matchAll(/^longshore_gateway_events_maybe_lost_total\{.*\} (\d+)$/gm);
  return [...all].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('kill -9', () => {
  it('of a gateway process takes its clients along and nothing else; groups and uids are clean', async () => {
    using app = await Fixture.create(PROGRAM);
    const running = await start(app.file);
    const clients = await crowd(app.port, 40);
    const [pid] = await pidsOf(running, 'gateway');
    process.kill(pid as number, 'SIGKILL');
    await eventually(() => clients.some(({ closed }) => closed), 'closes');
    const left = () => clients.filter(({ closed }) => !closed);
    // The kernel spreads 40 clients over both: all at one would be a chance of one in 500 billion.
    await eventually(
      () => running.output.split('CLOSED').length - 1 === 40 - left().length,
      'onClose for each',
    );
    const [one] = left() as [Client];
    expect(left().length).toBeGreaterThan(0);
    const { length } = left();
    expect(await one.ask('counts')).toBe(`counts ${length} ${length} ${length}`);
    expect(await one.ask('hello')).toMatch(/ hello 1$/);
    // Those that were closed come back, also to the process that the master has started in its place.
    const more = await crowd(app.port, 40);
    const all = length + 40;
    // The uids are the same ones.
    expect(await one.ask('counts')).toBe(`counts ${all} 40 ${all}`);
    expect(left()).toHaveLength(length);
    for (const each of [...clients, ...more]) each.end();
    expect(await running.stop()).toEqual(CLEAN);
  });

  it('of a BusinessWorker in the middle of a message loses that message, which is counted, and no client', async () => {
    using app = await Fixture.create(PROGRAM);
    const running = await start(app.file, { LONGSHORE_ADMIN: '127.0.0.1:0' });
    const { admin } = await running.status();
    const clients = await crowd(app.port, 10);
    const [victim] = clients as [Client];
    const before = await victim.ask('hello');
    expect(await victim.ask('die')).toBe('dying');
    await eventually(() => !isAlive(Number(before.split(' ')[0])), 'its end');
    victim.say('next');
    victim.say('and next');
    await eventually(() => victim.heard.some((each) => each.includes('and next')), 'the rest');
    const [pid, ...after] = [before, ...victim.heard.slice(-2)].map((each) => each.split(' ')[0]);
    expect(victim.heard.slice(-2).map((each) => each.replace(/^\d+ /, ''))).toEqual([
      'next 2',
      'and next 3',
    ]);
    expect(after).not.toContain(pid);
    for (const each of clients) expect(await each.ask('still here')).toMatch(/still here/);
    expect(clients.filter(({ closed }) => closed)).toEqual([]);
    await eventually(async () => (await maybeLost(admin as string)) === 1);
    for (const each of clients) each.end();
    expect(await running.stop()).toEqual(CLEAN);
  });
});
