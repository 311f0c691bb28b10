import { ENV } from './contract.ts';
import type { AnyWorker, RunOptions } from './worker.ts';

/** Becomes the master, or the process of one Worker if a master started us; loads only the half that it needs. */
export async function run(workers: readonly AnyWorker[], options: RunOptions): Promise<void> {
  // A program that one of our processes starts has the variable as well, but no channel to a master.
  if (process.env[ENV.child] !== undefined && process.send) {
    const { runChild } = await import('./child/child.ts');
    await runChild(workers);
  } else {
    const { runMaster } = await import('./master/master.ts');
    await runMaster(workers, options);
  }
}
