import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Descriptor } from '../master/messages.ts';
import { type NetSocket, netTable } from './net-table.ts';

/**
 * What each file descriptor of a process is: what the process itself says of it, completed from `/proc`, which answers
 * also while the process is busy.
 */
export class Descriptors {
  readonly #pid: number;
  #labels = new Map<number, string>();
  #loop: number | undefined = undefined;
  #sockets: Map<string, NetSocket> = new Map();

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Reads everything anew. @param known what the process says */
  refresh(known: readonly Descriptor[] = []): void {
    this.#sockets = new Map(tables(this.#pid).map((socket) => [socket.inode, socket]));
    const said = new Map(known.map(({ fd, what }) => [fd, what]));
    const channel = channelFd(this.#pid);
    this.#labels = new Map();
    for (const fd of descriptorsOf(this.#pid)) {
      const label = fd === channel ? 'channel to the master' : (said.get(fd) ?? this.#fromProc(fd));
      if (label !== undefined) this.#labels.set(fd, label);
    }
    this.#loop = channel === undefined ? undefined : watcherOf(this.#pid, channel, this.#labels);
    if (this.#loop !== undefined) this.#labels.set(this.#loop, 'epoll of the event loop');
  }

  /** The event loop's epoll descriptor: the one that watches the channel to the master. */
  get loop(): number | undefined {
    return this.#loop;
  }

  /** A label; one that is new since the last refresh is looked up. */
  label(fd: number): string | undefined {
    const known = this.#labels.get(fd);
    if (known !== undefined) return known;
    const found = this.#fromProc(fd) ?? this.#freshSocket(fd);
    if (found !== undefined) this.#labels.set(fd, found);
    return found;
  }

  /** It was closed: its number may come back as something else. */
  forget(fd: number): void {
    this.#labels.delete(fd);
  }

  /** Where connections are being opened to. */
  connecting(): string[] {
    const own = new Set(descriptorsOf(this.#pid).map((fd) => inodeOf(linkOf(this.#pid, fd))));
    return [...this.#sockets.values()]
      .filter(({ state, inode }) => state === 'SYN-SENT' && own.has(inode))
      .map(({ remote }) => remote);
  }

  #freshSocket(fd: number): string | undefined {
    if (inodeOf(linkOf(this.#pid, fd)) === undefined) return undefined;
    this.#sockets = new Map(tables(this.#pid).map((socket) => [socket.inode, socket]));
    return this.#fromProc(fd);
  }

  #fromProc(fd: number): string | undefined {
    const link = linkOf(this.#pid, fd);
    if (link === undefined) return undefined;
    const inode = inodeOf(link);
    if (inode === undefined) return plain(link);
    const socket = this.#sockets.get(inode);
    if (!socket) return 'socket';
    return socket.state === 'LISTEN'
      ? `listener ${socket.local}`
      : `${socket.local} -> ${socket.remote} ${socket.state}`;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  'anon_inode:[eventpoll]': 'epoll',
  'anon_inode:[eventfd]': 'wake-up of a loop',
  'anon_inode:[timerfd]': 'timer',
  'anon_inode:[io_uring]': 'io_uring',
  'anon_inode:[signalfd]': 'signals',
  'anon_inode:inotify': 'file watcher',
};

function plain(link: string): string {
  return KINDS[link] ?? (link.startsWith('pipe:') ? 'pipe' : `file ${link}`);
}

const inodeOf = (link: string | undefined): string | undefined =>
  /^socket:\[(\d+)\]$/.exec(link ?? '')?.[1];

function linkOf(pid: number, fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return undefined;
  }
}

function descriptorsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map(Number);
  } catch {
    return [];
  }
}

function tables(pid: number): NetSocket[] {
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((name) =>
    netTable(read(`/proc/${pid}/net/${name}`)),
  );
}

/** Where Node's IPC channel is: it tells its child in the environment. */
function channelFd(pid: number): number | undefined {
  const found = /(?:^|\0)NODE_CHANNEL_FD=(\d+)/.exec(read(`/proc/${pid}/environ`))?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The epoll descriptor that watches a descriptor: `fdinfo` lists what each watches. */
function watcherOf(
  pid: number,
  watched: number,
  labels: ReadonlyMap<number, string>,
): number | undefined {
  const line = new RegExp(`^tfd:\\s+${watched}\\s`, 'm');
  return [...labels].find(
    ([fd, label]) => label === 'epoll' && line.test(read(`/proc/${pid}/fdinfo/${fd}`)),
  )?.[0];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
