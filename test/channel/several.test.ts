import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import type { ChannelClient } from '../../src/channel/client.ts';
import { endChannelClients, Servers, until } from '../support/channel-servers.ts';
import { CLEAN, endPrograms, type Program } from '../support/program.ts';

jest.setTimeout(90_000);
afterEach(endChannelClients);
afterAll(endPrograms);

/** What a subscriber hears of numbered events on one channel. */
class Ear {
  last = 0;
  lost = 0;
  doubled = 0;
  readonly gaps: string[] = [];

  hear(number: number): void {
    // What was published before it was subscribed is nothing to it.
    if (this.last === 0) this.last = number;
    else if (number <= this.last) this.doubled += 1;
    else this.lost += number - this.last - 1;
    this.last = Math.max(this.last, number);
  }
}

/** Publishers and subscribers of numbered events on many channels, of two kinds: with history and without. */
class Load {
  readonly names: readonly string[];
  readonly ears: Map<string, Ear>[] = [];
  readonly recoveries: { subscriber: number; channel: string; recovered: boolean }[] = [];
  readonly #numbers = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined = undefined;
  refused = 0;

  constructor(kind: 'kept' | 'plain', channels: number) {
    this.names = Array.from({ length: channels }, (_, i) => `${kind}:${i}`);
  }

  listen(client: ChannelClient): void {
    const ears = new Map(this.names.map((name) => [name, new Ear()]));
    const subscriber = this.ears.push(ears) - 1;
    for (const [name, ear] of ears) client.on(name, (number) => ear.hear(number as number));
    client.onRecovery = (recovery) => this.recoveries.push({ subscriber, ...recovery });
  }

  /** Each publisher has its own channels, so that the numbers of one are in order. */
  talk(publishers: readonly ChannelClient[]): void {
    this.#timer = setInterval(() => {
      for (const [i, name] of this.names.entries()) {
        const number = (this.#numbers.get(name) ?? 0) + 1;
        const sent = publishers[i % publishers.length]?.publish(name, number);
        if (sent === false) this.refused += 1;
        else this.#numbers.set(name, number);
      }
    }, 5);
  }

  hush(): void {
    clearInterval(this.#timer);
  }

  get sent(): number {
    return [...this.#numbers.values()].reduce((sum, each) => sum + each, 0);
  }

  /** All that every subscriber lacks at the end, whether others came after it or not. */
  get lost(): number {
    return this.#sum((ear, name) => ear.lost + (this.#numbers.get(name) ?? 0) - ear.last);
  }

  get doubled(): number {
    return this.#sum((ear) => ear.doubled);
  }

  get behind(): number {
    return this.#sum((ear, name) => (this.#numbers.get(name) ?? 0) - ear.last);
  }

  /** Subscriptions that have heard nothing yet. */
  get deaf(): number {
    return this.#sum(({ last }) => (last === 0 ? 1 : 0));
  }

  /** What is wrong, for a person. */
  *faults(): Iterable<string> {
    for (const [i, ears] of this.ears.entries())
      for (const [name, { last, lost, doubled }] of ears) {
        const end = this.#numbers.get(name) ?? 0;
        if (lost + doubled + end - last > 0)
          yield `${name} at subscriber ${i}: ${lost} lost, ${doubled} doubled, ${last} of ${end}`;
      }
  }

  #sum(of: (ear: Ear, name: string) => number): number {
    let sum = 0;
    for (const ears of this.ears) for (const [name, ear] of ears) sum += of(ear, name);
    return sum;
  }
}

async function scene(servers: Servers, kind: 'kept' | 'plain'): Promise<Load> {
  const load = new Load(kind, 60);
  for (let i = 0; i < 3; i += 1) load.listen(await servers.client());
  const publishers = [await servers.client(), await servers.client()];
  load.talk(publishers);
  await until(() => load.deaf === 0, 'all hear');
  return load;
}

describe('three channel servers', () => {
  it.each(['kept', 'plain'] as const)(
    'are replaced one after the other under load; of channels of the kind "%s"',
    async (kind) => {
      using servers = await Servers.three();
      const load = await scene(servers, kind);
      for (const i of [0, 1, 2]) {
        expect(await servers.programs[i]?.stop('SIGTERM')).toEqual(CLEAN);
        await servers.start(i);
        const { sent } = load;
        await until(() => load.sent > sent + 3000, 'it goes on');
      }
      load.hush();
      await until(() => load.behind === 0, 'all has come').catch(() => {});
      const { sent, lost, doubled, refused } = load;
      console.log(`${kind}: ${sent} events to 3 subscribers, ${lost} lost, ${doubled} doubled`);
      expect(servers.output).not.toMatch(/not everything|error/);
      expect(refused).toBe(0);
      if (kind === 'kept') {
        expect([...load.faults()]).toEqual([]);
        expect(load.recoveries.filter(({ recovered }) => !recovered)).toEqual([]);
      } else {
        // At most once: little is lost, and nothing is promised.
        expect((lost + doubled) / (3 * sent)).toBeLessThan(0.05);
      }
      await servers.end();
    },
  );

  it('tell of the gap when one of them is killed, and go on when it is back', async () => {
    using servers = await Servers.three();
    const load = await scene(servers, 'kept');
    const killed = servers.programs[1] as Program;
    const { processes } = await killed.status();
    killed.signal('SIGKILL');
    for (const { pid } of processes) process.kill(pid, 'SIGKILL');
    await killed.end();
    const down = load.ears.map(
      (ears) => new Map([...ears].map(([name, { last }]) => [name, last])),
    );
    await servers.start(1);
    const ms = await until(
      () =>
        load.ears.every((ears, i) => [...ears].every(([n, e]) => e.last > (down[i]?.get(n) ?? 0))),
      'all hear again',
    );
    load.hush();
    await until(() => load.behind === 0, 'all has come');
    const told = new Set(
      load.recoveries
        .filter(({ recovered }) => !recovered)
        .map(({ subscriber, channel }) => `${channel} at subscriber ${subscriber}`),
    );
    console.log(
      `all channels are back ${ms.toFixed(0)} ms after the server; ${told.size} gaps told`,
    );
    expect(told.size).toBeGreaterThan(0);
    // Never a silent gap.
    for (const fault of load.faults())
      expect([...told]).toContain(fault.split(':').slice(0, 2).join(':'));
    expect(load.doubled).toBe(0);
    await servers.end();
  });
});
