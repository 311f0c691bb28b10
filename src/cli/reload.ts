import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../contract.ts';
import { LongshoreError } from '../errors.ts';
import type { ReloadState } from '../master/reload.ts';
import type { Status } from '../master/status.ts';
import { callProgram } from './admin-client.ts';
import type { Arguments } from './main.ts';

/** `longshore reload`: returns when the last process is replaced, or when the reload has failed. */
export async function reload({ file, options }: Arguments): Promise<number> {
  const graceful = options['graceful'] === true;
  const { id } = await callProgram<{ id: number }>(file, 'POST', '/reload', { graceful });
  for (;;) {
    const { reload: state, phase } = await callProgram<Status>(file, 'GET', '/status');
    if (phase !== 'running' && phase !== 'starting') {
      throw new LongshoreError('RELOAD_FAILED', `no reload while the service is ${phase}`);
    }
    // Ours may have to wait for one under way, or for a process that is being recycled.
    const ours = state && state.id >= id ? state : undefined;
    if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${progress(ours)}`);
    if (ours && ours.state !== 'running') return ended(ours);
    await sleep(50);
  }
}

const progress = (ours: ReloadState | undefined): string =>
  ours ? `${ours.replaced} of ${ours.total} replaced` : 'waiting for a reload under way';

function ended({ state, replaced, reason }: ReloadState): number {
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
  if (state === 'done') {
    process.stdout.write(`reloaded: ${replaced} processes replaced\n`);
    return EXIT.ok;
  }
  const kept =
    replaced > 0 ? `${replaced} processes run the new code` : 'all processes run the old code';
  throw new LongshoreError('RELOAD_FAILED', `the reload failed, ${kept}: ${reason ?? 'unknown'}`);
}
