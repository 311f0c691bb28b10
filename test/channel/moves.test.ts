import { describe, expect, it } from '@jest/globals';
import { keyOf, type MoveHands, Moves, type What } from '../../src/channel/moves.ts';
import type { ChannelMember } from '../../src/channel/owners.ts';
import { Random } from '../support/random.ts';

/** What a server has of a name: all that was ever said about it, in order. */
type Goods = { readonly said: string[] };

/** Longest that a message is under way, and a list. Messages of one server to another stay in order. */
const MESSAGE_MS = 20;
const LIST_MS = 800;
const TICK_MS = 10;

const member = (id: string): ChannelMember => ({ id, address: `${id}:2206` });

/** Some servers, and the messages that are under way between them. */
class World {
  readonly servers = new Map<string, Server>();
  readonly random: Random;
  now = 0;
  #mail: { readonly at: number; readonly from: string; readonly to: string; run(): void }[] = [];
  #list: string[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** Sends something, which arrives after all that was sent before from there to there. */
  send(from: string, to: string, run: (server: Server) => void, longest = MESSAGE_MS): void {
    const before = this.#mail.filter((each) => each.from === from && each.to === to);
    const earliest = Math.max(this.now, ...before.map(({ at }) => at));
    const at = Math.max(earliest, this.now + this.random.int(1, longest));
    this.#mail.push({
      at,
      from,
      to,
      run: () => {
        const server = this.servers.get(to);
        if (server) run(server);
      },
    });
  }

  /** Everybody is told of another list, each at a time of its own. */
  announce(ids: readonly string[]): void {
    this.#list = [...ids];
    for (const server of this.servers.values()) this.tell(server);
  }

  tell(server: Server): void {
    const list = this.#list.map(member);
    // An older list that comes late is not believed.
    this.send('operator', server.id, ({ moves }) => moves.setMembers(list, this.now), LIST_MS);
  }

  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 1;
      const due = this.#mail.filter(({ at }) => at <= this.now);
      this.#mail = this.#mail.filter(({ at }) => at > this.now);
      for (const each of due.sort((a, b) => a.at - b.at)) each.run();
      if (this.now % TICK_MS === 0)
        for (const { moves } of this.servers.values()) moves.tick(this.now);
    }
  }

  kill(id: string): void {
    this.servers.delete(id);
    this.#mail = this.#mail.filter(({ from, to }) => from !== id && to !== id);
    for (const { moves } of this.servers.values()) moves.down(id);
  }

  /** Who has a name. */
  holders(what: What): Server[] {
    return [...this.servers.values()].filter(({ names }) => names.has(keyOf(what)));
  }
}

class Server implements MoveHands<Goods> {
  readonly id: string;
  readonly names = new Map<string, { what: What; goods: Goods }>();
  readonly moves: Moves<Goods>;
  readonly #world: World;

  constructor(id: string, world: World) {
    this.id = id;
    this.#world = world;
    this.moves = new Moves(id, this);
    world.servers.set(id, this);
  }

  /** As `Dispatch` passes something on. @param hops servers it has been at */
  say(what: What, text: string, hops = 0, waited = false): void {
    const { now } = this.#world;
    const place = this.moves.place(what, now);
    if (place === 'here') {
      const known = this.names.get(keyOf(what)) ?? { what, goods: { said: [] } };
      this.names.set(keyOf(what), known);
      known.goods.said.push(text);
    } else if (place === 'busy' || (hops > 0 && !waited)) {
      if (place !== 'busy') this.moves.wait(what, now);
      this.moves.hold(what, () => this.say(what, text, hops, true));
    } else {
      this.#world.send(this.id, place.id, (other) => other.say(what, text, hops + 1));
    }
  }

  has(what: What): boolean {
    return this.names.has(keyOf(what));
  }

  all(): Iterable<What> {
    return [...this.names.values()].map(({ what }) => what);
  }

  take(what: What): Goods {
    const { goods } = this.names.get(keyOf(what)) as { goods: Goods };
    this.names.delete(keyOf(what));
    return goods;
  }

  putBack(what: What, goods: Goods): void {
    const now = this.names.get(keyOf(what));
    this.names.set(keyOf(what), {
      what,
      goods: { said: [...goods.said, ...(now?.goods.said ?? [])] },
    });
  }

  canGive({ id }: ChannelMember): boolean {
    return id !== this.id && this.#world.servers.has(id);
  }

  transmit({ id }: ChannelMember, what: What, goods: Goods): void {
    this.#world.send(this.id, id, (other) => {
      other.putBack(what, { said: [...goods.said] });
      this.#world.send(id, this.id, (back) => back.moves.taken(what, id));
      other.moves.answered(what, this.id, true);
    });
  }

  nothing({ id }: ChannelMember, what: What): void {
    this.#world.send(this.id, id, (other) => other.moves.answered(what, this.id, false));
  }

  claim(from: string, what: What): void {
    this.#world.send(this.id, from, (other) => other.moves.claimed(what, member(this.id)));
  }

  moved(): void {}

  reachable(id: string): boolean {
    return this.#world.servers.has(id);
  }
}

