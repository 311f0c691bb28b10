import { contestants, duel, duelLine } from '../duel.ts';
import type { Effort } from '../effort.ts';
import type { Bound, Line } from '../figures.ts';
import { Load } from '../load.ts';
import { Longshore, type Server, startPlain } from '../server.ts';

/** Whom to broadcast beside. */
export type BroadcastRival = {
  readonly key: string;
  readonly versus: string;
  readonly dialect: 'plain' | 'socket.io';
  readonly bound?: Bound;
  start(): Promise<Server>;
};

const WS: BroadcastRival = {
  key: 'broadcast-ws',
  versus: 'ws',
  dialect: 'plain',
  bound: { atLeast: 1.2 },
  start: () => startPlain('ws.ts', ['broadcast']),
};

export async function broadcast(effort: Effort): Promise<Line[]> {
  return [await broadcastBeside(WS, effort)];
}

/** One client speaks, all hear it. */
export async function broadcastBeside(rival: BroadcastRival, effort: Effort): Promise<Line> {
  await using ours = await Longshore.start('bench/servers/broadcast.ts');
  await using theirs = await rival.start();
  using load = new Load();
  const { listeners } = effort;
  const order = { do: 'fanout', listeners } as const;
  const sides = await contestants(load, [
    { pid: ours.pid, order: { ...order, port: ours.port, dialect: 'plain' } },
    { pid: theirs.pid, order: { ...order, port: theirs.port, dialect: rival.dialect } },
  ]);
  const [own, other] = await duel(sides, effort);
  const { key, versus, bound } = rival;
  const what = `broadcast to ${listeners} clients, beside ${versus}`;
  return duelLine({ key, load: what, versus, ...(bound ? { bound } : {}) }, own, other);
}
