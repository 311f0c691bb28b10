import { describe, expect, it } from '@jest/globals';
import { backOffMs, diedYoung, YOUNG_MS } from '../../src/master/back-off.ts';

describe('backOffMs', () => {
  it.each([
    [0, 0],
    [1, 100],
    [2, 200],
    [3, 400],
    [4, 800],
    [9, 25_600],
    [10, 30_000],
    [11, 30_000],
    [1e9, 30_000],
  ])('after %i early deaths is %i', (deaths, ms) => {
    expect(backOffMs(deaths)).toBe(ms);
  });
});

describe('diedYoung', () => {
  it.each([
    ['never ready', undefined, 0, true],
    ['never ready, with an error', undefined, 256, true],
    ['ready for an instant', 0, 256, true],
    ['ready for just too short a time', YOUNG_MS - 1, 256, true],
    ['ready for long enough', YOUNG_MS, 256, false],
    ['ended by itself at once', 999, 0, true],
    ['ended by itself after a second', 1000, 0, false],
    ['killed after a second', 1000, 9, true],
  ])('%s', (_, readyForMs, status, young) => {
    expect(diedYoung(readyForMs, status)).toBe(young);
  });
});
