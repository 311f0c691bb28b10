import { backOffMs, diedYoung } from './back-off.ts';
import type { Slot, WorkerSpec } from './plan-types.ts';

/**
 * The slots that Workers want: those there are, as far as they are still wanted, and new ones, to be filled at
 * `forkAt`. Slots keep their order: by Worker as declared, by number.
 */
export function fitted(
  slots: readonly Slot[],
  workers: readonly WorkerSpec[],
  forkAt: number | undefined,
): { slots: Slot[]; gone: Slot[] } {
  const fitting = workers.flatMap(({ name, count }) =>
    Array.from({ length: count }, (_, slot) => {
      const known = slots.find((each) => each.worker === name && each.slot === slot);
      return (
        known ?? { worker: name, slot, current: undefined, incoming: undefined, deaths: 0, forkAt }
      );
    }),
  );
  return { slots: fitting, gone: slots.filter((slot) => !fitting.includes(slot)) };
}

/**
 * The slot's process has ended.
 *
 * @param readyForMs how long it had been ready; `undefined` if it never was
 * @returns how long to wait before the next one
 */
export function vacate(slot: Slot, readyForMs: number | undefined, status: number): number {
  slot.current = undefined;
  slot.deaths = diedYoung(readyForMs, status) ? slot.deaths + 1 : 0;
  return backOffMs(slot.deaths);
}
