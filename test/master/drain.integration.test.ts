import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import { hintedMs } from '../../src/reconnect.ts';
import { Fixture, TALKER } from '../support/fixture.ts';
import { eventually, Peer } from '../support/peer.ts';
import { CLEAN, endPrograms, freePort, isAlive, type Program, start } from '../support/program.ts';
import { answers, ask } from '../support/talk.ts';

const fixtures: Fixture[] = [];
async function fixture(source?: string): Promise<Fixture> {
  const made = await Fixture.create(source);
  fixtures.push(made);
  return made;
}

afterEach(async () => {
  await endPrograms();
  for (const each of fixtures.splice(0)) each[Symbol.dispose]();
});

const SOCKETS = `
import { Worker } from 'longshore';
const worker = new Worker('websocket://127.0.0.1:PORT', { name: 'sockets', count: 2 });
worker.onMessage = (connection, data) => connection.send(data);
worker.onRequest = (connection) => connection.send('page');
worker.onDrain = () => console.log('draining ' + worker.id);
await Worker.runAll();
`;

type End = { readonly at: number; readonly code: number; readonly reason: string };

async function sockets(
  app: Fixture,
  count: number,
): Promise<{ ends: Promise<End[]>; all: WebSocket[] }> {
  const all = Array.from({ length: count }, () => new WebSocket(`ws://127.0.0.1:${app.port}/`));
  const ends = all.map(async (socket) => {
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    return { at: performance.now(), code, reason: String(reason) };
  });
  await Promise.all(all.map((socket) => once(socket, 'open')));
  return { ends: Promise.all(ends), all };
}

const readiness = async (port: number) => {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
  return `${answer.status} ${(await answer.text()).trim()}`;
};

const TIMES = { LONGSHORE_DRAIN_PROPAGATION_SECONDS: '1', LONGSHORE_DRAIN_WINDOW_SECONDS: '2' };

