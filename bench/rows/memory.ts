import { setTimeout as sleep } from 'node:timers/promises';
import type { Effort } from '../effort.ts';
import { type Bound, type Line, spreadOf } from '../figures.ts';
import type { Greeting } from '../load/dial.ts';
import { Load } from '../load.ts';
import { residentKb } from '../process-stats.ts';
import { grouped } from '../report.ts';
import { type Server, startPlain } from '../server.ts';
import { echo } from './flow.ts';

/** Memory of silent connections. */

export type Subject = {
  readonly key: string;
  readonly name: string;
  readonly greeting: Greeting;
  readonly start: () => Promise<Server>;
  readonly bound?: Bound;
  readonly versus?: string;
};

/** The one that the others are compared with. */
export const LONGSHORE: Subject = {
  key: 'memory',
  name: 'Longshore',
  greeting: 'websocket',
  start: () => echo('websocket'),
  bound: { atMost: 2.5 },
};

const SUBJECTS: readonly Subject[] = [
  LONGSHORE,
  {
    key: 'memory-cut',
    name: 'Longshore, handshake by node:http',
    greeting: 'cut',
    start: () => echo('websocket'),
  },
  {
    key: 'memory-stream',
    name: 'Longshore, transport stream',
    greeting: 'websocket',
    start: () => echo('websocket', { LONGSHORE_TRANSPORT: 'stream' }),
  },
  {
    key: 'memory-ws',
    name: 'ws',
    greeting: 'websocket',
    start: () => startPlain('ws.ts', ['echo']),
    versus: 'ws',
  },
  {
    key: 'memory-net',
    name: 'node:net alone',
    greeting: 'none',
    start: () => startPlain('net.ts'),
    versus: 'node:net',
  },
];

export function memory(effort: Effort): Promise<Line[]> {
  return memoryOf(SUBJECTS, effort);
}

/** What a connection adds to each server's memory, measured in turns. */
export async function memoryOf(subjects: readonly Subject[], effort: Effort): Promise<Line[]> {
  const runs = subjects.map((): Growth[] => []);
  for (let i = 0; i < effort.memoryRuns; i += 1)
    for (const [at, subject] of subjects.entries()) runs[at]?.push(await growth(subject, effort));
  const values = runs.map((grown) => spreadOf(grown.map(({ perConnection }) => perConnection)));
  const ours = values[subjects.indexOf(LONGSHORE)]?.median;
  return subjects.map(({ key, name, bound, versus }, i) => {
    const grown = runs[i] as Growth[];
    const { empty, full } = grown[grown.length >> 1] as Growth;
    return {
      key,
      load: `per idle connection: ${name}`,
      unit: 'KB',
      value: values[i],
      ...(bound ? { bound } : {}),
      ...(versus === undefined ? {} : { versus }),
      ...(versus === undefined || ours === undefined ? {} : { ours }),
      detail: `${mb(empty)} empty, ${mb(full)} with ${grouped(effort.idle)}`,
    };
  });
}

/** All in KiB. */
type Growth = { readonly empty: number; readonly full: number; readonly perConnection: number };

async function growth({ start, greeting }: Subject, effort: Effort): Promise<Growth> {
  await using server = await start();
  using load = new Load();
  await sleep(effort.quietMs);
  const empty = residentKb(server.pid);
  const { port } = server;
  const rest = { kind: 'websocket', active: 0, inFlight: 1, idle: effort.idle } as const;
  const client = await load.tell({ do: 'flow', port, greeting, ...rest });
  await sleep(effort.quietMs);
  const full = residentKb(server.pid);
  await load.tell({ do: 'close', client });
  return { empty, full, perConnection: (full - empty) / effort.idle };
}

const mb = (kb: number): string => `${(kb / 1024).toFixed(1)} MB`;
