import { afterAll, afterEach, expect, it, jest } from '@jest/globals';
import { endChannelClients, Servers, until } from '../support/channel-servers.ts';
import { CLEAN, endPrograms } from '../support/program.ts';

jest.setTimeout(90_000);
afterEach(endChannelClients);
afterAll(endPrograms);

const QUEUES = Array.from({ length: 12 }, (_, i) => `queue:${i}`);

it('jobs of queues are done, each of them, while three servers are replaced one after the other', async () => {
  using servers = await Servers.three();
  const done = new Map<string, number>();
  for (let i = 0; i < 3; i += 1) {
    const consumer = await servers.client();
    for (const queue of QUEUES)
      consumer.watch(queue, async (job) => {
        // Some take a while, so that a server goes while they are under way.
        if ((job as number) % 10 === 0) await new Promise((next) => setTimeout(next, 20));
        const key = `${queue} ${job}`;
        done.set(key, (done.get(key) ?? 0) + 1);
      });
  }
  const producer = await servers.client();
  let refused = 0;
  producer.onRefused = ({ count }) => {
    refused += count;
  };
  let sent = 0;
  const timer = setInterval(() => {
    for (const queue of QUEUES) if (producer.enqueue(queue, sent) === false) refused += 1;
    sent += 1;
  }, 10);
  await until(() => done.size > 100, 'jobs are done');
  for (const i of [0, 1, 2]) {
    expect(await servers.programs[i]?.stop('SIGTERM')).toEqual(CLEAN);
    await servers.start(i);
    const before = done.size;
    await until(() => done.size > before + 500, 'it goes on');
  }
  clearInterval(timer);
  await until(() => done.size === sent * QUEUES.length, 'all are done').catch(() => {});
  const twice = [...done.values()].filter((times) => times > 1).length;
  console.log(`${done.size} jobs of ${sent * QUEUES.length} done, ${twice} of them more than once`);
  // At least once, and a planned replacement needs no more than that for the few that were under way.
  expect([done.size, refused]).toEqual([sent * QUEUES.length, 0]);
  expect(twice / done.size).toBeLessThan(0.01);
  await servers.end();
});
