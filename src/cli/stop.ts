import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../contract.ts';
import { controlPath } from '../control-path.ts';
import { codeOf } from '../errors.ts';
import type { Status } from '../master/status.ts';
import { call, callProgram, isAbsent } from './admin-client.ts';
import type { Arguments } from './main.ts';
import { start } from './start.ts';

/** Processes get 5 s before they are killed; then the master ends. */
const STOP_MS = 10_000;

/** `longshore stop`: returns when the master is gone. */
export async function stop({ file, options }: Arguments): Promise<number> {
  const graceful = options['graceful'] === true;
  const { pid } = await callProgram<Status>(file, 'GET', '/status');
  await callProgram(file, 'POST', '/stop', { graceful }).catch((error) => {
    // It may end before it has answered.
    if (codeOf(error) !== 'ECONNRESET') throw error;
  });
  const said = await untilGone(file, graceful ? Number.POSITIVE_INFINITY : STOP_MS);
  if (!said) {
    process.stderr.write(
      `longshore: ${file} is still there after ${STOP_MS / 1000} s; kill -9 ${pid} ends it\n`,
    );
    return EXIT.failed;
  }
  process.stdout.write('stopped\n');
  return EXIT.ok;
}

/** Waits until the master is gone; says what it waits for, on a terminal. */
async function untilGone(file: string, ms: number): Promise<boolean> {
  let shown = '';
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) {
    try {
      const status = await call<Status>(controlPath(file), 'GET', '/status');
      const left = status.processes.reduce((sum, { connections }) => sum + connections, 0);
      const text = `${status.phase}: ${left} connections in ${status.processes.length} processes left`;
      if (process.stdout.isTTY && text !== shown) process.stdout.write(`\r\u001b[K${text}`);
      shown = text;
    } catch (error) {
      if (isAbsent(error)) break;
    }
    if (Date.now() >= end) return false;
  }
  if (process.stdout.isTTY && shown !== '') process.stdout.write('\r\u001b[K');
  return true;
}

/** `longshore restart`: also where nothing runs yet. */
export async function restart(args: Arguments): Promise<number> {
  try {
    const code = await stop(args);
    if (code !== EXIT.ok) return code;
  } catch (error) {
    if ((error as { code?: string }).code !== 'NOT_RUNNING') throw error;
  }
  const { graceful: _, ...options } = args.options;
  return start({ ...args, options });
}
