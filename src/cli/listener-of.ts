import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Flags of `/proc/net/unix`: the socket listens. */
const LISTENS = 0x10000;

/** The process that listens on a unix socket, as far as this user may see it; Linux only. */
export function listenerOf(path: string): number | undefined {
  try {
    const inode = inodeOf(readFileSync('/proc/net/unix', 'utf8'), path);
    return inode === undefined ? undefined : holderOf(`socket:[${inode}]`);
  } catch {
    return undefined;
  }
}

/** @param table `Num RefCount Protocol Flags Type St Inode Path`, a line each, as proc(5) says */
export function inodeOf(table: string, path: string): string | undefined {
  for (const line of table.split('\n')) {
    const found = /^\S+ \S+ \S+ ([0-9A-F]+) \S+ \S+ +(\d+) (.*)$/.exec(line);
    if (found?.[3] === path && Number.parseInt(found[1] as string, 16) & LISTENS) return found[2];
  }
  return undefined;
}

function holderOf(link: string): number | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const folder = `/proc/${pid}/fd`;
      if (readdirSync(folder).some((fd) => readlinkSync(`${folder}/${fd}`) === link))
        return Number(pid);
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
  return undefined;
}
