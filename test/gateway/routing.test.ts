import { describe, expect, it } from '@jest/globals';
import { type Guest, type Hands, Routing, type Waiting } from '../../src/gateway/routing.ts';
import { Random } from '../support/random.ts';

type Item = Waiting & { readonly number: number };
type Told = Guest<string, number, Item>;

const LIMITS = { windowEvents: 6, windowBytes: 500, guestEvents: 4, guestBytes: 200 };
const SIZE = 30;

/** BusinessWorkers that take events, say when they are through, and see to it that nothing is wrong. */
class World implements Hands<string, number, Item> {
  readonly routing = new Routing<string, number, Item>(LIMITS, this);
  readonly guests: Told[] = [];
  /** Events made for each guest. */
  readonly made: number[] = [];
  /** What each guest's BusinessWorkers got, in order. */
  readonly got: number[][] = [];
  readonly open = new Map<string, { events: number; bytes: number; todo: number }>();
  readonly leaving = new Set<string>();
  readonly silent = new Set<string>();
  /** Who got a guest's events last, and which are unfinished there. */
  readonly owner: (string | undefined)[] = [];
  readonly paused = new Set<number>();
  lost = 0;

  hand(link: string, guest: Told, item: Item): number {
    const i = guest.client;
    if (!this.open.has(link) || this.leaving.has(link) || this.silent.has(link))
      throw new Error(`${link} takes nothing`);
    if (this.owner[i] !== link && this.got[i]?.length && !item.adoption)
      throw new Error(`${link} does not know guest ${i}`);
    this.owner[i] = link;
    const state = this.open.get(link) as { todo: number };
    if (!item.adoption) {
      this.got[i]?.push(item.number);
      state.todo += 1;
    }
    return item.size || 1;
  }

  adoption(): Item {
    return { number: -1, size: 0, adoption: true };
  }

  pause({ client }: Told): void {
    this.paused.add(client);
  }

  resume({ client }: Told): void {
    this.paused.delete(client);
  }

  held(): void {}

  arrive(): void {
    const i = this.guests.length;
    this.made.push(0);
    this.got.push([]);
    this.owner.push(undefined);
    this.guests.push(this.routing.add(i, 0));
  }

  /** A guest says something, unless its connection is paused. */
  say(i: number, last = false): void {
    const guest = this.guests[i] as Told;
    if (guest.gone || (this.paused.has(i) && !last)) return;
    guest.gone = last;
    this.made[i] = (this.made[i] as number) + 1;
    const item = { number: this.made[i] as number, size: SIZE, last };
    const link = this.routing.direct(guest);
    if (!link) this.routing.wait(guest, item, 1);
    else this.routing.handed(guest, this.hand(link, guest, item), item);
  }

  /** A BusinessWorker is through with all it has. */
  finish(link: string): void {
    const bond = this.routing.bonds.get(link);
    const state = this.open.get(link);
    if (!bond || !state) return;
    state.todo = 0;
    this.routing.finished(link, bond.handed, bond.handedBytes, 2);
  }

  leave(link: string): void {
    this.leaving.add(link);
    this.routing.leaving(link);
  }

  hush(link: string, silent: boolean): void {
    if (silent) this.silent.add(link);
    else this.silent.delete(link);
    this.routing.silent(link, silent, 2);
  }

  /** No BusinessWorker has more than it may have, and no guest. */
  check(): void {
    const { windowEvents, windowBytes, guestEvents } = LIMITS;
    for (const { unfinished, handedBytes, finishedBytes } of this.routing.bonds.values())
      if (unfinished > windowEvents || handedBytes - finishedBytes > windowBytes + SIZE)
        throw new Error(`${unfinished} events are unfinished`);
    for (const { queue, client } of this.guests)
      if (queue.length > guestEvents + 2) throw new Error(`${queue.length} wait for ${client}`);
  }

  /** All leave, a new one comes, and it finishes whatever it gets. */
  settle(): void {
    for (const link of [...this.silent]) this.hush(link, false);
    for (const link of this.leaving) {
      this.finish(link);
      this.end(link);
    }
    for (const guest of this.guests) this.routing.unmute(guest, 1);
    this.open.set('last', { events: 0, bytes: 0, todo: 0 });
    this.routing.opened('last', 1);
    for (let i = 0; i < 2000 && this.routing.waiting > 0; i += 1)
      for (const link of this.open.keys()) this.finish(link);
  }

  end(link: string): void {
    this.open.delete(link);
    this.leaving.delete(link);
    this.silent.delete(link);
    this.lost += this.routing.closed(link, 3);
  }
}

