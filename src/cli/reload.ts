import { readlinkSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../contract.ts';
import { LongshoreError } from '../errors.ts';
import { processes } from '../master/plan-words.ts';
import type { ReloadState } from '../master/reload.ts';
import type { Status } from '../master/status.ts';
import { callProgram } from './admin-client.ts';
import type { Arguments } from './main.ts';
import { quoted } from './quoted.ts';

/** `longshore reload`: returns when the last process is replaced, or when the reload has failed. */
export async function reload({ file, options }: Arguments): Promise<number> {
  const graceful = options['graceful'] === true;
  const { id } = await callProgram<{ id: number }>(file, 'POST', '/reload', { graceful });
  for (;;) {
    const { reload: state, phase, pid } = await callProgram<Status>(file, 'GET', '/status');
    if (phase !== 'running' && phase !== 'starting') {
      throw new LongshoreError('RELOAD_FAILED', `no reload while the service is ${phase}`);
    }
    // Ours may have to wait for one under way, or for a process that is being recycled.
    const ours = state && state.id >= id ? state : undefined;
    if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${progress(ours)}`);
    if (ours && ours.state !== 'running') return ended(ours, pid);
    await sleep(50);
  }
}

const progress = (ours: ReloadState | undefined): string =>
  ours ? `${ours.replaced} of ${ours.total} replaced` : 'waiting for a reload under way';

function ended({ state, replaced, reason }: ReloadState, pid: number): number {
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
  if (state === 'done') {
    process.stdout.write(`reloaded: ${processes(replaced)} replaced\n`);
    return EXIT.ok;
  }
  const kept =
    replaced > 0 ? `${replaced} processes run the new code` : 'all processes run the old code';
  const message = `the reload failed, ${kept}: ${reason ?? 'unknown'}${outputOf(pid)}`;
  throw new LongshoreError('RELOAD_FAILED', message);
}

/** Where the new process has said more, if that is a file: what `start -d` was given, or a redirection. */
function outputOf(pid: number): string {
  try {
    const path = readlinkSync(`/proc/${pid}/fd/2`);
    return statSync(path).isFile() ? `; what it said: tail ${quoted(path)}` : '';
  } catch {
    return '';
  }
}
