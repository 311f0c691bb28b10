import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../contract.ts';
import { runtimeDir } from '../control-path.ts';
import type { ConnectionList } from '../master/operations.ts';
import type { Status } from '../master/status.ts';
import { call, callProgram } from './admin-client.ts';
import { connectionsText } from './connections-text.ts';
import type { Arguments } from './main.ts';
import { statusText } from './status-text.ts';

// Home, clear the screen, and the attributes back to normal.
const CLEAR = '\u001b[H\u001b[2J\u001b[m';

/** `longshore status`. */
export async function status({ file, options }: Arguments): Promise<number> {
  if (file === '') return listPrograms(options['json'] === true);
  let before: Status | undefined;
  for (;;) {
    const now = await callProgram<Status>(file, 'GET', '/status');
    if (options['json']) process.stdout.write(`${JSON.stringify(now)}\n`);
    else process.stdout.write(shown(statusText(now, before), options['watch'] === true));
    if (!options['watch']) return EXIT.ok;
    before = now;
    await sleep(1000);
  }
}

function shown(text: string, watching: boolean): string {
  if (!process.stdout.isTTY) return text;
  const coloured = text
    .replaceAll('[busy]', '\u001b[31m[busy]\u001b[m')
    .replaceAll('FAILED', '\u001b[31mFAILED\u001b[m');
  return watching ? `${CLEAR}${coloured}\nPress Ctrl+C to quit.\n` : coloured;
}

/** Without a file: the programs of this user that run. */
async function listPrograms(json: boolean): Promise<number> {
  const found = await running();
  if (json)
    process.stdout.write(
      `${JSON.stringify(found.map(({ file, pid, phase }) => ({ file, pid, phase })))}\n`,
    );
  else if (found.length === 0)
    process.stdout.write(`nothing is running (looked in ${runtimeDir()})\n`);
  else
    for (const { file, pid, phase } of found)
      process.stdout.write(`${phase}  pid ${pid}  ${file}\n`);
  return EXIT.ok;
}

async function running(): Promise<Status[]> {
  const folder = runtimeDir();
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.sock'));
  } catch {
    return [];
  }
  const asked = names.map((name) =>
    call<Status>(join(folder, name), 'GET', '/status').catch(() => undefined),
  );
  return (await Promise.all(asked)).filter((each) => each !== undefined);
}

/** `longshore connections`. */
export async function connections({ file, options }: Arguments): Promise<number> {
  const limit = Number(options['limit'] ?? 1000);
  const list = await callProgram<ConnectionList>(file, 'GET', `/connections?limit=${limit}`);
  process.stdout.write(options['json'] ? `${JSON.stringify(list)}\n` : connectionsText(list));
  return EXIT.ok;
}
