import { describe, expect, it } from '@jest/globals';
import { listOf, ownerOf, sameMembers } from '../../src/channel/owners.ts';
import { Random } from '../support/random.ts';

const members = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `channel-${i}`, address: `10.0.0.${i}:2206` }));
const CHANNELS = Array.from({ length: 5000 }, (_, i) => `room:${i}`);

describe('ownerOf', () => {
  it('names nobody of nobody, and the only one of one', () => {
    expect(ownerOf('a', [])).toBeUndefined();
    expect(ownerOf('a', members(1))?.id).toBe('channel-0');
  });

  it('does not depend on the order of the list', () => {
    const random = new Random(3);
    const all = members(7);
    for (const channel of CHANNELS.slice(0, 300)) {
      const shuffled = [...all].sort(() => random.int(0, 2) - 1);
      expect(ownerOf(channel, shuffled)).toBe(ownerOf(channel, all));
    }
  });

  it.each([2, 3, 5, 10, 30])('spreads channels evenly over %i members', (count) => {
    const counts = new Map<string, number>();
    for (const channel of CHANNELS) {
      const { id } = ownerOf(channel, members(count)) as { id: string };
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    const fair = CHANNELS.length / count;
    expect(counts.size).toBe(count);
    for (const each of counts.values()) {
      expect(Math.abs(each - fair)).toBeLessThan(5 * Math.sqrt(fair));
    }
  });

  it('moves only channels that a new member gets, and only those that a leaving one had', () => {
    for (let count = 1; count <= 8; count += 1) {
      const [fewer, more] = [members(count), members(count + 1)];
      let moved = 0;
      for (const channel of CHANNELS) {
        const before = ownerOf(channel, fewer)?.id;
        const after = ownerOf(channel, more)?.id;
        if (before === after) continue;
        expect(after).toBe(`channel-${count}`);
        moved += 1;
      }
      const fair = CHANNELS.length / (count + 1);
      expect(Math.abs(moved - fair)).toBeLessThan(5 * Math.sqrt(fair));
    }
  });
});

describe('lists', () => {
  it('of addresses use them as ids', () => {
    expect(listOf('a:1')).toEqual({ version: 0, members: [{ id: 'a:1', address: 'a:1' }] });
    expect(listOf(['a:1', 'b:2']).members.map(({ id }) => id)).toEqual(['a:1', 'b:2']);
  });

  it('are the same whatever their version', () => {
    expect(sameMembers(listOf('a:1'), { ...listOf('a:1'), version: 9 })).toBe(true);
    expect(sameMembers(listOf('a:1'), listOf('b:1'))).toBe(false);
    expect(sameMembers(undefined, listOf('b:1'))).toBe(false);
  });
});
