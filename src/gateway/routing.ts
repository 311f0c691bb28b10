/**
 * Which BusinessWorker gets a client's events, and what waits for it. Pure: a clock's `now` comes in, what is to be
 * done goes out through `Hands`.
 *
 * A client (here: a guest) is bound to one BusinessWorker's link, the one with the fewest guests when it came, and
 * stays there. Its events wait, in order, while
 *
 * - there is no BusinessWorker for it,
 * - its BusinessWorker is leaving: what it has already been handed is finished first,
 * - its BusinessWorker gives no sign of life, as long as it may come back,
 * - its BusinessWorker has as much unfinished work as it may have, or the guest's own handler takes long (muted).
 *
 * Invariant: an event is handed over only when none of the same guest waits before it, and only to the one link that
 * the guest is bound to; so each guest's events are seen in order. Beyond a bound the guest's connection is not read
 * any more; nothing is dropped.
 */

/** What can wait. */
export type Waiting = {
  /** Bytes. */
  readonly size: number;
  /** Nothing follows it: the guest is gone. */
  readonly last?: boolean;
  /** It only introduces a guest to its next BusinessWorker. */
  readonly adoption?: boolean;
};

export type RoutingLimits = {
  /** Events and bytes that one BusinessWorker may have unfinished. */
  readonly windowEvents: number;
  readonly windowBytes: number;
  /** Events and bytes that may wait for one guest before its connection is paused. */
  readonly guestEvents: number;
  readonly guestBytes: number;
};

/** What routing decides, to be done at once. */
export interface Hands<L, C, I extends Waiting> {
  /** @returns bytes on the wire */
  hand(link: L, guest: Guest<L, C, I>, item: I): number;
  /** An introduction of a guest that other BusinessWorkers know. */
  adoption(guest: Guest<L, C, I>): I;
  pause(guest: Guest<L, C, I>): void;
  resume(guest: Guest<L, C, I>): void;
  /** A guest's events have waited so long, in milliseconds, and go on now. */
  held(ms: number): void;
}

/** One client. */
export class Guest<L, C, I extends Waiting> {
  readonly client: C;
  bond: Bond<L, C, I> | undefined = undefined;
  queue: I[] = [];
  queued = 0;
  muted = false;
  paused = false;
  /** Since when it is without a BusinessWorker. */
  since = 0;
  heldSince = 0;
  /** Some BusinessWorker knows it. */
  known = false;
  /** Of the registry's version: what its BusinessWorker has; -1 for nothing. */
  told = -1;
  /** How many states it was told of this guest. */
  states = 0;
  /** The last event is queued or handed. */
  gone = false;

  constructor(client: C) {
    this.client = client;
  }
}

/** One BusinessWorker's link. */
export class Bond<L, C, I extends Waiting> {
  readonly link: L;
  readonly guests: Set<Guest<L, C, I>> = new Set();
  /** Guests whose events wait until there is room in the window. */
  readonly blocked: Set<Guest<L, C, I>> = new Set();
  leaving = false;
  silent = false;
  handed = 0;
  handedBytes = 0;
  finished = 0;
  finishedBytes = 0;

  constructor(link: L) {
    this.link = link;
  }

  /** One with less gets new guests. */
  get load(): number {
    return this.silent ? Number.MAX_SAFE_INTEGER : this.guests.size;
  }

  /** Events it was handed and has not said to be through with. */
  get unfinished(): number {
    return this.handed - this.finished;
  }
}

export class Routing<L, C, I extends Waiting> {
  readonly bonds: Map<L, Bond<L, C, I>> = new Map();
  /** Guests without a BusinessWorker. */
  readonly unbound: Set<Guest<L, C, I>> = new Set();
  /** Events and bytes that wait. */
  waiting = 0;
  waitingBytes = 0;
  readonly #limits: RoutingLimits;
  readonly #hands: Hands<L, C, I>;

  constructor(limits: RoutingLimits, hands: Hands<L, C, I>) {
    this.#limits = limits;
    this.#hands = hands;
  }

  /** A client has come. */
  add(client: C, now: number): Guest<L, C, I> {
    const guest = new Guest<L, C, I>(client);
    this.#bind(guest, now);
    return guest;
  }

  /** Where the next event of a guest may go right now; `undefined`: it has to `wait`. */
  direct(guest: Guest<L, C, I>): L | undefined {
    return guest.queue.length === 0 && this.#open(guest) ? guest.bond?.link : undefined;
  }

  /** An event went there. */
  handed(
    guest: Guest<L, C, I>,
    bytes: number,
    { last = false, adoption = false }: Pick<Waiting, 'last' | 'adoption'> = {},
  ): void {
    const bond = guest.bond as Bond<L, C, I>;
    guest.known = true;
    bond.handed += adoption ? 0 : 1;
    bond.handedBytes += bytes;
    if (last) this.forget(guest);
  }

  /** An event waits. */
  wait(guest: Guest<L, C, I>, item: I, now: number): void {
    if (guest.queue.length === 0) guest.heldSince = now;
    this.#push(guest, item, false);
    const bond = guest.bond;
    if (bond && !bond.leaving && !guest.muted) bond.blocked.add(guest);
    const { guestEvents, guestBytes } = this.#limits;
    if (guest.paused || (guest.queue.length < guestEvents && guest.queued < guestBytes)) return;
    guest.paused = true;
    this.#hands.pause(guest);
  }

