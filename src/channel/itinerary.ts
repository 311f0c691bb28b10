import type { SendResult } from '../connections/connection.ts';
import type { LineOptions } from '../inner/line.ts';
import type { EngineOptions } from './engine.ts';
import type { ChannelMessage } from './format.ts';
import { type ChannelMember, type MemberList, ownerOf, sameMembers } from './owners.ts';
import { type Outgoing, Post, type PostEvents } from './post.ts';

/** How long a server has to tell us where it gave a channel; then we follow the list. */
const FOLLOW_MS = 2000;
/** When to look again at a server that has said that it leaves. */
const AGAIN_MS = 1000;
/** Bytes that may wait until a server has dealt with what went to it before. */
const HELD_MAX = 8_388_608;
/** Names whose owner is remembered. */
const CACHE_MAX = 10_000;

export type ItineraryEvents = {
  /** A server is there (again) and knows nothing of us. */
  open(post: Post): void;
  message(post: Post, message: ChannelMessage): void;
  /** The first server is there, the last one is not any more. */
  connected(): void;
  disconnected(): void;
  error(code: string, message: string): void;
  /** See `NativeEngine`; tells whether somebody waits for a server's word. */
  follow(all: boolean): boolean;
  /** Whether something is subscribed or watched there. */
  needs(post: Post): boolean;
};

/** Published before a change, and not through yet: what follows on the same channels waits. */
type Hold = {
  readonly id: string;
  readonly members: readonly ChannelMember[];
  readonly held: Outgoing[];
  bytes: number;
};

/**
 * Which server has which name, for a client, and the way to each. The list of servers is the authority; on top of it a
 * server that says that it leaves counts as gone until it is back. A client never decides by itself that one is dead.
 *
 * Order: when a channel's server changes, what was published at the old one is through before anything goes to the new.
 */
export class Itinerary {
  readonly #events: ItineraryEvents;
  readonly #options: LineOptions;
  #list: MemberList;
  /** The list without those that leave. */
  #members: readonly ChannelMember[];
  readonly #leaving = new Set<string>();
  /** Servers that others have told of, by their id. */
  readonly #told = new Map<string, ChannelMember>();
  readonly #posts = new Map<string, Post>();
  readonly #owners = new Map<string, string>();
  #holds: Hold[] = [];
  #following: NodeJS.Timeout | undefined = undefined;
  readonly #looking = new Map<string, NodeJS.Timeout>();
  #begun = false;
  #connected = false;
  #ended = false;

