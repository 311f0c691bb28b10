import { membersOf } from '../master/peers-format.ts';

/** A server as lists name it. */
export type ChannelMember = {
  /** Stable and unique. */
  readonly id: string;
  /** `HOST:PORT`, `unix:///path` or `nats://…`. */
  readonly address: string;
};

/** Servers, as a versioned list. */
export type MemberList = { readonly version: number; readonly members: readonly ChannelMember[] };

/** The list of a program that names its servers itself, one with commas or several; the address is the id. */
export function listOf(addresses: string | readonly string[]): MemberList {
  return { version: 0, members: membersOf([addresses].flat().join()) };
}

/** Whether two lists name the same servers in the same order, whatever their versions. */
export function sameMembers(a: MemberList | undefined, b: MemberList | undefined): boolean {
  return JSON.stringify(a?.members) === JSON.stringify(b?.members);
}

/**
 * The member that a channel belongs to: rendezvous hashing, the highest score of (member, channel) wins. The order of
 * the list does not matter, and a member that comes or goes moves only the channels that it gets or had.
 *
 * @returns `undefined` for an empty list
 */
export function ownerOf<M extends { readonly id: string }>(
  channel: string,
  members: readonly M[],
): M | undefined {
  if (members.length <= 1) return members[0];
  const hash = hashOf(channel);
  let best: M | undefined;
  let highest = -1;
  for (const member of members) {
    const score = mixed(hash ^ mixed(hashOf(member.id)));
    if (score < highest || (score === highest && best && member.id < best.id)) continue;
    best = member;
    highest = score;
  }
  return best;
}

/** FNV-1a over UTF-16 units, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 255), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

/** Spreads 32 bits so that each bit of the result depends on each of the input: the finalizer of MurmurHash3. */
function mixed(bits: number): number {
  let hash = bits ^ (bits >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