  #push(guest: Guest<L, C, I>, item: I, front: boolean): void {
    if (front) guest.queue.unshift(item);
    else guest.queue.push(item);
    guest.queued += item.size;
    this.waiting += 1;
    this.waitingBytes += item.size;
  }

  #open(guest: Guest<L, C, I>): boolean {
    const { bond } = guest;
    return !!bond && !bond.leaving && !guest.muted && this.#hasRoom(bond);
  }

  #hasRoom(bond: Bond<L, C, I>): boolean {
    if (bond.silent) return false;
    const { windowEvents, windowBytes } = this.#limits;
    const bytes = bond.handedBytes - bond.finishedBytes;
    return bond.unfinished < windowEvents && bytes < windowBytes;
  }

  /** Hands over what waits, as far as it may go. */
  #pump(guest: Guest<L, C, I>, now: number): void {
    if (guest.queue.length === 0) return;
    while (guest.queue.length > 0 && this.#open(guest)) {
      const item = guest.queue.shift() as I;
      guest.queued -= item.size;
      this.waiting -= 1;
      this.waitingBytes -= item.size;
      this.handed(guest, this.#hands.hand((guest.bond as Bond<L, C, I>).link, guest, item), item);
    }
    if (guest.queue.length > 0) {
      if (guest.bond && !guest.bond.leaving && !guest.muted) guest.bond.blocked.add(guest);
      return;
    }
    guest.bond?.blocked.delete(guest);
    if (guest.heldSince > 0) this.#hands.held(now - guest.heldSince);
    guest.heldSince = 0;
    if (!guest.paused) return;
    guest.paused = false;
    // Last, because the connection delivers at once what it has kept.
    this.#hands.resume(guest);
  }

  #bind(guest: Guest<L, C, I>, now: number): void {
    guest.told = -1;
    guest.states = 0;
    guest.muted = false;
    guest.bond = undefined;
    let best: Bond<L, C, I> | undefined;
    for (const bond of this.bonds.values()) {
      if (!bond.leaving && (!best || bond.load < best.load)) best = bond;
    }
    if (!best) {
      if (!this.unbound.has(guest)) guest.since = now;
      this.unbound.add(guest);
      return;
    }
    this.unbound.delete(guest);
    best.guests.add(guest);
    guest.bond = best;
    if (guest.known && !guest.queue[0]?.adoption)
      this.#push(guest, this.#hands.adoption(guest), true);
    this.#pump(guest, now);
  }

  /** A BusinessWorker takes clients: all that are without one, and its share of those to come. */
  opened(link: L, now: number): void {
    if (this.bonds.has(link)) return;
    this.bonds.set(link, new Bond(link));
    for (const guest of [...this.unbound]) this.#bind(guest, now);
  }

  /** It takes nothing more; what its guests do waits. */
  leaving(link: L): void {
    const bond = this.bonds.get(link);
    if (!bond) return;
    bond.leaving = true;
    bond.blocked.clear();
  }

  /** It is through with its guests, or gone: they go to others. Gives how many events it was handed and never finished. */
  closed(link: L, now: number): number {
    const bond = this.bonds.get(link);
    if (!bond) return 0;
    this.bonds.delete(link);
    for (const guest of bond.guests) this.#bind(guest, now);
    return bond.unfinished;
  }

  /** It is through with so much, counted from its beginning. */
  finished(link: L, events: number, bytes: number, now: number): void {
    const bond = this.bonds.get(link);
    if (!bond || events > bond.handed || bytes > bond.handedBytes) return;
    bond.finished = events;
    bond.finishedBytes = bytes;
    this.#unblock(bond, now);
  }

  /** It gives no sign of life, or does again: while it does not, nothing more is handed to it. */
  silent(link: L, silent: boolean, now: number): void {
    const bond = this.bonds.get(link);
    if (!bond || bond.silent === silent) return;
    bond.silent = silent;
    this.#unblock(bond, now);
  }

  #unblock(bond: Bond<L, C, I>, now: number): void {
    for (const guest of bond.blocked) {
      if (!this.#hasRoom(bond)) return;
      bond.blocked.delete(guest);
      this.#pump(guest, now);
    }
  }

  /** Its handler is behind: its events wait here. */
  mute(guest: Guest<L, C, I>): void {
    guest.muted = true;
    guest.bond?.blocked.delete(guest);
  }

  unmute(guest: Guest<L, C, I>, now: number): void {
    guest.muted = false;
    this.#pump(guest, now);
  }

  /** Nothing more will come of it, and nobody has to know. */
  forget(guest: Guest<L, C, I>): void {
    for (const { size } of guest.queue) this.waitingBytes -= size;
    this.waiting -= guest.queue.length;
    guest.queue = [];
    guest.queued = 0;
    guest.bond?.guests.delete(guest);
    guest.bond?.blocked.delete(guest);
    guest.bond = undefined;
    this.unbound.delete(guest);
  }

  /**
   * Guests that have waited for a BusinessWorker since before a moment, and that none has ever known or that are gone
   * themselves: they are not kept any longer.
   */
  late(before: number): Guest<L, C, I>[] {
    return [...this.unbound].filter((g) => g.since <= before && (!g.known || g.gone));
  }
}
