import { afterEach, describe, expect, it } from '@jest/globals';
import type { ChannelClient } from '../../../src/channel/client.ts';
import type { Recovery } from '../../../src/channel/engine.ts';
import { clientOf, endPlaces } from '../../support/channel-engines.ts';
import { type NatsServer, natsCluster, WHY_NOT } from '../../support/nats.ts';
import { Manager } from '../../support/nats-manager.ts';

afterEach(endPlaces);

const HISTORY = { history: [{ channels: 'room:*', size: 100_000, seconds: 300 }] };
const CHANNELS = ['room:a', 'room:b', 'room:c', 'room:d'];
const STREAM = 'LONGSHORE_100000_300';

/** Publishes 0, 1, 2 … on each channel until it is told to end. */
class Source {
  readonly name: string;
  readonly #client: ChannelClient;
  readonly counts: Map<string, number> = new Map(CHANNELS.map((channel) => [channel, 0]));
  #going = true;
  #ended: Promise<void>;

  constructor(name: string, client: ChannelClient) {
    this.name = name;
    this.#client = client;
    this.#ended = this.#run();
  }

  async #run(): Promise<void> {
    while (this.#going) {
      for (const [channel, count] of this.counts) {
        if (this.#client.publish(channel, `${this.name} ${count}`) !== false)
          this.counts.set(channel, count + 1);
      }
      await new Promise((next) => setTimeout(next, 2));
    }
  }

  async end(): Promise<void> {
    this.#going = false;
    await this.#ended;
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, each) => sum + each, 0);
  }
}

/** Listens to all channels and keeps what it heard, by channel and source. */
function listener(client: ChannelClient, id: number) {
  const heard = new Map<string, number[]>();
  const recoveries: Recovery[] = [];
  const stats = { count: 0, longestMs: 0, last: performance.now() };
  const probes = new Set(CHANNELS);
  client.onRecovery = (each) => recoveries.push(each);
  for (const channel of CHANNELS) {
    client.on(channel, (data) => {
      const [source = '', number = ''] = String(data).split(' ');
      if (source === 'probe') {
        // Of its own one at the latest it knows that it is subscribed.
        if (Number(number) === id) probes.delete(channel);
        return;
      }
      const key = `${channel} ${source}`;
      if (!heard.has(key)) heard.set(key, []);
      heard.get(key)?.push(Number(number));
      stats.count += 1;
      const now = performance.now();
      stats.longestMs = Math.max(stats.longestMs, now - stats.last);
      stats.last = now;
    });
  }
  for (const channel of CHANNELS) client.publish(channel, `probe ${id}`);
  return { heard, recoveries, stats, probes };
}

/** Whether everything of a source was heard, once and in order. */
function complete(heard: ReadonlyMap<string, readonly number[]>, source: Source): void {
  for (const [channel, count] of source.counts) {
    const expected = Array.from({ length: count }, (_, i) => i);
    expect(heard.get(`${channel} ${source.name}`)).toEqual(expected);
  }
}

/** How a server is taken away, and what is measured of it. */
const WAYS = [
  ['killed', 'SIGKILL'],
  ['stopped', 'SIGTERM'],
] as const;

describe('three nats-servers', () => {
  if (WHY_NOT) {
    it.skip(`are not tested: ${WHY_NOT}`, () => {});
    return;
  }

  it.each(WAYS)(
    'lose, double and mix up nothing when the one that leads is %s under load',
    async (_, signal) => {
      const servers = await natsCluster();
      const addresses = servers.map(({ address }) => address);
      await using manager = await Manager.of(...addresses);
      await manager.until(
        (jetstream) => jetstream.getAccountInfo(),
        () => true,
      );
      const clients = Array.from({ length: 5 }, () => clientOf(addresses.join(), HISTORY));
      for (const client of clients) client.connect();
      const listeners = clients.slice(0, 3).map(listener);
      const all = (count: number) => listeners.every(({ stats }) => stats.count >= count);
      const progress = async (count: number) => {
        while (!all(count)) await new Promise((next) => setTimeout(next, 10));
      };
      while (listeners.some(({ probes }) => probes.size > 0))
        await new Promise((next) => setTimeout(next, 10));
      const sources = clients.slice(3).map((client, i) => new Source(`s${i}`, client));
      await progress(500);
      const { cluster } = await manager.jetstream.streams.info(STREAM);
      const leads = servers[Number(cluster?.leader?.slice(1))] as NatsServer;
      for (const { stats } of listeners) stats.longestMs = 0;
      await leads.stop(signal);
      await progress(Math.max(...listeners.map(({ stats }) => stats.count)) + 1_500);
      await leads.start();
      await progress(Math.max(...listeners.map(({ stats }) => stats.count)) + 500);
      for (const source of sources) await source.end();
      const total = sources.reduce((sum, source) => sum + source.total, 0);
      await progress(total);
      for (const { heard } of listeners) for (const source of sources) complete(heard, source);
      const recoveries = listeners.flatMap((each) => each.recoveries);
      expect(recoveries.filter(({ recovered }) => !recovered)).toEqual([]);
      const pauses = listeners.map(({ stats }) => `${Math.round(stats.longestMs)} ms`);
      console.log(`${signal}: ${total} events to each of 3; longest pauses ${pauses.join(', ')}`);
    },
    120_000,
  );
});
