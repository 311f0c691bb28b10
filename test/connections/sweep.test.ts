import { describe, expect, it } from '@jest/globals';
import { type Deadlines, overdue, type Timing } from '../../src/connections/sweep.ts';

const NEVER: Deadlines = {
  idle: 0,
  ping: 0,
  unauthenticated: 0,
  handshake: 0,
  age: 0,
  ageJitter: 0,
};
/** Accepted at 100; nothing came since. */
const SILENT: Timing = {
  id: 1,
  open: true,
  authenticated: false,
  openedAt: 100,
  activeAt: 100,
  pingedAt: 0,
};

const due = (now: number, deadlines: Partial<Deadlines>, timing: Partial<Timing> = {}) =>
  overdue({ ...SILENT, ...timing }, { ...NEVER, ...deadlines }, now);

describe('overdue', () => {
  it('is nothing without deadlines, however long it is silent', () => {
    expect(due(1e9, {})).toBeUndefined();
    expect(due(1e9, {}, { open: false })).toBeUndefined();
  });

  it.each(['idle', 'unauthenticated', 'age'] as const)('is %s from its deadline on', (name) => {
    expect(due(149, { [name]: 50 })).toBeUndefined();
    expect(due(150, { [name]: 50 })).toBe(name);
  });

  it('counts idleness from the last sign of life', () => {
    expect(due(150, { idle: 50 }, { activeAt: 101 })).toBeUndefined();
    expect(due(151, { idle: 50 }, { activeAt: 101 })).toBe('idle');
  });

  it('is not unauthenticated once it has proved who it is', () => {
    expect(due(1000, { unauthenticated: 50 }, { authenticated: true })).toBeUndefined();
  });

  it('is a ping after silence, and again only as long after the last one', () => {
    expect(due(129, { ping: 30 })).toBeUndefined();
    expect(due(130, { ping: 30 })).toBe('ping');
    expect(due(159, { ping: 30 }, { pingedAt: 130 })).toBeUndefined();
    expect(due(160, { ping: 30 }, { pingedAt: 130 })).toBe('ping');
    expect(due(160, { ping: 30 }, { pingedAt: 130, activeAt: 131 })).toBeUndefined();
  });

  it('is to be closed rather than pinged', () => {
    expect(due(150, { idle: 50, ping: 10 })).toBe('idle');
    expect(due(150, { age: 50, ping: 10 })).toBe('age');
  });

  it('looks at nothing but the handshake before it is open', () => {
    const early = { open: false };
    const all = { idle: 1, ping: 1, unauthenticated: 1, age: 1 };
    expect(due(1000, all, early)).toBeUndefined();
    expect(due(109, { ...all, handshake: 10 }, early)).toBeUndefined();
    expect(due(110, { ...all, handshake: 10 }, early)).toBe('handshake');
    expect(due(1000, { handshake: 10 })).toBeUndefined();
  });

  it('spreads the age of connections evenly over the jitter', () => {
    const ages = Array.from({ length: 1000 }, (_, id) => {
      let now = SILENT.openedAt;
      while (due(now, { age: 1000, ageJitter: 0.2 }, { id }) === undefined) now += 1;
      return now - SILENT.openedAt;
    });
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(800);
    expect(Math.max(...ages)).toBeLessThanOrEqual(1000);
    for (const from of [800, 850, 900, 950]) {
      const some = ages.filter((age) => age > from && age <= from + 50);
      expect(Math.abs(some.length - 250)).toBeLessThan(25);
    }
  });
});
