import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { digest } from '../../src/digest.ts';
import type { Status } from '../../src/master/status.ts';
import { Fixture, TALKER } from '../support/fixture.ts';
import { Peer } from '../support/peer.ts';
import { endPrograms, longshore, start } from '../support/program.ts';
import { ask } from '../support/talk.ts';

/** A folder as Kubernetes mounts a ConfigMap: files are links into `..data`, which is itself a link that is swapped. */
class Mounted {
  readonly #app: Fixture;
  #version = 0;

  constructor(app: Fixture) {
    this.#app = app;
  }

  get folder(): string {
    return join(this.#app.folder, 'mount');
  }

  /** Puts a program there at once. */
  put(source: string): string {
    this.#version += 1;
    const data = `..data_${this.#version}`;
    mkdirSync(join(this.folder, data), { recursive: true });
    const text = source.replaceAll('PORT', String(this.#app.port));
    writeFileSync(join(this.folder, data, 'app.ts'), text);
    symlinkSync(data, join(this.folder, '..data_tmp'));
    renameSync(join(this.folder, '..data_tmp'), join(this.folder, '..data'));
    if (this.#version === 1) symlinkSync('..data/app.ts', join(this.folder, 'app.ts'));
    return digest({ 'app.ts': readFileSync(join(this.folder, 'app.ts')) });
  }
}

const TWO = TALKER.replace("version = 'one'", "version = 'two'");
const fixtures: Fixture[] = [];

afterEach(async () => {
  await endPrograms();
  for (const each of fixtures.splice(0)) each[Symbol.dispose]();
});

async function mounted(env: Record<string, string> = {}) {
  const app = await Fixture.create(TALKER);
  fixtures.push(app);
  const mount = new Mounted(app);
  const one = mount.put(TALKER);
  const file = join(mount.folder, 'app.ts');
  return { app, mount, one, file, program: await start(file, env) };
}

async function reloaded(program: Awaited<ReturnType<typeof start>>, id: number): Promise<Status> {
  for (;;) {
    const status = await program.status();
    if (status.reload && status.reload.id >= id && status.reload.state !== 'running') return status;
  }
}

describe('code that is mounted from a ConfigMap', () => {
  it('is named by its digest, and a reload for code that is not there yet waits', async () => {
    const { app, mount, one, program } = await mounted();
    expect((await program.status()).code).toBe(one);
    await expect(program.call('POST', '/reload', { code: '0123456789abcdef' })).rejects.toThrow(
      `409 the mounted code is ${one}, not yet 0123456789abcdef`,
    );
    const two = mount.put(TWO);
    // Mounted is not loaded.
    expect((await program.status()).code).toBe(one);
    const { id } = (await program.call('POST', '/reload', { code: two })) as { id: number };
    expect((await reloaded(program, id)).code).toBe(two);
    expect(await ask(app, 'version')).toBe('two');
  });

  it('that does not start is not called loaded', async () => {
    const { app, mount, one, program } = await mounted();
    const broken = mount.put(TALKER.replace("version = 'one'", 'version = '));
    const { id } = (await program.call('POST', '/reload', { code: broken })) as { id: number };
    const status = await reloaded(program, id);
    expect(status).toMatchObject({ code: one, reload: { state: 'failed' } });
    expect(await ask(app, 'version')).toBe('one');
  });

  it('leaves the command able to find the program', async () => {
    const { mount, file, program } = await mounted();
    mount.put(TWO);
    const { code, stdout } = await longshore(['reload', file], {
      LONGSHORE_RUNTIME_DIR: program.runtimeDir,
    });
    expect([code, stdout]).toEqual([0, 'reloaded: 2 processes replaced\n']);
  });
});

describe('a reload with other workers', () => {
  it('changes their number, and the number stays through the next reload', async () => {
    const { program } = await mounted();
    const workers = [{ name: 'talker', count: 3 }];
    const { id } = (await program.call('POST', '/reload', { workers })) as { id: number };
    const { processes } = await reloaded(program, id);
    expect(processes.map(({ worker_id }) => worker_id)).toEqual([0, 1, 2]);
    const again = (await program.call('POST', '/reload', {})) as { id: number };
    expect((await reloaded(program, again.id)).processes).toHaveLength(3);
  }, 20_000);

  it('takes them from a file at start', async () => {
    const app = await Fixture.create(TALKER);
    fixtures.push(app);
    const file = join(app.folder, 'workers.json');
    writeFileSync(file, '[{"name":"talker","count":1}]');
    const program = await start(app.file, { LONGSHORE_WORKERS: file });
    expect((await program.status()).processes).toHaveLength(1);
  });
});

describe('limits from outside', () => {
  it('count instead of those of the program', async () => {
    const app = await Fixture.create(TALKER.replace('count: 2', 'count: 1'));
    fixtures.push(app);
    await start(app.file, { LONGSHORE_LIMITS: '{"maxConnections":1}' });
    const first = await Peer.to({ host: '127.0.0.1', port: app.port });
    expect(await first.send('echo a\n').line()).toBe('a');
    const second = await Peer.to({ host: '127.0.0.1', port: app.port });
    await second.end();
  });

  it('that are none end the start', async () => {
    const app = await Fixture.create(TALKER);
    fixtures.push(app);
    const { code, stdout } = await longshore(['start', app.file], {
      LONGSHORE_LIMITS: '{"maxConnections":-1}',
    });
    expect([code, stdout]).toEqual([
      78,
      expect.stringMatching(/LONGSHORE_LIMITS: limits.maxConnections is -1, allowed: 0 to/),
    ]);
  });
});
