import { type ChannelMember, ownerOf } from './owners.ts';

/** A channel or a queue. */
export type What = { readonly isQueue: boolean; readonly name: string };

/** What the moves decide, to be done at once; `G` is all that a server has of a name. */
export interface MoveHands<G> {
  /** Whether there is anything of it here. */
  has(what: What): boolean;
  /** Everything that is here. */
  all(): Iterable<What>;
  /** Takes it out of here, with its clients. */
  take(what: What): G;
  /** Puts back what nobody has taken, with its clients. */
  putBack(what: What, goods: G): void;
  /** Whether a server can be given something now. */
  canGive(to: ChannelMember): boolean;
  /** Sends it to another server. */
  transmit(to: ChannelMember, what: What, goods: G): void;
  /** Tells another server that there is nothing of it here. */
  nothing(to: ChannelMember, what: What): void;
  /** Asks another server for it. */
  claim(from: string, what: What): void;
  /** Its clients are told where it is now. */
  moved(what: What, goods: G, to: ChannelMember): void;
  /** Whether a server may answer. */
  reachable(id: string): boolean;
}

/** Longest wait for the answer to a claim; then there is nothing. */
const CLAIM_MS = 2000;
/** Servers whose lists differ hand a name to each other no more often than this. */
const AGREE_MS = 50;
/** A server that had a name has given it away by itself this long after the list has changed. */
const RECENT_MS = 15_000;
/** Names that are under way at a time. */
const GIVING_MAX = 200;
/** How often names are looked for that should be elsewhere. */
const LOOK_MS = 1000;
const SETTLED_MAX = 100_000;

/** A name that is not to be touched for now; what is said about it waits. */
type Busy<G> = {
  readonly what: What;
  readonly held: (() => void)[];
  /** When the wait is over at the latest. */
  readonly until: number;
  /** It is under way to this server. */
  readonly to?: ChannelMember;
  readonly goods?: G;
  /** These servers were asked and have not answered. */
  readonly asked?: Set<string>;
};

/**
 * Which server of several has a name, and how names change hands. Pure; `now` is in milliseconds on a clock that never
 * goes back.
 *
 * A name is where it was last, until that server gives it away: possession is above the list. The list says who is to
 * have it; whoever has a name that is another one's gives it to that one, and whoever is to have a name that it does not
 * have asks those first who had it by the lists of the last seconds. Meanwhile all that is said about the name waits, in
 * order. So a name is at one server at a time, and nothing that is said about it is lost or done twice. What one client
 * says stays in order because it waits for the old server's word before it speaks to the new one (`itinerary.ts`); what
 * is passed on between servers whose lists differ may be overtaken.
 */
export class Moves<G> {
  readonly #me: string;
  readonly #hands: MoveHands<G>;
  #list: readonly ChannelMember[] = [];
  /** The list without those that leave. */
  #members: readonly ChannelMember[] = [];
  #recent: { readonly members: readonly ChannelMember[]; readonly until: number }[] = [];
  readonly #leaving = new Set<string>();
  readonly #busy = new Map<string, Busy<G>>();
  readonly #settled = new Set<string>();
  /** Wanted by servers that we cannot reach yet. */
  readonly #claims = new Map<string, { readonly what: What; readonly by: ChannelMember }>();
  #giving = 0;
  #todo: What[] = [];
  #lookAt = 0;

  constructor(me: string, hands: MoveHands<G>) {
    this.#me = me;
    this.#hands = hands;
  }

  /** This server as the list names it, if it does. */
  get self(): ChannelMember | undefined {
    return this.#list.find(({ id }) => id === this.#me);
  }

  /** Whether another server can have what this one has. */
  get hasOthers(): boolean {
    return this.#members.some(({ id }) => id !== this.#me);
  }

  /** Names that are on their way to another server. */
  get giving(): number {
    return this.#giving;
  }

