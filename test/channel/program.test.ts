import { afterAll, describe, expect, it } from '@jest/globals';
import { Fixture } from '../support/fixture.ts';
import { CLEAN, endPrograms, start } from '../support/program.ts';

afterAll(endPrograms);

const program = (server: string) => `
  import { ChannelClient, ChannelServer, Worker } from 'longshore';
  ${server}
  const worker = new Worker({ name: 'worker', count: 2 });
  worker.onWorkerStart = () => {
    const channel = new ChannelClient();
    channel.on('greeting', (data) => console.log(worker.id + ' heard ' + data));
    channel.connect();
    channel.onConnect = () => channel.publish('greeting', 'from ' + worker.id);
  };
  await Worker.runAll();
`;

describe('a client without an address', () => {
  it.each([
    ['a server that the master runs', '', /^unix:/, 0],
    [
      "the program's own server, where there is one",
      "new ChannelServer('127.0.0.1:PORT');",
      /^tcp:/,
      2,
    ],
  ])(
    'uses %s',
    async (_, server, listening, clients) => {
      using app = await Fixture.create(program(server));
      const running = await start(app.file);
      for (const id of [0, 1]) await running.line(new RegExp(`${id} heard from ${id}`));
      await running.line(/(0 heard from 1|1 heard from 0)/);
      const { workers, processes } = await running.status();
      const servers = workers.filter(({ name }) => name === 'ChannelServer');
      expect(servers.map((each) => each.listening)).toEqual([expect.stringMatching(listening)]);
      // What the program has opened itself, also to its companion, is no client of anybody.
      const all = processes.map((each) => [each.worker_name, each.connections, each.clients]);
      expect(all).toContainEqual(['ChannelServer', 2, clients]);
      expect(all).toContainEqual(['worker', 1, 0]);
      expect(await running.stop()).toEqual(CLEAN);
    },
    30_000,
  );
});
