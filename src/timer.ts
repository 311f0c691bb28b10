import { call } from './connections/connection.ts';
import { misuse } from './errors.ts';

let lastId = 0;
const timers = new Map<number, NodeJS.Timeout>();

/** Longest delay that Node's timers can hold: 2^31 - 1 ms, almost 25 days. */
const MAX_SECONDS = 2_147_483.647;

/**
 * Timers of this process. Those made in `onWorkerStart` exist once in each process: ask `worker.id === 0` for what is
 * to happen once. All are cleared when the process stops.
 */
export const Timer = {
  /**
   * @param seconds 0.001 or more
   * @param callback what it throws or rejects is logged and counted; the timer goes on
   * @param args given to the callback
   * @param persistent false: runs once
   * @returns an id for `Timer.del`
   * @throws {RangeError} `TIMER_INTERVAL`
   */
  add<A extends unknown[]>(
    seconds: number,
    callback: (...args: A) => unknown,
    args: A = [] as unknown as A,
    persistent = true,
  ): number {
    if (!(seconds >= 0.001 && seconds <= MAX_SECONDS)) {
      throw misuse(
        'TIMER_INTERVAL',
        `a timer of ${seconds} s; allowed: 0.001 to ${MAX_SECONDS} s`,
        'range',
      );
    }
    lastId += 1;
    const id = lastId;
    const run = () => {
      if (!persistent) timers.delete(id);
      call('timer', callback, ...args);
    };
    timers.set(id, persistent ? setInterval(run, seconds * 1000) : setTimeout(run, seconds * 1000));
    return id;
  },

  /** Ends a timer, also from inside its own callback; false if there is none with that id (any more). */
  del(id: number): boolean {
    const timer = timers.get(id);
    clearTimeout(timer);
    return timers.delete(id);
  },

  /** Ends all timers of this process. */
  delAll(): void {
    for (const id of timers.keys()) Timer.del(id);
  },

  /** How many are running. */
  get count(): number {
    return timers.size;
  },
};
