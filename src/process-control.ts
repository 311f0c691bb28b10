import { ENV } from './contract.ts';
import { misuse } from './errors.ts';
import type { AnyWorker, RunOptions } from './worker.ts';

/**
 * What `Worker.runAll` and `Worker.stopAll` mean in this process. Both halves are loaded only where they run, so a
 * worker process does not carry the master's code.
 */
export const control = {
  /** Becomes the master, or the process of one Worker if the master started us. */
  async run(workers: readonly AnyWorker[], options: RunOptions): Promise<void> {
    if (process.env[ENV.child] !== undefined) {
      const { runChild } = await import('./child/child.ts');
      await runChild(workers);
    } else {
      const { runMaster } = await import('./master/master.ts');
      await runMaster(workers, options);
    }
  },
  /** Set by whichever of the two runs. */
  stop(): void {
    throw misuse('WRONG_PROCESS', 'Worker.stopAll() needs a running Worker.runAll()');
  },
};
