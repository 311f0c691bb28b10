import { describe, expect, it } from '@jest/globals';
import type { Keyed, Operation } from '../../src/globaldata/operations.ts';
import { type Change, Store } from '../../src/globaldata/store.ts';
import { matcher } from '../../src/inner/pattern.ts';
import { Random } from '../support/random.ts';

const FOREVER = Number.POSITIVE_INFINITY;
const KEYS = ['a', 'b', 'c', 'dd'];
const VALUES = ['0', '7', '"x"', 'null'].map((text) => Buffer.from(text));

function anyOperation(random: Random): Operation {
  const key = random.pick(KEYS);
  const value = random.pick(VALUES);
  const ms = random.chance(0.5) ? random.int(1, 3000) : undefined;
  return random.pick<Operation>([
    { kind: 'get', key },
    { kind: 'has', key },
    { kind: 'keys', pattern: random.pick(['*', 'd*', 'a']) },
    { kind: 'set', key, ms, value },
    { kind: 'add', key, ms, value },
    { kind: 'cas', key, expected: random.chance(0.3) ? undefined : random.pick(VALUES), value },
    { kind: 'increment', key, step: random.int(-3, 3) },
    { kind: 'expire', key, ms },
    { kind: 'delete', key },
  ]);
}

/** All that can be seen of a store. */
function sight(store: Store, now: number): unknown {
  return [...store.entries(now)]
    .map(([key, { value, until }]) => [key, String(value), until])
    .sort();
}

/** The simplest that can be right. */
class Model {
  readonly map = new Map<string, { text: string; until: number }>();

  apply(operation: Operation, now: number): unknown {
    for (const [key, { until }] of this.map) if (until <= now) this.map.delete(key);
    if (operation.kind === 'keys')
      return [...this.map.keys()].filter((key) => matcher(operation.pattern)(key)).sort();
    return this.#on(operation, now);
  }

  #on(operation: Keyed, now: number): unknown {
    const { key } = operation;
    const old = this.map.get(key);
    const put = (value: Buffer, until: number) => {
      this.map.set(key, { text: String(value), until });
      return true;
    };
    const until = 'ms' in operation && operation.ms !== undefined ? now + operation.ms : FOREVER;
    switch (operation.kind) {
      case 'get':
        return old?.text;
      case 'has':
        return old !== undefined;
      case 'set':
        return put(operation.value, until);
      case 'add':
        return old ? false : put(operation.value, until);
      case 'cas':
        return (
          old?.text === operation.expected?.toString() &&
          put(operation.value, old?.until ?? FOREVER)
        );
      case 'increment': {
        if (old && !/^\d+$|^-\d+$/.test(old.text)) return 'refused';
        const sum = Number(old?.text ?? 0) + operation.step;
        put(Buffer.from(String(sum)), old?.until ?? FOREVER);
        return sum;
      }
      case 'expire':
        return old ? put(Buffer.from(old.text), until) : false;
      case 'delete':
        return this.map.delete(key);
    }
  }
}

function plain(answer: ReturnType<Store['apply']>['answer']): unknown {
  switch (answer.kind) {
    case 'value':
      return answer.value?.toString();
    case 'number':
      return answer.number;
    case 'names':
      return answer.names;
    case 'yes':
      return answer.flag;
    case 'refusal':
      return 'refused';
  }
}

describe('a store', () => {
  it.each([1, 2, 3, 4, 5])('does what the simplest one does, sweeping or not (seed %i)', (seed) => {
    const random = new Random(seed);
    const [store, model] = [new Store(1e9), new Model()];
    let now = 5_000_000;
    for (let i = 0; i < 5000; i += 1) {
      now += random.int(0, 200);
      if (random.chance(0.05)) now += random.int(0, 20_000);
      if (random.chance(0.2)) store.sweep(now);
      const operation = anyOperation(random);
      expect([i, operation, plain(store.apply(operation, now).answer)]).toEqual([
        i,
        operation,
        model.apply(operation, now),
      ]);
    }
    store.sweep(now + 10_000_000);
    const left = [...model.map].filter(([, { until }]) => until === FOREVER);
    expect(store.size).toBe(left.length);
    const bytes = left.map(([key, { text }]) => 150 + key.length + text.length);
    expect(store.bytes).toBe(bytes.reduce((sum, each) => sum + each, 0));
  });

  it.each([1, 2, 3])(
    'is as it was when changes are taken back, the last one first (seed %i)',
    (seed) => {
      const random = new Random(seed);
      const store = new Store(1e9);
      const now = 5_000_000;
      for (let round = 0; round < 200; round += 1) {
        for (let i = 0; i < 5; i += 1) store.apply(anyOperation(random), now);
        const [before, bytes] = [sight(store, now), store.bytes];
        const changes: Change[] = [];
        for (let i = 0; i < 20; i += 1) {
          const { change } = store.apply(anyOperation(random), now);
          if (change) changes.push(change);
        }
        for (const change of changes.toReversed()) store.undo(change);
        expect([sight(store, now), store.bytes]).toEqual([before, bytes]);
      }
    },
  );

  it('never has more than it may, and says by how much it would', () => {
    const store = new Store(400);
    const set = (key: string, size: number) =>
      store.apply({ kind: 'set', key, value: Buffer.alloc(size, 49) }, 0).answer;
    expect(set('a', 200)).toEqual({ kind: 'yes', flag: true });
    expect(set('b', 100)).toEqual({
      kind: 'refusal',
      reason: expect.stringContaining('602 bytes of 400'),
    });
    expect(store.apply({ kind: 'has', key: 'b' }, 0).answer).toEqual({ kind: 'yes', flag: false });
    // What becomes smaller always may.
    expect(set('a', 100)).toEqual({ kind: 'yes', flag: true });
  });

  it('takes no longer for a pattern of many stars', () => {
    const fits = matcher(`${'*a'.repeat(100)}b`);
    const began = performance.now();
    expect(fits('a'.repeat(255))).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it.each([
    ['*', '', true],
    ['*', 'x', true],
    ['a*', 'a', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*c', 'a b b c', true],
    ['a*bc*c', 'abc', false],
    ['**', 'x', true],
    ['.', 'x', false],
  ])('pattern %j and key %j: %j', (pattern, key, fits) => {
    expect(matcher(pattern)(key)).toBe(fits);
  });
});
