import type { Proc } from './plan-types.ts';

/** What the plan says to people. */

/** `1 process`, `2 processes`. */
export function processes(count: number): string {
  return count === 1 ? '1 process' : `${count} processes`;
}

/** `chat#0`: the Worker and the slot. */
export function nameOf({ worker, slot }: Proc): string {
  return `${worker}#${slot}`;
}

export function died(proc: Proc, status: number, waitMs: number): string {
  const when = waitMs === 0 ? 'at once' : `in ${waitMs / 1000} s`;
  return `${nameOf(proc)} ended with status ${status}; another one starts ${when}`;
}

export function endedEarly(proc: Proc, status: number): string {
  return `the new process of ${nameOf(proc)} ended with status ${status} before it was ready`;
}

export function killed(proc: Proc, now: number): string {
  const why = proc.state === 'starting' ? 'was not ready' : 'had not ended';
  return `${nameOf(proc)} ${why} after ${Math.round((now - proc.since) / 1000)} s and is killed`;
}

/** @param replaced processes that run the new code already */
export function reloadFailed(kind: 'reload' | 'recycle', replaced: number, reason: string): string {
  if (kind === 'recycle') return `a process that wanted to be replaced stays: ${reason}`;
  const kept =
    replaced > 0
      ? `${processes(replaced)} replaced before, the others stay`
      : 'the old processes stay';
  return `reload failed, ${kept}: ${reason}`;
}
