import { once } from 'node:events';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it, jest } from '@jest/globals';
import { Fixture } from '../support/fixture.ts';
import { OtherHost } from '../support/other-host.ts';
import { endPrograms, freePort, type Program, start } from '../support/program.ts';

/** How long every packet between the two hosts is lost. */
const CUT_MS = Number(process.env['CUT_MS'] ?? 30_000);
/** Longest that anything may take afterwards: signs of life that are due, and a reconnect with its jitter. */
const AFTER_MS = 60_000;
const CLIENTS = 40;
const PER_SECOND = 5;

jest.setTimeout(CUT_MS + 2 * AFTER_MS);
afterAll(endPrograms);

const COUNTED = /^longshore_gateway_events_maybe_lost_total\{.*\} (\d+)$/m;

/** A channel server and gateway with a publisher, on this host. */
const SERVERS = `
  import { ChannelClient, ChannelServer, Gateway, Timer, Worker } from 'longshore';
  const history = [{ channels: 'kept:*', size: 10_000, seconds: 300 }];
  new ChannelServer('HERE:CHANNEL');
  new Gateway('text://127.0.0.1:PORT', { name: 'gateway', inner: 'HERE:INNER' });
  const source = new Worker('text://127.0.0.1:SOURCE', { name: 'source' });
  source.onWorkerStart = () => {
    const channel = new ChannelClient('HERE:CHANNEL', { history });
    channel.connect();
    let number = 0;
    Timer.add(0.02, () => channel.publish('kept:ticks', (number += 1)));
  };
  await Worker.runAll();
`;

/** A BusinessWorker that says where it is, and what its ChannelClient hears; on either host. */
const OTHERS = `
  import { BusinessWorker, ChannelClient, Worker } from 'longshore';
  const history = [{ channels: 'kept:*', size: 10_000, seconds: 300 }];
  const business = new BusinessWorker({ name: 'business', gateways: ['HERE:INNER'] });
  business.onMessage = (client, message) => client.send(process.env.PLACE + ' ' + message);
  business.onWorkerStart = () => {
    const channel = new ChannelClient('HERE:CHANNEL', { history });
    let last = 0;
    channel.on('kept:ticks', (number) => {
      if (last > 0 && number !== last + 1) console.log('WRONG ' + number + ' after ' + last);
      last = number;
      if (number % 50 === 0) console.log('HEARD ' + number);
    });
    channel.onRecovery = ({ recovered, missed }) => console.log('RECOVERY ' + recovered + ' ' + missed);
    channel.connect();
  };
  await Worker.runAll();
`;

/** A client of the gateway that numbers what it says, and notes who answered what. */
class Caller {
  readonly answers: { place: string; number: number }[] = [];
  said = 0;
  closed = false;
  readonly #socket;

  constructor(port: number) {
    this.#socket = createConnection(port, '127.0.0.1');
    this.#socket.on('close', () => {
      this.closed = true;
    });
    createInterface({ input: this.#socket }).on('line', (line) => {
      const [place = '', number] = line.split(' ');
      this.answers.push({ place, number: Number(number) });
    });
  }

  say(): void {
    this.said += 1;
    this.#socket.write(`${this.said}\n`);
  }

  get last(): { place: string; number: number } | undefined {
    return this.answers.at(-1);
  }

  async end(): Promise<void> {
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }
}

const programs: Program[] = [];

/** The last number that a program has heard on its channel. */
function heard({ output }: Program): number {
  return Number(output.match(/HEARD (\d+)(?![\s\S]*HEARD)/)?.[1] ?? 0);
}

async function within(ms: number, what: string, good: () => boolean): Promise<number> {
  const began = performance.now();
  while (!good()) {
    if (performance.now() - began > ms)
      throw new Error(
        `${what}: not within ${ms / 1000} s\n${programs.map(({ output }) => output).join('\n')}`,
      );
    await sleep(20);
  }
  return performance.now() - began;
}

const host = OtherHost.create();
const onTwoHosts = typeof host === 'string' ? it.skip : it;

onTwoHosts(
  `two hosts that lose every packet between them for ${CUT_MS / 1000} s find together again`,
  async () => {
    using other = host as OtherHost;
    const [channel, inner, source] = [await freePort(), await freePort(), await freePort()];
    const filled = (text: string) =>
      text
        .replaceAll('HERE', other.here)
        .replaceAll('CHANNEL', `${channel}`)
        .replaceAll('INNER', `${inner}`)
        .replaceAll('SOURCE', `${source}`);
    using servers = await Fixture.create(filled(SERVERS));
    using others = await Fixture.create(filled(OTHERS));
    const open = { LONGSHORE_SECRET: 'known to all' };
    const admin = `127.0.0.1:${await freePort()}`;
    programs.push(await start(servers.file, { ...open, LONGSHORE_ADMIN: admin }));
    const here = await start(others.file, { ...open, PLACE: 'here' });
    const there = await start(others.file, { ...open, PLACE: 'there' }, other.prefix);
    programs.push(here, there);
    await within(AFTER_MS, 'both hear', () => heard(here) > 0 && heard(there) > 0);

    const callers = Array.from({ length: CLIENTS }, () => new Caller(servers.port));
    const talking = setInterval(() => {
      for (const each of callers) each.say();
    }, 1000 / PER_SECOND);
    await within(AFTER_MS, 'all are answered', () => callers.every(({ last }) => last));
    const far = callers.filter(({ last }) => last?.place === 'there');
    expect(far.length).toBe(CLIENTS / 2);

    other.cut();
    await sleep(CUT_MS);
    const [missedFrom, saidBefore] = [heard(there), callers[0]?.said ?? 0];
    other.heal();
    const now = heard(here);
    expect(now - missedFrom).toBeGreaterThan(CUT_MS / 40);
    const events = await within(AFTER_MS, 'the channel is whole', () => heard(there) >= now);
    const answers = await within(AFTER_MS, 'all are answered again', () =>
      callers.every(({ last }) => (last?.number ?? 0) > saidBefore),
    );
    clearInterval(talking);
    await within(AFTER_MS, 'the last answer', () =>
      callers.every(({ last, said }) => last?.number === said),
    );
    console.log(
      `after ${CUT_MS / 1000} s: events whole in ${(events / 1000).toFixed(1)} s, answers ` +
        `${((events + answers) / 1000).toFixed(1)} s; ${lostOf(callers)} messages lost`,
    );
    expect(here.output).not.toMatch(/WRONG|RECOVERY/);
    expect(there.output).not.toMatch(/WRONG|RECOVERY false/);
    for (const { answers, closed } of callers) {
      expect(closed).toBe(false);
      // In order, and none twice.
      const numbers = answers.map(({ number }) => number);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    }
    // Lost is only what the cut had under way, and the gateway has counted it.
    for (const { answers, said } of callers.filter((each) => !far.includes(each)))
      expect(answers.length).toBe(said);
    const metrics = async () => (await fetch(`http://${admin}/metrics`)).text();
    let counted = 0;
    // Processes report once a second.
    for (const end = Date.now() + 5000; counted < lostOf(callers) && Date.now() < end; )
      counted = Number(COUNTED.exec(await metrics())?.[1] ?? 0);
    expect(counted).toBeGreaterThanOrEqual(lostOf(callers));
    // Signs of life are missed within seconds; from then on messages wait.
    expect(lostOf(callers) / far.length / PER_SECOND).toBeLessThan(15);
    await Promise.all(callers.map((each) => each.end()));
  },
);

function lostOf(callers: readonly Caller[]): number {
  return callers.reduce((sum, { said, answers }) => sum + said - answers.length, 0);
}
