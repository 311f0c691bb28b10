import type { Effort } from './effort.ts';
import { type Bound, type Line, ratios } from './figures.ts';
import type { Ran } from './load/flow.ts';
import type { Latency } from './load/latency.ts';
import type { Order } from './load/orders.ts';
import type { Load } from './load.ts';
import { cpuResolution, cpuSeconds } from './process-stats.ts';
import { grouped } from './report.ts';

/** One side of a duel: a server and the client that keeps it busy. */
export type Contestant = {
  readonly load: Load;
  /** Of all processes that serve. */
  readonly pid: number | readonly number[];
  readonly client: number;
};

/** Answers per second of the server's CPU time, and how much of a core it used; round by round. */
export type Score = {
  readonly rates: readonly number[];
  readonly cores: readonly number[];
  /** Where the clients look at that. */
  readonly latencies: readonly Latency[];
};

type Round = { readonly rate: number; readonly cores: number; readonly latency?: Latency };

/** What load generators can be told that makes a client. */
type Opening = Extract<Order, { do: 'flow' | 'fanout' | 'topic' }>;

/** Opens the clients of several servers in one load generator, which treats all alike. */
export async function contestants(
  load: Load,
  servers: readonly {
    readonly pid: number | readonly number[];
    readonly order: Opening;
  }[],
): Promise<Contestant[]> {
  const all: Contestant[] = [];
  for (const { pid, order } of servers) all.push({ load, pid, client: await load.tell(order) });
  return all;
}

/** Lets each work in turn, A B A B …, and closes their clients; gives the scores in the same order. */
export async function duel(sides: readonly Contestant[], effort: Effort): Promise<Score[]> {
  for (const { load, client } of sides) await load.tell({ do: 'run', client, ms: effort.warmUpMs });
  const rounds = sides.map((): Round[] => []);
  for (let i = 0; i < effort.rounds; i += 1)
    for (const [side, contestant] of sides.entries())
      rounds[side]?.push(await round(contestant, effort.roundMs));
  for (const { load, client } of sides) await load.tell({ do: 'close', client });
  return rounds.map((each) => ({
    rates: each.map(({ rate }) => rate),
    cores: each.map(({ cores }) => cores),
    latencies: each.flatMap(({ latency }) => latency ?? []),
  }));
}

async function round({ load, pid, client }: Contestant, ms: number): Promise<Round> {
  const cpu = () => [pid].flat().reduce((sum, each) => sum + cpuSeconds(each), 0);
  const before = cpu();
  const ran: Ran = await load.tell({ do: 'run', client, ms });
  const used = Math.max(cpu() - before, cpuResolution());
  const { latency } = ran;
  const scored = { rate: ran.answers / used, cores: (used * 1000) / ran.ms };
  return latency ? { ...scored, latency } : scored;
}

/** The line of a duel: how many times as much our side does with the same CPU time. */
export function duelLine(
  about: {
    readonly key: string;
    readonly load: string;
    readonly versus?: string;
    readonly bound?: Bound;
  },
  ours: Score | undefined,
  theirs: Score | undefined,
): Line {
  if (!ours || !theirs) throw new Error(`${about.key}: a side has no score`);
  const value = ratios(ours.rates, theirs.rates);
  const detail = `${rateOf(ours)} : ${rateOf(theirs)} per CPU-s`;
  return { ...about, unit: 'x', value, detail, scores: [ours, theirs] };
}

function rateOf({ rates }: Score): string {
  const sorted = [...rates].sort((a, b) => a - b);
  return grouped(sorted[sorted.length >> 1] as number);
}