function step(random: Random, world: World, i: number): void {
  const guest = world.guests.length > 0 ? random.int(0, world.guests.length - 1) : -1;
  const dice = random.int(0, 22);
  if (dice === 0 || guest === -1) world.arrive();
  else if (dice === 1) world.say(guest, true);
  else if (dice === 2) world.routing.mute(world.guests[guest] as Told);
  else if (dice === 3) world.routing.unmute(world.guests[guest] as Told, 1);
  else if (dice === 4) come(world, `w${i}`);
  else if (dice < 13) happen(world, random, dice);
  else world.say(guest);
}

function come(world: World, link: string): void {
  if (world.open.size >= 4) return;
  world.open.set(link, { events: 0, bytes: 0, todo: 0 });
  world.routing.opened(link, 1);
}

/** Something about a BusinessWorker that is there. */
function happen(world: World, random: Random, dice: number): void {
  if (world.open.size === 0) return;
  const link = random.pick([...world.open.keys()]);
  if (dice === 5) world.leave(link);
  else if (dice === 6) {
    world.leave(link);
    world.finish(link);
    world.end(link);
  } else if (dice === 7 || dice === 8) world.hush(link, dice === 7);
  else world.finish(link);
}

describe('routing', () => {
  it.each(Array.from({ length: 30 }, (_, seed) => seed + 1))(
    'hands over everything, once, in order, whatever comes and goes (seed %i)',
    (seed) => {
      const random = new Random(seed);
      const world = new World();
      for (let i = 0; i < 600; i += 1) {
        step(random, world, i);
        world.check();
      }
      world.settle();
      for (const [i, got] of world.got.entries())
        expect(got).toEqual(Array.from({ length: world.made[i] as number }, (_, n) => n + 1));
      expect([world.routing.waiting, world.routing.waitingBytes, world.lost]).toEqual([0, 0, 0]);
      expect(world.paused.size).toBe(0);
    },
  );

  it('gives a new guest to the BusinessWorker with the fewest', () => {
    const world = new World();
    for (const link of ['a', 'b', 'c']) {
      world.open.set(link, { events: 0, bytes: 0, todo: 0 });
      world.routing.opened(link, 0);
    }
    for (let i = 0; i < 9; i += 1) world.arrive();
    expect([...world.routing.bonds.values()].map(({ guests }) => guests.size)).toEqual([3, 3, 3]);
    world.open.set('d', { events: 0, bytes: 0, todo: 0 });
    world.routing.opened('d', 0);
    world.end('a');
    expect([...world.routing.bonds.values()].map(({ guests }) => guests.size)).toEqual([3, 3, 3]);
  });

  it('counts what a killed BusinessWorker had unfinished', () => {
    const world = new World();
    world.open.set('a', { events: 0, bytes: 0, todo: 0 });
    world.routing.opened('a', 0);
    world.arrive();
    for (let i = 0; i < 4; i += 1) world.say(0);
    world.routing.finished('a', 1, SIZE, 0);
    expect(world.routing.closed('a', 0)).toBe(3);
    expect(world.routing.closed('a', 0)).toBe(0);
  });

  it('hands nothing to a silent BusinessWorker, nor new guests while there is another', () => {
    const world = new World();
    for (const link of ['a', 'b']) {
      world.open.set(link, { events: 0, bytes: 0, todo: 0 });
      world.routing.opened(link, 0);
    }
    for (let i = 0; i < 2; i += 1) world.arrive();
    world.hush('a', true);
    for (let i = 0; i < 3; i += 1) world.say(0);
    world.arrive();
    expect([world.routing.waiting, world.got[0]]).toEqual([3, []]);
    expect([...world.routing.bonds.values()].map(({ guests }) => guests.size)).toEqual([1, 2]);
    world.hush('a', false);
    expect([world.routing.waiting, world.got[0]]).toEqual([0, [1, 2, 3]]);
    world.hush('a', true);
    world.say(0);
    world.end('a');
    expect([world.got[0], world.owner[0], world.lost]).toEqual([[1, 2, 3, 4], 'b', 3]);
  });

  it('does not believe that more is finished than was handed over', () => {
    const world = new World();
    world.open.set('a', { events: 0, bytes: 0, todo: 0 });
    world.routing.opened('a', 0);
    world.routing.finished('a', 5, 5, 0);
    expect(world.routing.bonds.get('a')?.unfinished).toBe(0);
  });

  it('gives up guests that nobody has known, and those that are gone, after a while', () => {
    const world = new World();
    world.arrive();
    expect(world.routing.late(-1)).toEqual([]);
    expect(world.routing.late(0)).toEqual([world.guests[0]]);
    world.open.set('a', { events: 0, bytes: 0, todo: 0 });
    world.routing.opened('a', 0);
    world.say(0);
    world.end('a');
    expect(world.routing.late(10)).toEqual([]);
    world.say(0, true);
    expect(world.routing.late(10)).toEqual([world.guests[0]]);
  });
});
