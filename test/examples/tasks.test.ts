import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { CLEAN, endPrograms, freePort, start } from '../support/program.ts';

jest.setTimeout(60_000);
afterAll(endPrograms);

type Result = { below: number; primes: number; process: number };

describe('the tasks example', () => {
  it('answers with what its task processes have found out, and stops cleanly', async () => {
    const [port, taskPort] = [await freePort(), await freePort()];
    const env = { PORT: `${port}`, TASK_PORT: `${taskPort}`, COUNT: '2' };
    const program = await start('examples/tasks.ts', env);
    const count = async (below: number | string) =>
      fetch(`http://127.0.0.1:${port}/?below=${below}`);

    const table = [
      [0, 0],
      [10, 4],
      [100, 25],
      [1_000_000, 78_498],
    ] as const;
    const answers = await Promise.all(table.map(async ([below]) => (await count(below)).json()));
    expect(answers).toEqual(
      table.map(([below, primes]) => ({ below, primes, process: expect.any(Number) })),
    );

    for (const wrong of ['-1', '1e9', '2.5', 'many']) {
      expect((await count(wrong)).status).toBe(400);
    }

    const { processes } = await program.status();
    const tasks = processes.filter(({ worker_name }) => worker_name === 'tasks');
    const seen = new Set<number>();
    while (seen.size < 2) seen.add(((await (await count(10)).json()) as Result).process);
    expect([...seen].sort()).toEqual(tasks.map(({ pid }) => pid).sort());
    expect(await program.stop()).toEqual(CLEAN);
  });
});
