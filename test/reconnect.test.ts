import { describe, expect, it } from '@jest/globals';
import { hintedMs, reconnectMs } from '../src/reconnect.ts';

const HOUR = 3_600_000;

describe('reconnectMs', () => {
  it.each([
    [0, 500],
    [1, 1000],
    [2, 2000],
    [4, 8000],
    [5, 15_000],
    [6, 15_000],
    [1e9, 15_000],
  ])('of attempt %i lies between 0 and %i', (attempt, most) => {
    expect(reconnectMs(attempt, 0)).toBe(0);
    expect(reconnectMs(attempt, 0.5)).toBe(most / 2);
    expect(reconnectMs(attempt, 1)).toBe(most);
  });
});

describe('hintedMs', () => {
  it.each([
    ['{"reconnect":[100,300]}', 0, 100],
    ['{"reconnect":[100,300]}', 0.5, 200],
    ['{"reconnect":[100,300]}', 1, 300],
    ['{"reconnect":[0,0]}', 0.5, 0],
    ['{"reconnect":[5,5],"more":true}', 0.5, 5],
    ['{"reconnect":[0,1e15]}', 1, HOUR],
  ])('of %s with chance %f is %i', (reason, random, ms) => {
    expect(hintedMs(reason, random)).toBe(ms);
  });

  it.each([
    '',
    'bye',
    '[1,2]',
    'null',
    '{}',
    '{"reconnect":5}',
    '{"reconnect":[]}',
    '{"reconnect":[1]}',
    '{"reconnect":["1","2"]}',
    '{"reconnect":[-1,2]}',
    '{"reconnect":[2,1]}',
    '{"reconnect":[null,1]}',
  ])('takes the reason %j as no hint', (reason) => {
    expect(hintedMs(reason, 0.5)).toBeUndefined();
  });

  it.each(['[7200000,7200000]', '[1e15,1e15]', '[1e999,1e999]', '[0,1e999]'])(
    'lets nobody be sent away for more than an hour: %s',
    (range) => {
      for (const random of [0, 0.5, 0.999]) {
        const ms = hintedMs(`{"reconnect":${range}}`, random) ?? 0;
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(HOUR);
      }
    },
  );
});