const NAMES: What[] = Array.from({ length: 12 }, (_, i) => ({
  isQueue: i % 3 === 0,
  name: `n${i}`,
}));

/** Things are said everywhere, by several speakers, while servers come, leave and, if they may, die. */
class Story {
  readonly world: World;
  readonly spoken = new Map<string, string[]>();
  /** Names that were at a server when it died, or on their way from or to it. */
  readonly struck = new Set<string>();
  #ids: string[] = ['a', 'b', 'c'];
  #born = 0;

  constructor(seed: number) {
    this.world = new World(seed);
    for (const id of this.#ids) new Server(id, this.world);
    this.world.announce(this.#ids);
    this.world.pass(LIST_MS + 1);
  }

  speak(rounds: number): void {
    const { random } = this.world;
    for (let i = 0; i < rounds; i += 1) {
      const what = random.pick(NAMES);
      // A speaker has one way to its servers: it stays with the one it began with.
      const id = [...this.world.servers.keys()].sort()[0] as string;
      const all = this.spoken.get(keyOf(what)) ?? [];
      const text = `${keyOf(what)} ${all.length}`;
      this.spoken.set(keyOf(what), [...all, text]);
      this.world.servers.get(id)?.say(what, text);
      this.world.pass(random.int(0, 3));
    }
  }

  change(mayKill: boolean): void {
    const { random } = this.world;
    const acts = [
      () => this.#join(),
      () => this.#leave(),
      ...(mayKill ? [() => this.#kill()] : []),
    ];
    random.pick(acts)();
  }

  #join(): void {
    if (this.#ids.length >= 5) return;
    this.#born += 1;
    const id = `s${this.#born}`;
    this.#ids.push(id);
    this.world.tell(new Server(id, this.world));
    this.world.announce(this.#ids);
  }

  /** Off the list; it goes when it has given everything away. */
  #leave(): void {
    const { random } = this.world;
    if (this.#ids.length <= 2) return;
    const id = random.pick(this.#ids.filter((each) => each !== 'a'));
    this.#ids = this.#ids.filter((each) => each !== id);
    for (const { moves } of this.world.servers.values()) moves.setLeaving(id, true, this.world.now);
    this.world.announce(this.#ids);
  }

  #kill(): void {
    const { random } = this.world;
    if (this.#ids.length <= 2) return;
    const id = random.pick(this.#ids.filter((each) => each !== 'a'));
    this.#ids = this.#ids.filter((each) => each !== id);
    for (const what of NAMES) {
      const [holder] = this.world.holders(what);
      if (!holder || holder.id === id) this.struck.add(keyOf(what));
    }
    this.world.kill(id);
    this.world.announce(this.#ids);
  }

  /** Time for everything to settle. */
  rest(): void {
    this.world.pass(20_000);
  }
}

describe('names that change hands', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
    'are at one server in the end, with all that was said, once, whatever lists come when (seed %i)',
    (seed) => {
      const story = new Story(seed);
      for (let i = 0; i < 8; i += 1) {
        story.speak(30);
        story.change(false);
        story.speak(30);
        story.world.pass(story.world.random.int(0, 3000));
      }
      story.rest();
      for (const what of NAMES) {
        const holders = story.world.holders(what);
        const said = holders.flatMap(({ names }) => names.get(keyOf(what))?.goods.said ?? []);
        const spoken = story.spoken.get(keyOf(what)) ?? [];
        expect([keyOf(what), holders.length, said.sort()]).toEqual([
          keyOf(what),
          spoken.length > 0 ? 1 : 0,
          spoken.sort(),
        ]);
      }
    },
  );

  it.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
    'are at one server in the end although servers die, and those that were elsewhere have lost nothing (seed %i)',
    (seed) => {
      const story = new Story(seed);
      for (let i = 0; i < 6; i += 1) {
        story.speak(30);
        story.world.pass(story.world.random.int(0, 25_000));
        story.change(true);
        story.speak(30);
      }
      story.rest();
      // Said once more, each is somewhere.
      for (const what of NAMES) story.world.servers.get('a')?.say(what, 'last');
      story.rest();
      for (const what of NAMES) {
        const holders = story.world.holders(what);
        expect([keyOf(what), holders.length]).toEqual([keyOf(what), 1]);
        if (story.struck.has(keyOf(what))) continue;
        const said = holders[0]?.names.get(keyOf(what))?.goods.said;
        const spoken = story.spoken.get(keyOf(what)) ?? [];
        expect(said?.sort()).toEqual([...spoken, 'last'].sort());
      }
      for (const { moves } of story.world.servers.values()) expect(moves.giving).toBe(0);
    },
  );
});