  constructor(list: MemberList, options: EngineOptions, events: ItineraryEvents) {
    this.#list = list;
    this.#members = list.members;
    this.#events = events;
    const { secret, tls, heartbeat = 10 } = options;
    this.#options = { secret, tls, heartbeat };
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Begins: with those servers of which something is wanted already, else with any. */
  connect(): void {
    this.#begun = true;
    for (const post of this.#posts.values()) post.line.connect();
    if (this.#posts.size > 0) return;
    const any = this.#members[Math.floor(Math.random() * this.#members.length)];
    if (any) this.postAt(any.id);
  }

  close(): void {
    this.#ended = true;
    clearTimeout(this.#following);
    for (const timer of this.#looking.values()) clearTimeout(timer);
    for (const { line } of this.#posts.values()) line.close();
  }

  /** The id of the server that has a name, as far as the list tells. */
  ownerOf(name: string): string {
    const known = this.#owners.get(name);
    if (known !== undefined) return known;
    const owner = ownerOf(name, this.#members)?.id ?? '';
    if (this.#owners.size >= CACHE_MAX) this.#owners.clear();
    this.#owners.set(name, owner);
    return owner;
  }

  /** A server that another one has told of: it is there, and does not leave. */
  know(member: ChannelMember): void {
    this.#told.set(member.id, member);
    this.#posts.get(member.id)?.line.hurry();
    this.#leaves(member.id, false);
  }

  known(id: string): Post | undefined {
    return this.#posts.get(id);
  }

  /** The way to a server; it connects if it must. */
  postAt(id: string): Post | undefined {
    const known = this.#posts.get(id);
    if (known || this.#ended) return known;
    const member = this.#list.members.find((each) => each.id === id) ?? this.#told.get(id);
    if (!member) return undefined;
    const post = new Post(member, this.#options, this.#postEvents());
    this.#posts.set(id, post);
    if (this.#begun) post.line.connect();
    return post;
  }

  #postEvents(): PostEvents {
    return {
      open: (post, leaving) => this.#opened(post, leaving),
      message: (post, message) => {
        if (message.kind === 'leaving') this.#leaves(post.id, true);
        else this.#events.message(post, message);
      },
      down: (_, wasOpen) => this.#down(wasOpen),
      error: ({ id }, code, message) => {
        // Of one that has said that it leaves, this is no news.
        if (!this.#leaving.has(id)) this.#events.error(code, message);
      },
    };
  }

  #opened(post: Post, leaving: boolean): void {
    this.#leaves(post.id, leaving);
    this.#events.open(post);
    if (!this.#connected) {
      this.#connected = true;
      this.#events.connected();
    }
    this.tidy();
  }

  #down(wasOpen: boolean): void {
    if (this.#ended) return;
    this.#events.follow(false);
    if (!wasOpen || !this.#connected) return;
    this.#connected = [...this.#posts.values()].some(({ line }) => line.isOpen);
    if (!this.#connected) this.#events.disconnected();
  }

  #leaves(id: string, leaving: boolean): void {
    if (this.#leaving.has(id) === leaving) return;
    if (leaving) this.#leaving.add(id);
    else this.#leaving.delete(id);
    this.#change();
  }

  setMembers(list: MemberList): void {
    if (sameMembers(list, this.#list)) return;
    const gone = this.#list.members.filter(
      ({ id, address }) => !list.members.some((each) => each.id === id && each.address === address),
    );
    this.#list = list;
    for (const { id } of gone) {
      this.#leaving.delete(id);
      if (list.members.some((each) => each.id === id)) this.#readdress(id);
    }
    this.#change();
  }

  /** A server is somewhere else now. */
  #readdress(id: string): void {
    const old = this.#posts.get(id);
    if (!old) return;
    old.line.close();
    this.#posts.delete(id);
    const post = this.postAt(id);
    for (const each of old.takeBack()) post?.publish(each);
  }

  /** Names have other owners now. */
  #change(): void {
    const before = this.#members;
    const staying = this.#list.members.filter(({ id }) => !this.#leaving.has(id));
    this.#members = staying.length > 0 ? staying : this.#list.members;
    this.#owners.clear();
    for (const post of this.#posts.values()) if (post.isDirty) this.#hold(post, before);
    for (const post of [...this.#posts.values()])
      if (!post.line.isOpen) for (const each of post.takeBack()) this.dispatch(each);
    clearTimeout(this.#following);
    if (this.#events.follow(false)) {
      this.#following = setTimeout(() => this.#events.follow(true), FOLLOW_MS);
    }
    this.tidy();
  }

  #hold(post: Post, members: readonly ChannelMember[]): void {
    const hold: Hold = { id: post.id, members, held: [], bytes: 0 };
    this.#holds.push(hold);
    post.sync(() => {
      this.#holds = this.#holds.filter((each) => each !== hold);
      for (const each of hold.held) this.dispatch(each);
      this.tidy();
    });
  }

  /** Sends something to the server that has the name, behind all that went to it before. */
  dispatch(outgoing: Outgoing): SendResult {
    if (this.#ended) return false;
    const owner = this.ownerOf(outgoing.name);
    for (const hold of this.#holds) {
      if (owner === hold.id || ownerOf(outgoing.name, hold.members)?.id !== hold.id) continue;
      if (hold.bytes >= HELD_MAX) return false;
      hold.bytes += outgoing.bytes.length;
      hold.held.push(outgoing);
      return null;
    }
    return this.postAt(owner)?.publish(outgoing) ?? null;
  }

  /** Ends lines that nobody needs any more. */
  tidy(): void {
    for (const post of [...this.#posts.values()]) {
      const listed = this.#list.members.some(({ id }) => id === post.id);
      const leaving = this.#leaving.has(post.id);
      if ((listed && !leaving) || !this.#isIdle(post)) continue;
      post.line.close();
      this.#posts.delete(post.id);
      if (listed) this.#lookAgain(post.id);
    }
  }

  #isIdle(post: Post): boolean {
    if (this.#members.some(({ id }) => id === post.id)) return false;
    return post.jobs === 0 && !post.isSyncing && !this.#events.needs(post);
  }

  /** A server that leaves may be back soon; only itself can tell. */
  #lookAgain(id: string): void {
    clearTimeout(this.#looking.get(id));
    const look = () => {
      this.#looking.delete(id);
      if (this.#leaving.has(id)) this.postAt(id);
    };
    this.#looking.set(id, setTimeout(look, AGAIN_MS * (0.5 + Math.random())));
  }
}
