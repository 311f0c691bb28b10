import type { Session } from './session.ts';

/** What a gateway process knows of one of its clients. */
export class Entry {
  readonly number: number;
  readonly remote: string;
  uid: string | undefined = undefined;
  session: Session = {};
  /** Grows with every change of session or uid. */
  version = 0;
  /** Made when the first group is joined. */
  groups: Set<string> | undefined = undefined;

  constructor(number: number, remote: string) {
    this.number = number;
    this.remote = remote;
  }
}

/** Longest name of a group or uid, in bytes. */
export const NAME_MAX = 255;

/**
 * The clients of one gateway process: their uids, groups and sessions. Pure.
 *
 * Invariants: no group and no uid without a client; both sides of each membership are there or neither is. What a
 * client does, its end included, costs its own memberships; what is sent to a group costs its members.
 */
export class Registry {
  readonly clients: Map<number, Entry> = new Map();
  readonly #uids = new Map<string, Set<Entry>>();
  readonly #groups = new Map<string, Set<Entry>>();
  readonly groupsMax: number;
  /** How often a client did not join a group because of that; for whoever tells, who sets it back. */
  refused = 0;
  /** Pairs of client and group. */
  memberships = 0;

  /** @param groupsMax that one client may be in */
  constructor(groupsMax: number) {
    this.groupsMax = groupsMax;
  }

  /** A client connects. */
  add(number: number, remote: string): Entry {
    const entry = new Entry(number, remote);
    this.clients.set(number, entry);
    return entry;
  }

  /** It is gone. Its entry keeps uid and session, for the last words about it. */
  remove(entry: Entry): void {
    if (!this.clients.delete(entry.number)) return;
    if (entry.uid !== undefined) drop(this.#uids, entry.uid, entry);
    for (const group of entry.groups ?? []) drop(this.#groups, group, entry);
    this.memberships -= entry.groups?.size ?? 0;
    entry.groups = undefined;
  }

  /** A client has one uid at most; the new one replaces it. Several clients may have the same. */
  bind(entry: Entry, uid: string): void {
    if (entry.uid === uid || !this.clients.has(entry.number)) return;
    if (entry.uid !== undefined) drop(this.#uids, entry.uid, entry);
    put(this.#uids, uid, entry);
    entry.uid = uid;
    entry.version += 1;
  }

  /** @param uid only if it is this one; default: whatever it is */
  unbind(entry: Entry, uid: string | undefined = entry.uid): void {
    if (uid === undefined || entry.uid !== uid || !this.clients.has(entry.number)) return;
    drop(this.#uids, uid, entry);
    entry.uid = undefined;
    entry.version += 1;
  }

  /** @returns false if the client is in as many groups as it may */
  join(entry: Entry, group: string): boolean {
    if (!this.clients.has(entry.number) || entry.groups?.has(group)) return true;
    if ((entry.groups?.size ?? 0) >= this.groupsMax) {
      this.refused += 1;
      return false;
    }
    entry.groups ??= new Set();
    entry.groups.add(group);
    put(this.#groups, group, entry);
    this.memberships += 1;
    return true;
  }

  leave(entry: Entry, group: string): void {
    if (!entry.groups?.delete(group)) return;
    drop(this.#groups, group, entry);
    this.memberships -= 1;
    if (entry.groups.size === 0) entry.groups = undefined;
  }

  /** Dissolves a group. */
  ungroup(group: string): void {
    for (const entry of [...this.inGroup(group)]) this.leave(entry, group);
  }

  /** Replaces a session. */
  setSession(entry: Entry, session: Session): void {
    entry.session = session;
    entry.version += 1;
  }

  /** Its members, in the order in which they joined. */
  inGroup(group: string): ReadonlySet<Entry> {
    return this.#groups.get(group) ?? NOBODY;
  }

  withUid(uid: string): ReadonlySet<Entry> {
    return this.#uids.get(uid) ?? NOBODY;
  }

  /** Those in any of several groups, each once. */
  inGroups(groups: readonly string[]): Iterable<Entry> {
    return groups.length === 1
      ? this.inGroup(groups[0] as string)
      : union(groups.map((group) => this.inGroup(group)));
  }

  /** Those with any of several uids; a client has one, so none comes twice. */
  withUids(uids: readonly string[]): Iterable<Entry> {
    return uids.length === 1
      ? this.withUid(uids[0] as string)
      : union(uids.map((uid) => this.withUid(uid)));
  }

  get groups(): Iterable<string> {
    return this.#groups.keys();
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  get uids(): Iterable<string> {
    return this.#uids.keys();
  }

  get uidCount(): number {
    return this.#uids.size;
  }
}

const NOBODY: ReadonlySet<Entry> = new Set();

function union(sets: readonly ReadonlySet<Entry>[]): Set<Entry> {
  const all = new Set<Entry>();
  for (const set of sets) for (const entry of set) all.add(entry);
  return all;
}

function put(map: Map<string, Set<Entry>>, name: string, entry: Entry): void {
  const set = map.get(name);
  if (set) set.add(entry);
  else map.set(name, new Set([entry]));
}

function drop(map: Map<string, Set<Entry>>, name: string, entry: Entry): void {
  const set = map.get(name);
  set?.delete(entry);
  if (set?.size === 0) map.delete(name);
}
