import { misuse } from './errors.ts';

/** What `Worker.stopAll` does in this process; set by whichever of master and child runs here. */
export const control = {
  stop(): void {
    throw misuse('WRONG_PROCESS', 'Worker.stopAll() needs a running Worker.runAll()');
  },
};
