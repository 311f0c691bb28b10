import { describe, expect, it } from '@jest/globals';
import { Routes } from '../../src/channel/routes.ts';
import { Random } from '../support/random.ts';

describe('Routes', () => {
  it('knows who wants what', () => {
    const routes = new Routes<string>();
    routes.add('news', 'ann');
    routes.add('news', 'bob');
    routes.add('chat', 'ann');
    expect([...routes.of('news')]).toEqual(['ann', 'bob']);
    expect([...routes.of('chat')]).toEqual(['ann']);
    expect([...routes.of('none')]).toEqual([]);
    expect([routes.size, routes.subscriptions, routes.countOf('ann')]).toEqual([2, 3, 2]);
  });

  it('subscribes once, however often it is asked', () => {
    const routes = new Routes<string>();
    routes.add('news', 'ann');
    routes.add('news', 'ann');
    expect([[...routes.of('news')], routes.subscriptions]).toEqual([['ann'], 1]);
    routes.remove('news', 'ann');
    routes.remove('news', 'ann');
    routes.remove('other', 'ann');
    expect([routes.size, routes.subscriptions, routes.countOf('ann')]).toEqual([0, 0, 0]);
  });

  it('forgets a subscriber with all it had, and nobody else', () => {
    const routes = new Routes<string>();
    for (const channel of ['a', 'b', 'c']) routes.add(channel, 'ann');
    routes.add('b', 'bob');
    routes.drop('ann');
    routes.drop('nobody');
    expect([routes.size, routes.subscriptions, routes.countOf('ann')]).toEqual([1, 1, 0]);
    expect([...routes.of('b')]).toEqual(['bob']);
  });

  it('is at any time what a plain set of pairs would be', () => {
    const random = new Random(10);
    for (let round = 0; round < 100; round += 1) {
      const routes = new Routes<number>();
      const pairs = new Set<string>();
      for (let i = 0; i < 60; i += 1) {
        const what = random.pick(['add', 'add', 'remove', 'drop'] as const);
        change(routes, pairs, what, random.pick([...CHANNELS]), random.int(1, 4));
        expect(pairsOf(routes)).toEqual([...pairs].sort());
        expect(routes.subscriptions).toBe(pairs.size);
        expect(routes.size).toBe(new Set([...pairs].map((pair) => pair[0])).size);
      }
    }
  });
});

const CHANNELS = 'abcd';

/** The same change to both. */
function change(
  routes: Routes<number>,
  pairs: Set<string>,
  what: 'add' | 'remove' | 'drop',
  channel: string,
  who: number,
): void {
  if (what === 'drop') {
    routes.drop(who);
    for (const each of CHANNELS) pairs.delete(`${each}${who}`);
    return;
  }
  routes[what](channel, who);
  if (what === 'add') pairs.add(`${channel}${who}`);
  else pairs.delete(`${channel}${who}`);
}

function pairsOf(routes: Routes<number>): string[] {
  return [...CHANNELS]
    .flatMap((channel) => [...routes.of(channel)].map((who) => `${channel}${who}`))
    .sort();
}