describe('SIGTERM', () => {
  it('announces, goes on accepting, then closes at an even pace with a hint, and ends with 0', async () => {
    const app = await fixture(SOCKETS);
    const admin = await freePort();
    const program = await start(app.file, { ...TIMES, LONGSHORE_ADMIN: `127.0.0.1:${admin}` });
    expect(await readiness(admin)).toBe('200 ok');
    const { ends } = await sockets(app, 60);
    const began = performance.now();
    program.signal('SIGTERM');
    await program.line(/draining 0/);
    await program.line(/draining 1/);
    expect(await readiness(admin)).toBe('503 draining');
    const late = await sockets(app, 4);
    const page = await fetch(`http://127.0.0.1:${app.port}/`);
    expect([await page.text(), page.headers.get('connection')]).toEqual(['page', 'close']);
    const all = [...(await ends), ...(await late.ends)];
    expect(
      all.every(({ code, reason }) => code === 1012 && hintedMs(reason, 1) !== undefined),
    ).toBe(true);
    const times = all.map(({ at }) => at - began).sort((a, b) => a - b);
    expect(times[0]).toBeGreaterThan(950);
    expect(times.at(-1)).toBeLessThan(4500);
    // Each quarter of the window gets about a quarter of the closes.
    const quarter = (n: number) =>
      times.filter((time) => time >= 1000 + n * 500 && time < 1500 + n * 500).length;
    for (const n of [0, 1, 2, 3]) expect(quarter(n)).toBeGreaterThan(5);
    expect(await program.ended()).toEqual({ code: 0, signal: null });
  });

  it('given twice, stops at once', async () => {
    const app = await fixture(SOCKETS);
    const program = await start(app.file, { LONGSHORE_DRAIN_WINDOW_SECONDS: '600' });
    const { ends } = await sockets(app, 10);
    program.signal('SIGTERM');
    await program.line(/draining 0/);
    program.signal('SIGTERM');
    expect((await ends).every(({ code }) => code === 1001 || code === 1012)).toBe(true);
    expect(await program.ended()).toEqual({ code: 0, signal: null });
  });

  it('is cut to fit the grace period that the outside gives', async () => {
    const app = await fixture(SOCKETS);
    const program = await start(app.file, {
      LONGSHORE_DRAIN_WINDOW_SECONDS: '600',
      LONGSHORE_GRACE_SECONDS: '6',
    });
    const { ends } = await sockets(app, 5);
    const began = performance.now();
    program.signal('SIGTERM');
    await ends;
    expect(performance.now() - began).toBeLessThan(3000);
    expect(await program.ended()).toEqual({ code: 0, signal: null });
  });

  it('ends at once when nobody is connected', async () => {
    const app = await fixture(SOCKETS);
    const program = await start(app.file, { LONGSHORE_DRAIN_WINDOW_SECONDS: '600' });
    const began = performance.now();
    expect(await program.stop('SIGTERM')).toEqual(CLEAN);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe('SIGINT', () => {
  it('closes everybody at once with 1001 and asks for patience', async () => {
    const app = await fixture(SOCKETS);
    const program = await start(app.file);
    const { ends } = await sockets(app, 20);
    program.signal('SIGINT');
    for (const { code, reason } of await ends)
      expect([code, hintedMs(reason, 0)]).toEqual([1001, 1000]);
    expect(await program.ended()).toEqual({ code: 0, signal: null });
  });
});

describe('POST /drain', () => {
  it('drains but stays, and POST /undrain takes it back', async () => {
    const app = await fixture(SOCKETS);
    const program = await start(app.file);
    const { ends } = await sockets(app, 10);
    const before = (await program.status()).processes.map(({ pid }) => pid);
    await program.call('POST', '/drain', { propagationSeconds: 0, windowSeconds: 0.3 });
    for (const { code } of await ends) expect(code).toBe(1012);
    const status = await program.status();
    expect([status.phase, status.processes.map(({ pid }) => pid)]).toEqual(['held', before]);
    await expect(Peer.to({ host: '127.0.0.1', port: app.port })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    await program.call('POST', '/undrain');
    const again = await reachable(app);
    again.destroy();
    expect((await program.status()).processes.map(({ pid }) => pid)).toEqual(before);
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('is taken back by new processes where they share a socket', async () => {
    const app = await fixture(TALKER.replace('count: 2', 'count: 2, reusePort: false'));
    const program = await start(app.file);
    await program.call('POST', '/drain', { windowSeconds: 0 });
    await deaf(program);
    await program.call('POST', '/undrain');
    expect(await answers(app, 'id', 2)).toEqual(new Set(['0', '1']));
    expect(await program.stop()).toEqual(CLEAN);
  }, 20_000);
});

/** Waits until no process listens any more. */
async function deaf(program: Program): Promise<void> {
  for (const { pid } of (await program.status()).processes) {
    const known = () => program.call('GET', `/descriptors?pid=${pid}`);
    while (JSON.stringify(await known()).includes('listener '));
  }
}

async function reachable(app: Fixture): Promise<Peer> {
  for (;;) {
    const peer = await Peer.to({ host: '127.0.0.1', port: app.port }).catch(() => undefined);
    if (peer) return peer;
  }
}

describe('the master', () => {
  const crash = async (program: Program) => {
    const pids = (await program.status()).processes.map(({ pid }) => pid);
    program.signal('SIGKILL');
    await eventually(() => !pids.some(isAlive), 'the end of all processes');
  };

  it('killed with -9 takes its processes with it, and the port is free for the next one', async () => {
    const app = await fixture();
    await crash(await start(app.file));
    await expect(ask(app, 'pid')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await start(app.file);
    expect(await ask(app, 'version')).toBe('one');
  });

  it('killed with -9 while a process is blocked gets its port back when that process looks up', async () => {
    const app = await fixture(TALKER.replace('count: 2', 'count: 1'));
    const program = await start(app.file);
    const peer = await Peer.to({ host: '127.0.0.1', port: app.port });
    peer.send('block 1000\n');
    await program.status();
    const [pid = 0] = (await program.status()).processes.map((each) => each.pid);
    program.signal('SIGKILL');
    await start(app.file);
    await eventually(() => !isAlive(pid));
  });
});
