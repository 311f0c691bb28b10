import { afterEach, describe, expect, it } from '@jest/globals';
import { endDataPlaces, failure, NATIVE, REDIS } from '../support/data-engines.ts';
import { eventually } from '../support/peer.ts';

afterEach(endDataPlaces);

describe.each([NATIVE, REDIS])('shared data on $name', ({ place, whyNot }) => {
  if (whyNot) {
    it.skip(`is not tested: ${whyNot}`, () => {});
    return;
  }

  it('is what was stored, for every kind of value and key', async () => {
    const here = await place();
    const [a, b] = [here.client(), here.client()];
    const values = [1, -0.5, 'two', '', { b: [1, { c: null }], a: 'ü😀' }, [], null, true, 2 ** 60];
    for (const [i, value] of values.entries()) await a.set(`v ${i}`, value);
    for (const [i, value] of values.entries()) expect(await b.get(`v ${i}`)).toEqual(value);
    const bytes = Buffer.from([0, 1, 255, 10]);
    await a.set('bytes', bytes);
    expect(await b.get('bytes')).toEqual(bytes);
    await a.set('empty', new Uint8Array());
    expect(await b.get('empty')).toEqual(Buffer.alloc(0));
    for (const key of ['a b', '*', 'ü😀', '\n', 'x'.repeat(255), '€'.repeat(85), '__proto__']) {
      await a.set(key, key);
      expect([await b.get(key), await b.has(key)]).toEqual([key, true]);
    }
    expect([await b.get('none'), await b.has('none')]).toEqual([undefined, false]);
    const large = 'x'.repeat(4_000_000);
    await a.set('large', large);
    expect(await b.get('large')).toBe(large);
  });

  it('is added only where there is nothing, and deleted once', async () => {
    const client = (await place()).client();
    expect(await client.add('k', null)).toBe(true);
    expect(await client.add('k', 2)).toBe(false);
    expect([await client.get('k'), await client.has('k')]).toEqual([null, true]);
    expect([await client.delete('k'), await client.delete('k')]).toEqual([true, false]);
    expect(await client.add('k', 3)).toBe(true);
    expect(await client.get('k')).toBe(3);
  });

  it('is swapped only if it is what was expected', async () => {
    const client = (await place()).client();
    expect(await client.cas('k', 1, 2)).toBe(false);
    expect(await client.cas('k', undefined, { b: 1, a: { d: 1, c: 2 } })).toBe(true);
    expect(await client.cas('k', undefined, 5)).toBe(false);
    expect(await client.cas('k', { a: { c: 2, d: 1 } }, 5)).toBe(false);
    expect(await client.cas('k', { a: { c: 2, d: 1 }, b: 1 }, [1])).toBe(true);
    expect(await client.cas('k', [1], Buffer.from('x'))).toBe(true);
    expect(await client.cas('k', 'x', 1)).toBe(false);
    expect(await client.cas('k', Buffer.from('x'), null)).toBe(true);
    expect(await client.cas('k', null, 0)).toBe(true);
    expect(await client.get('k')).toBe(0);
  });

  it('is counted by 16 clients at once, with increment and with cas, and none is lost', async () => {
    const here = await place();
    const all = Array.from({ length: 16 }, () => here.client());
    const TURNS = 50;
    const swap = async (client: (typeof all)[number]) => {
      for (;;) {
        const old = (await client.get('swapped')) as number | undefined;
        if (await client.cas('swapped', old, (old ?? 0) + 1)) return;
      }
    };
    await Promise.all(
      all.map(async (client) => {
        for (let i = 0; i < TURNS; i += 1) {
          await client.increment('counted');
          await swap(client);
        }
      }),
    );
    const first = all[0] as (typeof all)[number];
    expect(await first.get('counted')).toBe(16 * TURNS);
    expect(await first.get('swapped')).toBe(16 * TURNS);
    // Of 16 that add, one does.
    const added = await Promise.all(all.map((client, i) => client.add('once', i)));
    expect(added.filter((did) => did)).toHaveLength(1);
  });

  it('is counted with whole numbers only', async () => {
    const client = (await place()).client();
    expect(await client.increment('n')).toBe(1);
    expect(await client.increment('n', -11)).toBe(-10);
    await client.set('n', 2 ** 53 - 2);
    expect(await client.increment('n')).toBe(2 ** 53 - 1);
    expect(await failure(client.increment('n'))).toMatchObject({ code: 'GLOBALDATA_REFUSED' });
    expect(await client.get('n')).toBe(2 ** 53 - 1);
    for (const value of ['7', 1.5, null, Buffer.from('7'), [7], 1e300]) {
      await client.set('n', value);
      expect(await failure(client.increment('n'))).toMatchObject({ code: 'GLOBALDATA_REFUSED' });
      expect(await client.get('n')).toEqual(value);
    }
    expect(await failure(client.increment('n', 0.5))).toMatchObject({ code: 'GLOBALDATA_INVALID' });
  });

  it('lives as long as was said', async () => {
    const client = (await place()).client();
    await client.set('short', 1, { seconds: 0.3 });
    await client.add('added', 1, { seconds: 0.3 });
    await client.set('later', 1);
    await client.set('kept', 1, { seconds: 0.3 });
    await client.set('stored again', 1, { seconds: 0.3 });
    await client.set('swapped', 1, { seconds: 0.3 });
    await client.set('counted', 1, { seconds: 0.3 });
    expect(await client.expire('later', 0.3)).toBe(true);
    expect(await client.expire('kept', Number.POSITIVE_INFINITY)).toBe(true);
    expect(await client.expire('none', 5)).toBe(false);
    expect(await client.expire('none', Number.POSITIVE_INFINITY)).toBe(false);
    await client.set('stored again', 2);
    expect(await client.cas('swapped', 1, 2)).toBe(true);
    expect(await client.increment('counted')).toBe(2);
    expect(await client.keys()).toHaveLength(7);
    const gone = ['short', 'added', 'later', 'swapped', 'counted'];
    await eventually(async () => (await client.keys()).every((key) => !gone.includes(key)));
    expect(await client.keys()).toEqual(['kept', 'stored again']);
    for (const key of gone)
      expect([await client.get(key), await client.has(key)]).toEqual([undefined, false]);
    expect(await client.add('short', 2)).toBe(true);
    for (const seconds of [0, -1, Number.NaN, 1e12])
      expect(await failure(client.expire('kept', seconds))).toMatchObject({
        code: 'GLOBALDATA_INVALID',
      });
    expect(await failure(client.set('kept', 1, { secnds: 1 } as never))).toMatchObject({
      code: 'GLOBALDATA_INVALID',
    });
  });

  it('tells its keys, in order and by pattern', async () => {
    const client = (await place()).client();
    expect(await client.keys()).toEqual([]);
    const keys = ['a', 'ab', 'user:1', 'user:2', 'user:[x]', 'us?r', 'a*b', '\\', 'xuser:3'];
    for (const key of keys) await client.set(key, 1);
    expect(await client.keys()).toEqual([...keys].sort());
    for (const [pattern, found] of [
      ['user:*', ['user:1', 'user:2', 'user:[x]']],
      ['user:1', ['user:1']],
      ['us?r', ['us?r']],
      ['user:[*', ['user:[x]']],
      ['*:*', ['user:1', 'user:2', 'user:[x]', 'xuser:3']],
      ['a*b', ['a*b', 'ab']],
      ['\\', ['\\']],
      ['*3', ['xuser:3']],
      ['', []],
    ] as const)
      expect([pattern, await client.keys(pattern)]).toEqual([pattern, found]);
    const many = Array.from({ length: 5000 }, (_, i) => `many ${String(i).padStart(4, '0')}`);
    await Promise.all(many.map((key) => client.set(key, 1)));
    expect(await client.keys('many *')).toEqual(many);
  });

  it('refuses what cannot be stored', async () => {
    const client = (await place()).client();
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const value of [undefined, () => {}, Symbol('x'), 1n, cycle, 'x'.repeat(4_194_304)])
      expect(await failure(client.set('k', value))).toMatchObject({ code: 'GLOBALDATA_INVALID' });
    for (const key of ['', 'x'.repeat(256)])
      expect(await failure(client.get(key))).toMatchObject({ code: 'GLOBALDATA_INVALID' });
    expect(await client.keys()).toEqual([]);
  });

  it('refuses what does not fit, keeps the rest, and takes more when there is room', async () => {
    const client = (await place(true)).client();
    const value = Buffer.alloc(100_000, 1);
    let refused: unknown;
    let stored = 0;
    for (; stored < 100 && !refused; stored += 1)
      await client.set(`k ${stored}`, value).catch((error) => {
        refused = error;
      });
    expect(refused).toMatchObject({ code: 'GLOBALDATA_REFUSED' });
    expect(await client.get('k 0')).toEqual(value);
    await client.delete('k 0');
    await client.delete('k 1');
    await client.set('small', 1);
    expect(await client.get('small')).toBe(1);
  });
});
