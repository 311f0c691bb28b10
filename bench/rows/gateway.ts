import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayClient } from '../../src/gateway/client.ts';
import { contestants, duel, duelLine, type Score } from '../duel.ts';
import type { Effort } from '../effort.ts';
import { type Line, median, spreadOf } from '../figures.ts';
import { Load } from '../load.ts';
import { cpuSeconds, residentKb } from '../process-stats.ts';
import { grouped } from '../report.ts';
import { Longshore } from '../server.ts';
import { echo, FLOWS } from './flow.ts';

const PROGRAM = 'bench/servers/gateway.ts';
/** Groups of each client, and clients of each group. */
const GROUPS = 20;
const MEMBERS = 2;
/** Calls after which it is waited until the gateway has them. */
const PORTION = 500;

/** Echo through a gateway and a BusinessWorker beside echo by a plain Worker: what the hop costs. */
export async function gateway(effort: Effort): Promise<Line[]> {
  await using behind = await Longshore.start(PROGRAM);
  await using plain = await echo('websocket');
  using load = new Load();
  const { processes } = await behind.status();
  const pids = processes.map(({ pid }) => pid);
  const lines: Line[] = [];
  for (const active of [1, effort.busy]) {
    const order = { ...FLOWS.websocket, active, timed: true };
    const sides = await contestants(load, [
      { pid: pids, order: { ...order, port: behind.port } },
      { pid: plain.pid, order: { ...order, port: plain.port } },
    ]);
    const [hop, direct] = await duel(sides, effort);
    lines.push(...hopLines(active, hop, direct));
  }
  return lines;
}

function hopLines(active: number, hop: Score | undefined, direct: Score | undefined): Line[] {
  const clients = `${active} client${active === 1 ? '' : 's'}`;
  const key = `gateway${active === 1 ? '-one' : ''}`;
  const load = `echo through a gateway, ${clients}, beside a Worker`;
  const of = (score: Score | undefined, which: 'p50' | 'p99') =>
    (score?.latencies ?? []).map((each) => each[which]);
  const text = (score: Score | undefined) =>
    `${median(of(score, 'p50')).toFixed(0)} / ${median(of(score, 'p99')).toFixed(0)}`;
  const added = of(hop, 'p99').map((each, i) => each - (of(direct, 'p99')[i] ?? 0));
  return [
    duelLine({ key, load }, hop, direct),
    {
      key: `${key}-p99`,
      load: `echo through a gateway, ${clients}: added p99`,
      unit: 'us',
      value: spreadOf(added),
      detail: `${text(hop)} : ${text(direct)} us, p50 / p99`,
    },
  ];
}

/** Many groups at one gateway: what they weigh, and what joining, sending and leaving costs. */
export async function groups(effort: Effort): Promise<Line[]> {
  await using server = await Longshore.start(PROGRAM, { env: { LISTEN: 'text://127.0.0.1:0' } });
  using load = new Load();
  const { processes, gateways = [] } = await server.status();
  const pid = processes.find(({ worker_name }) => worker_name === 'gateway')?.pid ?? -1;
  const { port } = server;
  const rest = { greeting: 'none', kind: 'text', active: 0, inFlight: 1 } as const;
  await load.tell({ do: 'flow', port, idle: effort.members, ...rest });
  const client = new GatewayClient({ gateways });
  try {
    await client.connect();
    return await measured(client, pid, effort);
  } finally {
    client.close();
  }
}

type Costs = {
  /** KiB before all groups are there, and with them. */
  readonly empty: number;
  readonly full: number;
  /** Microseconds of each call. */
  readonly join: number;
  readonly leave: number;
  readonly send: number;
  readonly sendBefore: number;
};

async function measured(client: GatewayClient, pid: number, effort: Effort): Promise<Line[]> {
  const ids = await all(client, effort.members);
  const few = ids.length / MEMBERS;
  const count = few * GROUPS;
  const costs = await costsOf(client, pid, ids, effort);
  const { empty, full, join, leave, send, sendBefore } = costs;
  const what = `${grouped(count)} groups`;
  const memberships = ids.length * GROUPS;
  const each = 'of the CPU of the gateway, of each membership';
  return [
    {
      key: 'groups-memory',
      load: `${what}: memory of a membership`,
      unit: 'KB',
      value: spreadOf([(full - empty) / memberships]),
      detail: `${mb(empty)} before, ${mb(full)} with ${grouped(memberships)}`,
    },
    cost('groups-join', `${what}: joining`, join / GROUPS, each),
    cost('groups-leave', `${what}: leaving`, leave / GROUPS, each),
    cost(
      'groups-send',
      `${what}: a message to one of ${MEMBERS} clients`,
      send,
      `${sendBefore.toFixed(1)} us with ${grouped(few)} groups`,
    ),
  ];
}

async function costsOf(
  client: GatewayClient,
  pid: number,
  ids: readonly string[],
  effort: Effort,
): Promise<Costs> {
  const few = ids.length / MEMBERS;
  const count = few * GROUPS;
  const groupsOf = (i: number) =>
    Array.from({ length: GROUPS }, (_, k) => `group ${(i * GROUPS + k) % count}`);
  // Each client is in one of some groups before all others are there; then in some more.
  await costOf(client, pid, ids.length, (i) =>
    client.joinGroup(ids[i] as string, `few ${i % few}`),
  );
  const sent = (name: string, of: number) =>
    costOf(client, pid, effort.groupSends, (i) =>
      client.sendToGroup(`${name} ${(i * 7919) % of}`, 'hello'),
    );
  const sendBefore = await sent('few', few);
  await sleep(effort.quietMs);
  const empty = residentKb(pid);
  const join = await costOf(client, pid, ids.length, (i) =>
    client.joinGroup(ids[i] as string, groupsOf(i)),
  );
  await sleep(effort.quietMs);
  const full = residentKb(pid);
  const send = await sent('group', count);
  const leave = await costOf(client, pid, ids.length, (i) =>
    client.leaveGroup(ids[i] as string, groupsOf(i)),
  );
  return { empty, full, join, leave, send, sendBefore };
}

const cost = (key: string, load: string, us: number, detail: string): Line => ({
  key,
  load,
  unit: 'us',
  value: spreadOf([us]),
  detail,
});

const mb = (kb: number): string => `${(kb / 1024).toFixed(1)} MB`;

/** Ids of all clients, when the gateway has them all. */
async function all(client: GatewayClient, count: number): Promise<string[]> {
  let ids: string[] = [];
  while (ids.length < count) ids = await client.getAllClientIdList();
  return ids;
}

/** Microseconds of a process's CPU time for each call, when all have been carried out. */
async function costOf(
  client: GatewayClient,
  pid: number,
  count: number,
  call: (i: number) => boolean,
): Promise<number> {
  const before = cpuSeconds(pid);
  for (let i = 0; i < count; i += 1) {
    if (!call(i)) throw new Error('the gateway is gone');
    // A question is answered behind all that was said before it.
    if (i % PORTION === PORTION - 1) await client.getAllUidCount();
  }
  await client.getAllUidCount();
  return ((cpuSeconds(pid) - before) * 1e6) / count;
}
