import { contestants, duel, duelLine } from '../duel.ts';
import type { Effort } from '../effort.ts';
import type { Line } from '../figures.ts';
import { Load } from '../load.ts';
import { Longshore, startPlain } from '../server.ts';

/** One client speaks, all hear it. */
export async function broadcast(effort: Effort): Promise<Line[]> {
  await using ours = await Longshore.start('bench/servers/broadcast.ts');
  await using ws = await startPlain('ws.ts', ['broadcast']);
  using load = new Load();
  const sides = await contestants(
    load,
    [ours, ws].map(({ pid, port }) => ({
      pid,
      order: { do: 'fanout', port, listeners: effort.listeners, dialect: 'plain' },
    })),
  );
  const [own, other] = await duel(sides, effort);
  const what = `broadcast to ${effort.listeners} WebSocket clients, beside ws`;
  const about = { key: 'broadcast-ws', load: what, versus: 'ws', bound: { atLeast: 1.2 } };
  return [duelLine(about, own, other)];
}
