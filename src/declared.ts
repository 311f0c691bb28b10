import type { Declared } from './master/messages.ts';
import type { AnyWorker } from './worker.ts';

/** What the master has to know of a Worker. */
export function declaredOf(worker: AnyWorker): Declared {
  const { name, count, reloadable, address, backlog, reusePort, last } = worker;
  return {
    name,
    count,
    reloadable,
    backlog,
    reusePort,
    ...(address ? { address: worker.addressText } : {}),
    ...(last ? { last } : {}),
  };
}
