import { afterEach, describe, expect, it } from '@jest/globals';
import { tally } from '../src/connections/connection.ts';
import { Timer } from '../src/timer.ts';

afterEach(() => Timer.delAll());

describe('Timer', () => {
  it('repeats, with its arguments, until it is deleted from inside its callback', async () => {
    const { promise, resolve } = Promise.withResolvers<string[]>();
    const seen: string[] = [];
    const id = Timer.add(
      0.001,
      (name: string, n: number) => {
        seen.push(`${name}${n}`);
        if (seen.length === 3) resolve([String(Timer.del(id)), ...seen]);
      },
      ['a', 1],
    );
    expect(await promise).toEqual(['true', 'a1', 'a1', 'a1']);
    expect([Timer.count, Timer.del(id)]).toEqual([0, false]);
  });

  it('runs once when it is not persistent', async () => {
    let runs = 0;
    const once = Timer.add(
      0.001,
      () => {
        runs += 1;
      },
      [],
      false,
    );
    await new Promise<void>((resolve) => {
      Timer.add(0.01, resolve, [], false);
    });
    expect([runs, Timer.del(once)]).toEqual([1, false]);
  });

  it('goes on after its callback throws or rejects, and counts it', async () => {
    const before = tally.counts.throw_exception;
    let runs = 0;
    await new Promise<void>((resolve) => {
      Timer.add(0.001, () => {
        runs += 1;
        if (runs === 1) throw new Error('planned');
        if (runs === 2) return Promise.reject(new Error('planned'));
        return resolve();
      });
    });
    Timer.delAll();
    await new Promise((next) => setImmediate(next));
    expect(tally.counts.throw_exception - before).toBe(2);
  });

  it.each([0, -1, 0.0005, Number.NaN, 3e9])('refuses an interval of %d seconds', (seconds) => {
    expect(() => Timer.add(seconds, () => {})).toThrow(
      expect.objectContaining({ code: 'TIMER_INTERVAL' }),
    );
  });
});
