import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Fixture, TALKER } from '../support/fixture.ts';
import { eventually, Peer } from '../support/peer.ts';
import { CLEAN, endPrograms, start } from '../support/program.ts';
import { ask, toSlot } from '../support/talk.ts';

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

describe('a process', () => {
  it.each([
    [
      'killed with -9',
      async (peer: Peer) => process.kill(Number(await peer.send('pid\n').line()), 'SIGKILL'),
      '9',
    ],
    ['that exits with 3', async (peer: Peer) => peer.send('die 3\n'), '768'],
    ['with an uncaught error', async (peer: Peer) => peer.send('later\n'), '64000'],
    ['that calls Worker.stopAll', async (peer: Peer) => peer.send('recycle\n'), '0'],
  ])(
    '%s is replaced in its slot, counted, and the others do not notice',
    async (_, end, status) => {
      const app = await fixture();
      const program = await start(app.file);
      const other = await toSlot(app, 0);
      const before = (await program.status()).processes.map(({ pid }) => pid);
      await end(await toSlot(app, 1));
      await eventually(
        () => (program.output.match(/begin 1/g) ?? []).length === 2,
        'a new process',
      );
      expect(await other.send('id\n').line()).toBe('0');
      let after = await program.status();
      while (after.workers[0]?.exits[status] === undefined) after = await program.status();
      expect(after.workers[0]?.exits).toEqual({ [status]: 1 });
      expect(after.processes[0]?.pid).toBe(before[0]);
      expect(after.processes[1]?.pid).not.toBe(before[1]);
      (await toSlot(app, 1)).destroy();
      if (status === '64000')
        expect(program.output).toMatch(/uncaughtException: Error: planned later/);
      expect(await program.stop()).toEqual(CLEAN);
    },
  );

  it('that dies again and again is started with growing pauses, while the others serve', async () => {
    const app = await fixture(
      TALKER.replace(
        "said('begin');",
        "said('begin'); if (worker.id === 1) setTimeout(() => process.exit(1), 10);",
      ),
    );
    const program = await start(app.file);
    for (const pause of ['0.1', '0.2', '0.4', '0.8'])
      await program.line(
        new RegExp(`talker#1 ended with status 256; another one starts in ${pause} s`),
      );
    expect(await (await toSlot(app, 0)).send('echo here\n').line()).toBe('here');
    expect((await program.status()).processes[0]).toMatchObject({ worker_id: 0, state: 'ready' });
  });

  it('leaves signals of the terminal to the master', async () => {
    const app = await fixture();
    const program = await start(app.file);
    const pids = (await program.status()).processes.map(({ pid }) => pid);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'] as const)
      for (const pid of pids) process.kill(pid, signal);
    expect(await ask(app, 'echo still there')).toBe('still there');
    const { workers, processes } = await program.status();
    expect(processes.map(({ pid }) => pid)).toEqual(pids);
    expect(workers[0]?.exits).toEqual({});
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('that does not leave in time is killed', async () => {
    const never = "() => { said('stopping'); return new Promise(() => {}); };";
    const app = await fixture(TALKER.replace("() => said('stopping');", never));
    const program = await start(app.file);
    program.signal('SIGINT');
    expect(await program.ended()).toEqual({ code: 0, signal: null });
    expect(program.output).toMatch(/talker#0 had not ended after 5 s and is killed/);
  }, 20_000);

  it('lets handlers throw and goes on', async () => {
    const app = await fixture();
    const program = await start(app.file);
    const peer = await toSlot(app, 0);
    expect(await peer.send('throw\necho still here\n').line()).toBe('still here');
    const { processes } = await program.status();
    expect(processes[0]).toMatchObject({ throw_exception: 1, worker_id: 0 });
  });
});

describe('a crowd', () => {
  it('of 10,000 connections that come and are reset leaves nothing behind', async () => {
    const app = await fixture();
    const program = await start(app.file);
    const one = async (i: number) => {
      const socket = connect({
        host: '127.0.0.1',
        port: app.port,
        localAddress: `127.0.0.${2 + (i % 8)}`,
      });
      socket.on('error', () => {});
      await once(socket, 'connect');
      if (i % 2 === 0) socket.write('echo half a li');
      socket.resetAndDestroy();
    };
    for (let i = 0; i < 10_000; i += 250)
      await Promise.all(Array.from({ length: 250 }, (_, k) => one(i + k)));
    expect(await ask(app, 'echo alive')).toBe('alive');
    let sum = { connections: -1, accepted: 0 };
    while (sum.connections !== 0 || sum.accepted < 10_001) {
      const { processes } = await program.status();
      sum = processes.reduce(
        (all, each) => ({
          connections: all.connections + each.connections,
          accepted: all.accepted + each.accepted,
        }),
        { connections: 0, accepted: 0 },
      );
    }
    expect(sum).toEqual({ connections: 0, accepted: 10_001 });
  }, 60_000);

  it('of slow readers costs each its own limit and nobody else anything', async () => {
    const app = await fixture(`
      import { Worker } from 'longshore';
      const worker = new Worker('text://127.0.0.1:PORT', { maxSendBufferSize: 262144 });
      const big = 'x'.repeat(65_535);
      worker.onMessage = (connection, line) => {
        if (line === 'flood') for (let i = 0; i < 2000; i += 1) connection.send(big);
        else connection.send(line);
      };
      await Worker.runAll();
    `);
    const program = await start(app.file);
    const slow = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const peer = await Peer.to({ host: '127.0.0.1', port: app.port });
        peer.socket.pause();
        peer.send('flood\n');
        return peer;
      }),
    );
    const good = await Peer.to({ host: '127.0.0.1', port: app.port });
    for (let i = 0; i < 50; i += 1) expect(await good.send(`${i}\n`).line()).toBe(String(i));
    let status = (await program.status()).processes[0];
    while ((status?.send_fail ?? 0) < 20 * 1800) status = (await program.status()).processes[0];
    // 2.6 GB were sent; what waits is bounded by 20 times the limit and one message more.
    expect(status?.send_buffer).toBeLessThanOrEqual(20 * (262_144 + 65_536));
    for (const peer of slow) peer.destroy();
  }, 30_000);
});