  /** Whether nothing is here that another server should have. */
  get isTidy(): boolean {
    if (this.#giving > 0) return false;
    for (const what of this.#hands.all()) if (this.#isForeign(what)) return false;
    return true;
  }

  setMembers(list: readonly ChannelMember[], now: number): void {
    for (const { id } of this.#list)
      if (!list.some((each) => each.id === id)) this.#leaving.delete(id);
    this.#list = list;
    this.#change(now);
  }

  /** A server says that it is about to leave, or that it is not any more. */
  setLeaving(id: string, leaving: boolean, now: number): void {
    if (this.#leaving.has(id) === leaving) return;
    if (leaving) this.#leaving.add(id);
    else this.#leaving.delete(id);
    this.#change(now);
  }

  #change(now: number): void {
    // Whoever comes knows no earlier list; without it the others had everything.
    const known = this.#members.length > 0;
    const before = known ? this.#members : this.#list.filter(({ id }) => id !== this.#me);
    const staying = this.#list.filter(({ id }) => !this.#leaving.has(id));
    this.#members = staying.length > 0 ? staying : this.#list;
    this.#recent.push({ members: before, until: now + RECENT_MS });
    this.#settled.clear();
    this.#look(now);
  }

  #isForeign({ name }: What): boolean {
    const owner = ownerOf(name, this.#members);
    return owner !== undefined && owner.id !== this.#me;
  }

  /**
   * Where a name is: here, at another server, or not to be touched now. Asks others for it where that is needed.
   */
  place(what: What, now: number): 'here' | 'busy' | ChannelMember {
    if (this.#busy.size > 0 && this.#busy.has(keyOf(what))) return 'busy';
    const owner = ownerOf(what.name, this.#members);
    const mine = owner === undefined || owner.id === this.#me;
    if (mine && this.#recent.length === 0) return 'here';
    if (this.#hands.has(what)) return 'here';
    if (!mine) return owner;
    return this.#ask(what, now) ? 'busy' : 'here';
  }

  /** Asks those who may have it; false if there is nobody, or they were asked before. */
  #ask(what: What, now: number): boolean {
    this.#recent = this.#recent.filter(({ until }) => now < until);
    const key = keyOf(what);
    if (this.#recent.length === 0 || this.#settled.has(key)) return false;
    if (this.#settled.size >= SETTLED_MAX) this.#settled.clear();
    this.#settled.add(key);
    const asked = new Set<string>();
    for (const { members } of this.#recent) {
      const id = ownerOf(what.name, members)?.id;
      if (id !== undefined && id !== this.#me && this.#hands.reachable(id)) asked.add(id);
    }
    if (asked.size === 0) return false;
    this.#busy.set(key, { what, held: [], until: now + CLAIM_MS, asked });
    for (const id of asked) this.#hands.claim(id, what);
    return true;
  }

  /** What is to be done about a name that is `busy`, when it is not any more. */
  hold(what: What, run: () => void): void {
    this.#busy.get(keyOf(what))?.held.push(run);
  }

  /** Lets a name alone for a moment, because others see it elsewhere than we do. */
  wait(what: What, now: number): void {
    const key = keyOf(what);
    if (!this.#busy.has(key)) this.#busy.set(key, { what, held: [], until: now + AGREE_MS });
  }

  /** Another server wants a name. */
  claimed(what: What, by: ChannelMember): void {
    const busy = this.#busy.get(keyOf(what));
    if (busy?.to) {
      // It is on its way there, or to another one, which will give it to whom it belongs.
      if (busy.to.id !== by.id) this.#hands.nothing(by, what);
    } else if (busy || !this.#hands.has(what)) {
      this.#hands.nothing(by, what);
    } else if (!this.#give(what, by)) {
      this.#claims.set(keyOf(what), { what, by });
    }
  }

  /** A server has answered: it had nothing, or what it had is here now. */
  answered(what: What, from: string, found: boolean): void {
    const busy = this.#busy.get(keyOf(what));
    if (found) this.#lookAt = 0;
    if (!busy?.asked) return;
    busy.asked.delete(from);
    if (found || busy.asked.size === 0) this.#release(busy);
  }

  /** A server has taken what we gave it. */
  taken(what: What, by: string): void {
    const busy = this.#busy.get(keyOf(what));
    if (busy?.to?.id !== by) return;
    this.#hands.moved(what, busy.goods as G, busy.to);
    this.#release(busy);
    this.#giveMore();
  }

  /** The way to a server is open. */
  up(now: number): void {
    const claims = [...this.#claims.values()];
    this.#claims.clear();
    for (const { what, by } of claims) this.claimed(what, by);
    this.#look(now);
  }

  /** The way to a server is lost: what it was given and has not said to have taken is ours again. */
  down(id: string): void {
    for (const busy of [...this.#busy.values()]) {
      if (busy.to?.id === id) {
        this.#hands.putBack(busy.what, busy.goods as G);
        this.#release(busy);
      } else if (busy.asked?.delete(id) && busy.asked.size === 0) {
        this.#release(busy);
      }
    }
  }

  /** To be called many times a second: ends waits that are over, and looks for names that should be elsewhere. */
  tick(now: number): void {
    for (const busy of [...this.#busy.values()]) if (busy.until <= now) this.#release(busy);
    if (now >= this.#lookAt) this.#look(now);
  }

  #release(busy: Busy<G>): void {
    this.#busy.delete(keyOf(busy.what));
    if (busy.to) this.#giving -= 1;
    for (const run of busy.held) run();
  }

  #look(now: number): void {
    this.#lookAt = now + LOOK_MS;
    this.#todo = [];
    for (const what of this.#hands.all()) if (this.#isForeign(what)) this.#todo.push(what);
    this.#giveMore();
  }

  #giveMore(): void {
    while (this.#giving < GIVING_MAX) {
      const what = this.#todo.pop();
      if (!what) return;
      const owner = ownerOf(what.name, this.#members);
      if (!owner || owner.id === this.#me || this.#busy.has(keyOf(what))) continue;
      if (this.#hands.has(what)) this.#give(what, owner);
    }
  }

  #give(what: What, to: ChannelMember): boolean {
    if (!this.#hands.canGive(to)) return false;
    const goods = this.#hands.take(what);
    this.#hands.transmit(to, what, goods);
    this.#giving += 1;
    const until = Number.POSITIVE_INFINITY;
    this.#busy.set(keyOf(what), { what, held: [], until, to, goods });
    return true;
  }
}

/** One string for each. */
export const keyOf = ({ isQueue, name }: What): string => (isQueue ? `q${name}` : `c${name}`);
