import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What the kernel says about a process. */

let known: number | undefined;

/** Clock ticks in a second, the unit of CPU times in `/proc`. */
function ticksPerSecond(): number {
  known ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return known;
}

/** CPU time that a process has used so far, in user and in kernel mode, in all its threads. */
export function cpuSeconds(pid: number): number {
  return ticksIn(readFileSync(`/proc/${pid}/stat`, 'utf8')) / ticksPerSecond();
}

/** What one tick is: no less than that is ever seen. */
export function cpuResolution(): number {
  return 1 / ticksPerSecond();
}

/** Resident memory of a process, in KiB. */
export function residentKb(pid: number): number {
  return residentIn(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** `utime` + `stime` of `/proc/PID/stat`: fields 14 and 15, counted behind the name, which may hold anything. */
export function ticksIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** `VmRSS` of `/proc/PID/status`. */
export function residentIn(status: string): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]);
}
