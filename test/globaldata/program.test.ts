import { afterAll, expect, it } from '@jest/globals';
import { Fixture } from '../support/fixture.ts';
import { CLEAN, endPrograms, start } from '../support/program.ts';

afterAll(endPrograms);

const PROGRAM = `
  import { GlobalDataClient, Worker } from 'longshore';
  const worker = new Worker({ name: 'worker', count: 3 });
  worker.onWorkerStart = async () => {
    const data = new GlobalDataClient();
    const count = await data.increment('started');
    await data.set('last', { id: worker.id, at: 'x'.repeat(1000) });
    console.log('number ' + count);
  };
  await Worker.runAll();
`;

it('a client without an address uses a server that the master runs, and shares it with all processes', async () => {
  using app = await Fixture.create(PROGRAM);
  const running = await start(app.file, { LONGSHORE_ADMIN: '127.0.0.1:0' });
  for (const number of [1, 2, 3]) await running.line(new RegExp(`number ${number}$`, 'm'));
  const { workers, admin } = await running.status();
  const server = workers.find(({ name }) => name === 'GlobalDataServer');
  expect(server?.listening).toMatch(/^unix:/);
  // A reload leaves it alone: what it has is there afterwards.
  expect((await running.command('reload', app.file)).code).toBe(0);
  for (const number of [4, 5, 6]) await running.line(new RegExp(`number ${number}$`, 'm'));
  const metrics = async () => (await fetch(`http://${admin}/metrics`)).text();
  const sample = (text: string, name: string) =>
    Number(new RegExp(`^longshore_globaldata_${name} (.*)$`, 'm').exec(text)?.[1]);
  let text = await metrics();
  while (sample(text, 'operations_total') < 12 || sample(text, 'keys') < 2) text = await metrics();
  expect([sample(text, 'operations_total'), sample(text, 'refused_total')]).toEqual([12, 0]);
  expect([sample(text, 'keys'), sample(text, 'file_bytes')]).toEqual([2, 0]);
  expect(sample(text, 'bytes')).toBeGreaterThan(1000);
  expect(await running.stop()).toEqual(CLEAN);
}, 30_000);

it("a program's own server is the one that is meant", async () => {
  using app = await Fixture.create(
    PROGRAM.replace(
      'const worker',
      "new GlobalDataServer('127.0.0.1:PORT');\n  const worker",
    ).replace('{ GlobalDataClient', '{ GlobalDataClient, GlobalDataServer'),
  );
  const running = await start(app.file);
  for (const number of [1, 2, 3]) await running.line(new RegExp(`number ${number}$`, 'm'));
  const { workers } = await running.status();
  const servers = workers.filter(({ name }) => name === 'GlobalDataServer');
  expect(servers.map(({ listening }) => listening)).toEqual([`tcp://127.0.0.1:${app.port}`]);
  expect(await running.stop()).toEqual(CLEAN);
}, 30_000);
