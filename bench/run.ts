// The benches: `npm run bench -- [NAME …] [--quick | --smoke] [--extra] [--json FILE] [--publish]`. See README.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BENCHES, type Bench } from './benches.ts';
import { build } from './build.ts';
import { cleanUpAtExit } from './cleanup.ts';
import { EFFORTS, type Effort } from './effort.ts';
import { extra } from './extra.ts';
import { type Line, verdict } from './figures.ts';
import { machine, machineText } from './machine.ts';
import { published } from './publish.ts';
import { resultTable } from './report.ts';

const README = fileURLToPath(new URL('README.md', import.meta.url));

/** `extra` needs the network, so it is only run when asked for. */
const EVERY: Readonly<Record<string, Bench>> = { ...BENCHES, extra };

const USAGE = `npm run bench -- [NAME ...] [OPTIONS]

  --quick       short rounds: for a first impression
  --smoke       next to no work and no bounds: shows that the benches themselves work
  --extra       also beside what npm can install for the occasion: Bun, Socket.IO; as a NAME: only that
  --json FILE   the results as JSON
  --publish     writes the results into bench/README.md

Names: ${Object.keys(BENCHES).join(' ')}; none: all of them.
`;

const flag = { type: 'boolean', default: false } as const;
const OPTIONS = {
  quick: flag,
  smoke: flag,
  extra: flag,
  publish: flag,
  json: { type: 'string' },
} as const;

/** What is to be measured, by the command line. @throws if there is something wrong with that */
function asked() {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const unknown = positionals.find((name) => !(name in EVERY));
  if (unknown !== undefined) throw new Error(`there is no bench "${unknown}"`);
  const effort = EFFORTS[values.smoke ? 'smoke' : values.quick ? 'quick' : 'full'];
  if (values.publish && effort.name !== 'full')
    throw new Error(`a ${effort.name} run is not for publishing`);
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
  if (values.extra && !names.includes('extra')) names.push('extra');
  return { ...values, effort, names };
}

function parsed(): ReturnType<typeof asked> {
  try {
    return asked();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const failed: string[] = [];

/** One bench. What goes wrong in it does not take the others' results away. */
async function linesOf(name: string, effort: Effort): Promise<readonly Line[]> {
  try {
    const lines = (await EVERY[name]?.(effort)) ?? [];
    // What is measured in a tenth of a second is not to be judged.
    return effort.name === 'smoke' ? lines.map(({ bound: _, ...line }) => line) : lines;
  } catch (error) {
    failed.push(name);
    console.error(`${name} failed: ${(error as Error | undefined)?.stack ?? error}`);
    return [];
  }
}

/** So many at the same time where figures do not matter. */
const SMOKE_AT_ONCE = 3;

async function measure(names: readonly string[], effort: Effort): Promise<Line[]> {
  const results = new Map<string, readonly Line[]>();
  const waiting = [...names];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const lines = await linesOf(name, effort);
      // Each bench is shown when it is through; the whole table comes at the end.
      for (const line of resultTable(lines).slice(1)) console.log(line);
      results.set(name, lines);
    }
  };
  await Promise.all(Array.from({ length: effort.name === 'smoke' ? SMOKE_AT_ONCE : 1 }, work));
  return names.flatMap((name) => results.get(name) ?? []);
}

const { names, effort, json, publish } = parsed();
cleanUpAtExit();
const about = machine();
console.log(`${machineText(about)}\n`);
build();
const lines = await measure(names, effort);
console.log(`\n${resultTable(lines).join('\n')}`);
if (json !== undefined) {
  const results = { machine: about, effort: effort.name, lines };
  writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
}
if (publish) writeFileSync(README, published(readFileSync(README, 'utf8'), lines, about));
const missed = lines.filter((line) => verdict(line) === 'MISSED').map(({ key }) => key);
if (effort.name === 'smoke') console.log('\nA smoke run: the figures mean nothing.');
if (missed.length > 0) console.log(`\nBounds missed: ${missed.join(', ')}`);
if (failed.length > 0) console.log(`\nFailed: ${failed.join(', ')}`);
process.exit(missed.length + failed.length > 0 ? 1 : 0);
