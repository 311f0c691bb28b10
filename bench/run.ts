// The benches: `npm run bench -- [NAME …] [--quick | --smoke] [--extra] [--json FILE] [--publish]`. See README.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BENCHES } from './benches.ts';
import { cleanUpAtExit } from './cleanup.ts';
import { EFFORTS, type Effort } from './effort.ts';
import { extra } from './extra.ts';
import { type Line, verdict } from './figures.ts';
import { machine, machineText } from './machine.ts';
import { published } from './publish.ts';
import { resultTable } from './report.ts';

const README = fileURLToPath(new URL('README.md', import.meta.url));

const USAGE = `npm run bench -- [NAME ...] [OPTIONS]

  --quick       short rounds: for a first impression
  --smoke       next to no work and no bounds: shows that the benches themselves work
  --extra       also beside what can be installed from npm: Bun, Socket.IO
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
  const unknown = positionals.find((name) => !(name in BENCHES));
  if (unknown !== undefined) throw new Error(`there is no bench "${unknown}"`);
  const effort = EFFORTS[values.smoke ? 'smoke' : values.quick ? 'quick' : 'full'];
  if (values.publish && effort.name !== 'full')
    throw new Error(`a ${effort.name} run is not for publishing`);
  const names = positionals.length > 0 || values.extra ? positionals : Object.keys(BENCHES);
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

async function measure(names: readonly string[], effort: Effort, more: boolean): Promise<Line[]> {
  const lines: Line[] = [];
  const add = (some: readonly Line[]) => {
    // Each bench is shown when it is through; the whole table comes at the end.
    for (const line of resultTable(some).slice(1)) console.log(line);
    lines.push(...some);
  };
  for (const name of names) add((await BENCHES[name]?.(effort)) ?? []);
  if (more) add(await extra(effort));
  return lines;
}

const { names, effort, extra: more, json, publish } = parsed();
cleanUpAtExit();
const about = machine();
console.log(`${machineText(about)}\n`);
const lines = await measure(names, effort, more);
console.log(`\n${resultTable(lines).join('\n')}`);
if (json !== undefined)
  writeFileSync(
    json,
    `${JSON.stringify({ machine: about, effort: effort.name, lines }, null, 2)}\n`,
  );
if (publish) writeFileSync(README, published(readFileSync(README, 'utf8'), lines, about));
const missed = lines.filter((line) => verdict(line) === 'MISSED');
if (effort.name === 'smoke') console.log('\nsmoke run: the figures mean nothing');
else if (missed.length > 0) console.log(`\n${missed.length} bounds are missed`);
process.exit(missed.length > 0 && effort.name !== 'smoke' ? 1 : 0);
