import { describe, expect, it } from '@jest/globals';
import { type Entry, Registry } from '../../src/gateway/registry.ts';
import { Random } from '../support/random.ts';

/** The same, said as plainly as possible. */
class Model {
  readonly uids = new Map<number, string | undefined>();
  readonly groups = new Map<number, Set<string>>();

  members(group: string): number[] {
    return [...this.groups].filter(([, groups]) => groups.has(group)).map(([number]) => number);
  }

  withUid(uid: string): number[] {
    return [...this.uids].filter(([, each]) => each === uid).map(([number]) => number);
  }
}

const GROUPS = ['red', 'green', 'blue', '__proto__'];
const UIDS = ['ann', 'bob', 'constructor'];
const GROUPS_MAX = 3;

const sorted = (entries: Iterable<Entry>): number[] =>
  [...entries].map(({ number }) => number).sort((a, b) => a - b);
const inOrder = (numbers: number[]): number[] => numbers.sort((a, b) => a - b);

/** One step by chance, on both. */
function step(random: Random, registry: Registry, model: Model, next: number): void {
  const number = random.pick([...registry.clients.keys(), next]);
  const entry = registry.clients.get(number) ?? registry.add(number, 'somewhere');
  if (!model.groups.has(number)) model.groups.set(number, new Set());
  if (!model.uids.has(number)) model.uids.set(number, undefined);
  const groups = model.groups.get(number) as Set<string>;
  const [group, uid] = [random.pick(GROUPS), random.pick(UIDS)];
  switch (random.int(0, 6)) {
    case 0:
    case 1:
      registry.join(entry, group);
      if (groups.size < GROUPS_MAX) groups.add(group);
      break;
    case 2:
      registry.leave(entry, group);
      groups.delete(group);
      break;
    case 3:
      registry.bind(entry, uid);
      model.uids.set(number, uid);
      break;
    case 4:
      registry.unbind(entry, uid);
      if (model.uids.get(number) === uid) model.uids.set(number, undefined);
      break;
    case 5:
      registry.remove(entry);
      registry.remove(entry);
      model.groups.delete(number);
      model.uids.delete(number);
      break;
    default:
      if (!random.chance(0.2)) break;
      registry.ungroup(group);
      for (const each of model.groups.values()) each.delete(group);
  }
}

function compare(registry: Registry, model: Model): void {
  for (const group of GROUPS) {
    expect(sorted(registry.inGroup(group))).toEqual(inOrder(model.members(group)));
  }
  for (const uid of UIDS)
    expect(sorted(registry.withUid(uid))).toEqual(inOrder(model.withUid(uid)));
  const some = GROUPS.slice(0, 2);
  const either = new Set(some.flatMap((group) => model.members(group)));
  expect(sorted(registry.inGroups(some))).toEqual(inOrder([...either]));
  expect([...registry.groups].sort()).toEqual(GROUPS.filter((g) => model.members(g).length).sort());
  expect([...registry.uids].sort()).toEqual(UIDS.filter((u) => model.withUid(u).length).sort());
  const pairs = [...model.groups.values()].reduce((sum, { size }) => sum + size, 0);
  expect(registry.memberships).toBe(pairs);
  expect(sorted(registry.clients.values())).toEqual(inOrder([...model.uids.keys()]));
}

describe('a registry', () => {
  it.each([1, 2, 3, 4, 5])(
    'says what a plain list would say, whatever happens (seed %i)',
    (seed) => {
      const random = new Random(seed);
      const [registry, model] = [new Registry(GROUPS_MAX), new Model()];
      for (let i = 1; i < 400; i += 1) {
        step(random, registry, model, i);
        compare(registry, model);
      }
    },
  );

  it('keeps uid and session of a client that is gone, for the last words about it', () => {
    const registry = new Registry(1);
    const entry = registry.add(1, 'x');
    registry.bind(entry, 'ann');
    registry.setSession(entry, { a: 1 });
    registry.remove(entry);
    registry.bind(entry, 'bob');
    registry.unbind(entry);
    registry.join(entry, 'red');
    expect(entry).toMatchObject({ uid: 'ann', session: { a: 1 }, version: 2 });
    expect(registry.groupCount + registry.uidCount + registry.memberships).toBe(0);
  });

  it('touches only a client’s own groups when it comes and goes', () => {
    const registry = new Registry(100);
    for (let i = 0; i < 50_000; i += 1) registry.join(registry.add(i, ''), `group ${i % 25_000}`);
    const started = performance.now();
    for (let i = 50_000; i < 60_000; i += 1) {
      const entry = registry.add(i, '');
      for (let g = 0; g < 20; g += 1) registry.join(entry, `group ${(i * 7 + g) % 25_000}`);
      registry.remove(entry);
    }
    // A walk over all groups, or clients, would take minutes.
    expect(performance.now() - started).toBeLessThan(5000);
    expect(registry.memberships).toBe(50_000);
  });
});
