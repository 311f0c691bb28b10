import { readFileSync } from 'node:fs';
import { LongshoreError, messageOf } from '../errors.ts';
import { log } from '../log.ts';

/** Missing in the type package. */
const groups = process as unknown as { initgroups(user: string, group: string | number): void };

/**
 * Becomes another user, for good. The listening sockets are open by then.
 *
 * @throws {LongshoreError} `START_FAILED` if there is no such account or group
 */
export function dropPrivileges(user: string, group: string): void {
  if (user === '' && group === '') return;
  if (process.getuid?.() !== 0) {
    log.warn(`user "${user}" is not used: changing it needs root`);
    return;
  }
  try {
    const target = group === '' ? primaryGroup(user) : group;
    if (user !== '') groups.initgroups(user, target);
    process.setgid?.(target);
    if (user !== '') process.setuid?.(user);
  } catch (error) {
    throw new LongshoreError(
      'START_FAILED',
      `user "${user}", group "${group}": ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** The group that an account has in `/etc/passwd`. */
function primaryGroup(user: string): number {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${user}:`));
  const group = line?.split(':')[3];
  if (group === undefined) throw new Error('there is no such account in /etc/passwd');
  return Number(group);
}
