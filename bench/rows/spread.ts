import { setTimeout as sleep } from 'node:timers/promises';
import type { Effort } from '../effort.ts';
import { type Line, spreadOf } from '../figures.ts';
import { Load } from '../load.ts';
import type { Longshore } from '../server.ts';
import { echo } from './flow.ts';

const PROCESSES = 4;
const LOOKS_MAX = 100;

/** How evenly the kernel deals connections out to processes that each have a socket of their own. */
export async function spread(effort: Effort): Promise<Line[]> {
  const ratios: number[] = [];
  let counts: number[] = [];
  for (let i = 0; i < effort.memoryRuns; i += 1) {
    counts = await deal(effort.shared);
    ratios.push(Math.max(...counts) / Math.min(...counts));
  }
  return [
    {
      key: 'spread',
      load: `${PROCESSES} processes: fullest / emptiest`,
      unit: 'x',
      value: spreadOf(ratios),
      bound: { atMost: 1.2 },
      detail: `${counts.join(', ')} connections`,
    },
  ];
}

async function deal(connections: number): Promise<number[]> {
  await using server = await echo('websocket', { COUNT: String(PROCESSES) });
  using load = new Load();
  const plan = { greeting: 'websocket', kind: 'websocket', active: 0, inFlight: 1 } as const;
  const { port } = server;
  const client = await load.tell({ do: 'flow', port, idle: connections, ...plan });
  const counts = await settled(server, connections);
  await load.tell({ do: 'close', client });
  return counts;
}

/** The connections of each process, once all of them have been counted. */
async function settled(server: Longshore, connections: number): Promise<number[]> {
  for (let i = 0; i < LOOKS_MAX; i += 1) {
    const counts = (await server.status()).processes.map((each) => each.connections);
    if (counts.reduce((sum, each) => sum + each, 0) === connections) return counts;
    await sleep(50);
  }
  throw new Error(`status never counted all ${connections} connections`);
}
