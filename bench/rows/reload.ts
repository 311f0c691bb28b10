import { setTimeout as sleep } from 'node:timers/promises';
import type { Effort } from '../effort.ts';
import { type Bound, type Line, spreadOf } from '../figures.ts';
import type { Weather } from '../load/storm.ts';
import { Load } from '../load.ts';
import { Namespace } from '../namespace.ts';
import { grouped } from '../report.ts';
import { Longshore } from '../server.ts';

/** Reloads while new connections keep coming, in a network namespace whose kernel setting can be changed. */

const NONE: Bound = { atMost: 0 };

type Case = {
  readonly key: string;
  readonly command: string;
  readonly options: readonly string[];
  readonly migrate: 0 | 1;
  readonly lost?: Bound;
  readonly unanswered?: Bound;
};

const PLAIN = { command: 'reload', options: [] };
const GRACEFUL = { command: 'reload -g', options: ['-g'] };

const CASES: readonly Case[] = [
  { key: 'reload', ...PLAIN, migrate: 1, lost: NONE },
  { key: 'reload-g', ...GRACEFUL, migrate: 1, lost: NONE, unanswered: NONE },
  { key: 'reload-0', ...PLAIN, migrate: 0 },
  { key: 'reload-g-0', ...GRACEFUL, migrate: 0 },
];

export async function reload(effort: Effort): Promise<Line[]> {
  const namespace = effort.stormMs === 0 ? 'not in a smoke run' : Namespace.create();
  if (typeof namespace === 'string') return CASES.flatMap((each) => linesOf(each, namespace));
  using inside = namespace;
  const lines: Line[] = [];
  for (const each of CASES) {
    inside.set('net.ipv4.tcp_migrate_req', each.migrate);
    lines.push(...linesOf(each, await storm(inside.prefix, each, effort)));
  }
  return lines;
}

async function storm(prefix: readonly string[], how: Case, effort: Effort): Promise<Weather> {
  await using server = await Longshore.start('examples/echo.ts', {
    prefix,
    env: { LISTEN: 'text://127.0.0.1:0', COUNT: '2' },
  });
  using load = new Load(prefix);
  const { stormPerSecond: perSecond, stormMs: ms } = effort;
  const weather = load.tell({ do: 'storm', port: server.port, perSecond, ms });
  const [result] = await Promise.all([weather, reloads(server, how.options, effort)]);
  if (result.other > 0)
    throw new Error(`${result.other} clients had troubles of their own: ${result.trouble}`);
  return result;
}

async function reloads(
  server: Longshore,
  options: readonly string[],
  effort: Effort,
): Promise<void> {
  for (let i = 0; i < effort.reloads; i += 1) {
    await sleep(effort.stormMs / (effort.reloads + 2));
    await server.command('reload', ...options);
  }
}

/** Two lines: connections that were lost, and those that were closed before they had their answer. */
function linesOf(how: Case, result: Weather | string): Line[] {
  const what = `${how.command}, migrate_req=${how.migrate}`;
  const measured = typeof result !== 'string';
  const line = (key: string, load: string, bound: Bound | undefined, counts: number[]): Line => ({
    key,
    load: `${what}: ${load}`,
    unit: 'count',
    value: measured ? spreadOf([counts.reduce((sum, each) => sum + each)]) : undefined,
    ...(bound ? { bound } : {}),
    detail: measured ? `${counts.join(' + ')} of ${grouped(result.opened)}` : result,
  });
  const { refused = 0, reset = 0, unanswered = 0 } = measured ? result : {};
  const lost = line(`${how.key}-lost`, 'refused or reset', how.lost, [refused, reset]);
  const closed = line(`${how.key}-unanswered`, 'unanswered', how.unanswered, [unanswered]);
  if (!measured) return [lost, closed];
  const slowest = `slowest answer ${Math.round(result.slowestMs)} ms`;
  return [lost, { ...closed, detail: `${closed.detail}, ${slowest}` }];
}
