import { readdirSync, readFileSync } from 'node:fs';

/** Why processes of pods cannot be found here; `undefined` if the nodes run on this host. */
export const noProcesses: string | undefined =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'processes of pods are found by root on Linux only'
    : undefined;

/**
 * Processes of a pod in this host's process table, by what Kubernetes calls their control group. Empty if the nodes are
 * elsewhere.
 *
 * @param command only those that have this word in their command line
 */
export function processesOf(podUid: string, command = ''): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isIn(pid, podUid, command));
}

function isIn(pid: number, podUid: string, command: string): boolean {
  try {
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(command)) return false;
    const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
    return groups.includes(`pod${podUid}`) || groups.includes(`pod${podUid.replaceAll('-', '_')}`);
  } catch {
    return false;
  }
}
