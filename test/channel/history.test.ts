import { describe, expect, it } from '@jest/globals';
import type { Position } from '../../src/channel/engine.ts';
import { History } from '../../src/channel/history.ts';
import { Random } from '../support/random.ts';

const BOUNDS = { size: 3, seconds: 10 };

/** A history whose epochs are 1, 2, 3 … and whose events are their offsets. */
function make(maxBytes = 1e9) {
  let epochs = 0;
  const history = new History(maxBytes, () => {
    epochs += 1;
    return String(epochs);
  });
  const plain = (channel: string, now: number, bounds?: typeof BOUNDS) =>
    history.append(channel, bounds, now, ({ offset }) => Buffer.from(`${channel}${offset}`));
  const add = (channel: string, now: number) => plain(channel, now, BOUNDS);
  const since = (channel: string, position: Position | undefined, now: number) => {
    const found = history.since(channel, position, BOUNDS, now);
    return found && { ...found, missed: found.missed.map(({ event }) => String(event)) };
  };
  return { history, add, plain, since };
}

const at = (offset: number, epoch = '1') => ({ offset, epoch });

describe('History', () => {
  it('gives all that was missed, in order', () => {
    const { add, since } = make();
    for (const now of [1, 2, 3]) add('a', now);
    expect(since('a', at(0), 4)).toEqual({
      recovered: true,
      missed: ['a1', 'a2', 'a3'],
      position: at(0),
    });
    expect(since('a', at(2), 4)).toMatchObject({ recovered: true, missed: ['a3'] });
    expect(since('a', at(3), 4)).toMatchObject({ recovered: true, missed: [] });
    expect(since('a', undefined, 4)).toEqual({ recovered: true, missed: [], position: at(3) });
  });

  it('gives nothing at all when one event is gone, by count or by age', () => {
    const { add, since } = make();
    for (const now of [0, 1000, 2000, 3000]) add('a', now);
    const gap = { recovered: false, missed: [], position: at(4) };
    expect(since('a', at(0), 4000)).toEqual(gap);
    expect(since('a', at(1), 4000)).toMatchObject({ recovered: true });
    expect(since('a', at(1), 11_000)).toEqual(gap);
    expect(since('a', at(2), 11_000)).toMatchObject({ recovered: true, missed: ['a3', 'a4'] });
    expect(since('a', at(4), 99_000)).toMatchObject({ recovered: true, missed: [] });
  });

  it.each([
    ['of another epoch', at(3, '9')],
    ['of the future', at(4)],
  ])('recovers nobody whose position is %s', (_, position) => {
    const { add, since } = make();
    for (const now of [1, 2, 3]) add('a', now);
    expect(since('a', position, 4)).toEqual({ recovered: false, missed: [], position: at(3) });
  });

  it('begins with the first subscriber or publisher who asks for it, and then keeps everything', () => {
    const { history, plain, since } = make();
    expect(plain('plain', 1)).toBeUndefined();
    expect(history.has('plain', 1)).toBe(false);
    expect(since('a', undefined, 1)?.position).toEqual(at(0));
    expect(String(plain('a', 2))).toBe('a1');
    expect(since('a', at(0), 3)).toMatchObject({ recovered: true, missed: ['a1'] });
  });

  it('drops whole logs beyond its bytes, the one used longest ago first, with their epochs', () => {
    const { history, add, since } = make(2000);
    for (const [now, channel] of ['a', 'b', 'c'].entries()) add(channel, now);
    since('a', undefined, 3);
    add('d', 4);
    expect(['a', 'b', 'c', 'd'].map((each) => history.has(each, 5))).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect(since('b', at(1, '2'), 6)).toMatchObject({ recovered: false, position: at(0, '5') });
    expect(history.bytes).toBeLessThanOrEqual(2000);
  });

  it('drops the oldest events of a log that is too large by itself', () => {
    const { history } = make(100_000);
    const bounds = { size: 1000, seconds: 10 };
    for (let i = 0; i < 50; i += 1) history.append('a', bounds, i, () => Buffer.alloc(10_000));
    expect(history.entries).toBe(9);
    expect(history.bytes).toBeLessThanOrEqual(100_000);
  });

  it('forgets with time what nobody uses', () => {
    const { history, add } = make();
    add('a', 0);
    history.sweep(10_001);
    expect([history.entries, history.size]).toEqual([0, 1]);
    history.sweep(3_700_000);
    expect([history.entries, history.size, history.bytes]).toEqual([0, 0, 0]);
  });

  it('goes to another server with its ages, whatever the clock there says', () => {
    const [old, next] = [make(), make()];
    for (const now of [1000, 2000, 3000]) old.add('a', now);
    const log = old.history.take('a', 4000, 0);
    expect(old.history.size).toBe(0);
    next.history.put('a', log as never, 5_000_000);
    expect(next.since('a', at(1), 5_000_000)).toMatchObject({ missed: ['a2', 'a3'] });
    expect(String(next.add('a', 5_000_001))).toBe('a4');
    expect(next.since('a', at(0), 5_007_001)).toMatchObject({ recovered: false });
    expect(next.since('a', at(1), 5_007_001)).toMatchObject({ missed: ['a2', 'a3', 'a4'] });
    expect(old.history.bytes).toBe(0);
  });

  it('of a channel without history is kept for a moment after a move, and then forgotten', () => {
    const [old, next] = [make(), make()];
    expect(old.history.take('a', 0, 0)).toBeUndefined();
    next.history.put('a', old.history.take('a', 0, 1000) as never, 0);
    expect(String(next.plain('a', 500))).toBe('a1');
    expect(next.since('a', at(0), 900)).toMatchObject({ recovered: true, missed: ['a1'] });
    expect(next.plain('a', 1000)).toBeUndefined();
    expect(next.history.bytes).toBe(0);
  });

  it.each([
    [1e9, 'is what a plain list of everything would be'],
    [3000, 'never gives a part, however little room there is'],
  ])('with %i bytes %s', (maxBytes) => {
    const random = new Random(12);
    for (let round = 0; round < 50; round += 1) {
      const world = new World(random, maxBytes);
      for (let step = 0; step < 200; step += 1) world.step(`${step}`);
    }
  });
});

/** Events on three channels, and all of them kept in plain lists beside. */
class World {
  readonly #random: Random;
  readonly #maxBytes: number;
  readonly #made: ReturnType<typeof make>;
  readonly #all = new Map<string, { event: string; at: number }[]>();
  #now = 0;

  constructor(random: Random, maxBytes: number) {
    this.#random = random;
    this.#maxBytes = maxBytes;
    this.#made = make(maxBytes);
  }

  step(event: string): void {
    const { history, since } = this.#made;
    const channel = this.#random.pick(['a', 'b', 'c']);
    this.#now += this.#random.int(0, 1500);
    let where = at(0, '');
    history.append(channel, BOUNDS, this.#now, (position) => {
      where = position;
      return Buffer.from(event);
    });
    const list = this.#all.get(channel + where.epoch) ?? [];
    list.push({ event, at: this.#now });
    this.#all.set(channel + where.epoch, list);
    expect(where.offset).toBe(list.length);
    expect(history.bytes).toBeLessThanOrEqual(this.#maxBytes);

    const asked = this.#random.int(0, list.length);
    const missed = list.slice(asked);
    const found = since(channel, at(asked, where.epoch), this.#now);
    const there = missed.length <= 3 && missed.every((each) => this.#now - each.at < 10_000);
    if (!there || this.#maxBytes === 1e9) expect(found?.recovered).toBe(there);
    expect(found?.missed).toEqual(found?.recovered ? missed.map((each) => each.event) : []);
  }
}
