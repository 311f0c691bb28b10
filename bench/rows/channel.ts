import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { contestants, duel, duelLine, type Score } from '../duel.ts';
import type { Effort } from '../effort.ts';
import { type Bound, type Line, median, spreadOf } from '../figures.ts';
import type { Latency } from '../load/latency.ts';
import { Load } from '../load.ts';
import { Longshore, type Server, startOn } from '../server.ts';

const SUBSCRIBERS = 32;
const LOAD = `channel to ${SUBSCRIBERS}`;
const VERSUS = 'Redis';

/** How many are published at once, and what must be reached. */
type Case = { readonly inFlight: number; readonly bound: Bound };

const CASES: readonly Case[] = [
  { inFlight: 1, bound: { atLeast: 0.5 } },
  { inFlight: 16, bound: { atLeast: 0.5 } },
];

const keyOf = (inFlight: number, what: string): string =>
  `channel${inFlight === 1 ? '' : inFlight}-${what}`;
const loadOf = (inFlight: number): string => `${LOAD}, ${inFlight} in flight`;

/** One publishes on a channel, 32 hear it: our channel server beside Redis. */
export async function channel(effort: Effort): Promise<Line[]> {
  const version = redisVersion();
  const lines: Line[] = [];
  for (const each of CASES)
    lines.push(...(version === undefined ? skipped(each) : await besideRedis(each, effort)));
  return lines;
}

async function besideRedis({ inFlight, bound }: Case, effort: Effort): Promise<Line[]> {
  await using ours = await Longshore.start('bench/servers/channel.ts');
  await using theirs = await startRedis();
  using load = new Load();
  const order = { do: 'topic', subscribers: SUBSCRIBERS, inFlight } as const;
  const sides = await contestants(load, [
    { pid: ours.pid, order: { ...order, port: ours.port, dialect: 'channel' } },
    { pid: theirs.pid, order: { ...order, port: theirs.port, dialect: 'redis' } },
  ]);
  const [own, other] = await duel(sides, effort);
  const what = loadOf(inFlight);
  const about = { key: keyOf(inFlight, 'redis'), load: `${what}, beside ${VERSUS}`, bound };
  return [duelLine({ ...about, versus: VERSUS }, own, other), late(inFlight, own, other)];
}

/** How long it took until a subscriber had it. */
function late(inFlight: number, own: Score | undefined, other: Score | undefined): Line {
  const [ours, theirs] = [own, other].map((score) => score?.latencies ?? []);
  return {
    key: keyOf(inFlight, 'p99'),
    load: `${loadOf(inFlight)}: p99 latency`,
    unit: 'us',
    value: spreadOf((ours ?? []).map(({ p99 }) => p99)),
    detail: `${latencyText(ours ?? [])} : ${latencyText(theirs ?? [])} us, p50 / p99`,
  };
}

function latencyText(all: readonly Latency[]): string {
  const [p50, p99] = [all.map((each) => each.p50), all.map((each) => each.p99)].map(median);
  return `${p50?.toFixed(0)} / ${p99?.toFixed(0)}`;
}

function skipped({ inFlight, bound }: Case): Line[] {
  const why = { value: undefined, detail: 'redis-server is not installed' };
  const load = loadOf(inFlight);
  const key = keyOf(inFlight, 'redis');
  return [
    { key, load: `${load}, beside ${VERSUS}`, unit: 'x', bound, ...why },
    { key: keyOf(inFlight, 'p99'), load: `${load}: p99 latency`, unit: 'us', ...why },
  ];
}

/** `undefined`: there is none on this machine. */
export function redisVersion(): string | undefined {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return /v=(\S+)/.exec(stdout ?? '')?.[1];
}

/** Redis as it comes, but for what it would write to the disk. */
async function startRedis(): Promise<Server> {
  const port = await freePort();
  // It would take 127.0.0.2, where our clients come from too, for a foreign machine.
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--protected-mode', 'no'];
  const keeps = ['--save', '', '--appendonly', 'no'];
  return startOn(port, ['redis-server', ...place, ...keeps], /(Ready to accept) connections/);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
