import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Gateway } from '../src/gateway/gateway.ts';
import { makeRoom } from '../src/unix-socket.ts';
import { deadSocket } from './support/dead-socket.ts';
import { Fixture, TALKER } from './support/fixture.ts';
import { endPrograms, longshore, Program } from './support/program.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'longshore-sockets-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
afterAll(endPrograms);

describe('room for a unix socket', () => {
  it('is there where nothing is, also without the folder', async () => {
    expect(await makeRoom(join(folder, 'a'))).toBe(true);
    expect(await makeRoom(join(folder, 'no', 'a'))).toBe(true);
  });

  it('is made where nobody listens any more, by many at once', async () => {
    const path = join(folder, 'a');
    await deadSocket(path);
    expect(existsSync(path)).toBe(true);
    const all = await Promise.all(Array.from({ length: 20 }, () => makeRoom(path)));
    expect([new Set(all), existsSync(path)]).toEqual([new Set([true]), false]);
  });

  it('is not made where somebody listens', async () => {
    const path = join(folder, 'a');
    const server = createServer().listen({ path });
    expect([await makeRoom(path), existsSync(path)]).toEqual([false, true]);
    server.close();
  });

  it('is never made of a file', async () => {
    const path = join(folder, 'letters');
    writeFileSync(path, 'dear');
    await makeRoom(path);
    expect(readFileSync(path, 'utf8')).toBe('dear');
  });
});

describe('a program', () => {
  it('does not take the place of a file for its socket', async () => {
    using app = await Fixture.create(
      TALKER.replace('text://127.0.0.1:PORT', `unix://${folder}/letters`),
    );
    const path = join(folder, 'letters');
    writeFileSync(path, 'dear');
    const { code, stdout } = await longshore(['start', app.file]);
    expect([code, stdout]).toEqual([78, expect.stringContaining('letters is taken')]);
    expect(readFileSync(path, 'utf8')).toBe('dear');
  });

  it('that cannot start leaves no control socket behind', async () => {
    using app = await Fixture.create(TALKER.replace('127.0.0.1', '192.0.2.1'));
    const program = new Program(app.file, {});
    expect((await program.ended()).code).toBe(78);
    expect(readdirSync(program.runtimeDir)).toEqual([]);
  });
});

const GATEWAYS = `
  import { BusinessWorker, Gateway, Worker } from 'longshore';
  new Gateway('websocket://127.0.0.1:PORT', { name: 'gateway', count: 4 });
  new BusinessWorker({ name: 'business' });
  await Worker.runAll();
`;

const sockets = (): string[] => readdirSync(folder).filter((name) => name.startsWith('gateway-'));

describe('gateways of one machine', () => {
  it('sweep up what killed ones have left, all at once, and leave nothing themselves', async () => {
    for (let i = 0; i < 40; i += 1) await deadSocket(join(folder, `gateway-${4_000_000 + i}-1`));
    using app = await Fixture.create(GATEWAYS);
    const program = new Program(app.file, { LONGSHORE_RUNTIME_DIR: folder });
    await program.line(/started: 5 processes/);
    expect(sockets()).toHaveLength(4);
    program.signal('SIGINT');
    expect((await program.ended()).code).toBe(0);
    expect(sockets()).toEqual([]);
  }, 30_000);

  it('listen where a process of the same pid was killed, as in a container that starts again', async () => {
    const before = process.env['LONGSHORE_RUNTIME_DIR'];
    process.env['LONGSHORE_RUNTIME_DIR'] = folder;
    for (let i = 1; i < 20; i += 1) await deadSocket(join(folder, `gateway-${process.pid}-${i}`));
    const gateway = new Gateway('websocket://127.0.0.1:0', {});
    await gateway.listen();
    expect(gateway.innerAddress).toMatch(/gateway-\d+-\d+$/);
    await gateway.unlisten();
    process.env['LONGSHORE_RUNTIME_DIR'] = before;
    if (before === undefined) delete process.env['LONGSHORE_RUNTIME_DIR'];
  });
});
