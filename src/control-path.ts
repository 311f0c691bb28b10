import { createHash } from 'node:crypto';
import { readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { ENV } from './contract.ts';

/**
 * Where a program's master can be reached on this machine: a unix socket in a folder of the user's own, named after the
 * program's file. A socket cannot be stale the way a pid file can: either somebody answers or nobody does.
 */

/** The folder of the control sockets of this user. */
export function runtimeDir(): string {
  const named = process.env[ENV.runtimeDir];
  if (named) return named;
  const base = process.env['XDG_RUNTIME_DIR'];
  // A unix socket path has 107 bytes at most, so long folders are of no use.
  if (base && base.length < 60) return join(base, 'longshore');
  return join(tmpdir(), `longshore-${ownUid()}`);
}

// Not `os.userInfo()`: in containers the user often has no entry in /etc/passwd, and that throws then.
const ownUid = (): number => process.getuid?.() ?? 0;

/** The control socket of a program. */
export function controlPath(file: string, folder: string = runtimeDir()): string {
  return join(folder, `${socketName(file)}.sock`);
}

function socketName(file: string): string {
  let path = resolve(file);
  try {
    // The folder only: the file of a mounted ConfigMap is a link that is turned at each change of the code.
    path = join(realpathSync(dirname(path)), basename(path));
  } catch {
    // It may have been deleted since; the name is then the one it had.
  }
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 12);
  return `${basename(path).slice(0, 24)}-${hash}`;
}

/** Users of this machine, other than this one, under whom the program seems to run. */
export function otherUsers(file: string): number[] {
  const name = `${socketName(file)}.sock`;
  const own = ownUid();
  return readdirSync(tmpdir())
    .map((entry) => /^longshore-(\d+)$/.exec(entry)?.[1])
    .filter((uid) => uid !== undefined && Number(uid) !== own)
    .filter((uid) => {
      try {
        return readdirSync(join(tmpdir(), `longshore-${uid}`)).includes(name);
      } catch {
        // Not readable for us: it may well be there.
        return false;
      }
    })
    .map(Number);
}
