import { describe, expect, it } from '@jest/globals';
import {
  closeOffsets,
  type DrainSettings,
  fitted,
  hintReason,
  retireMs,
  retireTimes,
} from '../../src/master/drain.ts';
import { hintedMs } from '../../src/reconnect.ts';
import { Random } from '../support/random.ts';

const SETTINGS: DrainSettings = { propagationMs: 5000, windowMs: 20_000, gracefulMs: 300_000 };
const HOWS = ['now', 'graceful', 'drain'] as const;

const anySettings = (random: Random): DrainSettings => ({
  propagationMs: random.pick([0, random.int(0, 100_000)]),
  windowMs: random.pick([0, random.int(0, 100_000)]),
  gracefulMs: random.pick([0, random.int(0, 400_000)]),
});

describe('retireTimes', () => {
  it.each([
    ['now', 100, 100, 100],
    ['graceful', 100, 280_100, 300_100],
    ['drain', 5100, 5100, 25_100],
  ] as const)('%s accepts until %i, closes from %i until %i', (how, accept, from, until) => {
    expect(retireTimes(how, SETTINGS, 100)).toEqual({
      acceptUntil: accept,
      closeFrom: from,
      closeUntil: until,
    });
  });

  it('closes from the beginning if the window is longer than a graceful leave', () => {
    const times = retireTimes('graceful', { ...SETTINGS, gracefulMs: 1000 }, 100);
    expect(times).toEqual({ acceptUntil: 100, closeFrom: 100, closeUntil: 1100 });
  });

  it('are in ascending order, not before now, and over when the process is killed', () => {
    const random = new Random(13);
    for (let round = 0; round < 500; round += 1) {
      const settings = anySettings(random);
      const now = random.int(0, 1e9);
      for (const how of HOWS) {
        const { acceptUntil, closeFrom, closeUntil } = retireTimes(how, settings, now);
        const times = [now, acceptUntil, closeFrom, closeUntil];
        expect([...times].sort((a, b) => a - b)).toEqual(times);
        expect(now + retireMs(how, settings, 5000)).toBe(closeUntil + 5000);
      }
    }
  });
});

describe('closeOffsets', () => {
  it('are ascending, inside the window, and one in each equal part of it', () => {
    const random = new Random(14);
    for (let round = 0; round < 300; round += 1) {
      const count = random.int(1, 300);
      const windowMs = random.int(0, 60_000);
      const offsets = closeOffsets(count, windowMs, random.next);
      expect(offsets).toHaveLength(count);
      for (const [i, offset] of offsets.entries()) {
        expect(offset).toBeGreaterThanOrEqual((i * windowMs) / count);
        expect(offset).toBeLessThanOrEqual(((i + 1) * windowMs) / count);
      }
    }
  });

  it('keep an even pace: no tenth of the window has more than its share and two', () => {
    const offsets = closeOffsets(1000, 20_000, new Random(15).next);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const some = offsets.filter((each) => each >= tenth * 2000 && each < (tenth + 1) * 2000);
      expect(Math.abs(some.length - 100)).toBeLessThanOrEqual(2);
    }
  });

  it('are different for two servers that begin together', () => {
    expect(closeOffsets(5, 1000, new Random(16).next)).not.toEqual(
      closeOffsets(5, 1000, new Random(17).next),
    );
  });

  it('are none for no connections', () => {
    expect(closeOffsets(0, 1000, Math.random)).toEqual([]);
  });
});

describe('fitted', () => {
  it.each([
    ['enough time', 400_000, [5000, 20_000, 300_000]],
    ['just enough for a drain', 30_000, [5000, 20_000, 25_000]],
    ['too little: the window gives way first', 15_000, [5000, 5000, 10_000]],
    ['much too little: then the propagation delay', 8000, [3000, 0, 3000]],
    ['none but for last words', 5000, [0, 0, 0]],
    ['not even that', 0, [0, 0, 0]],
  ])('with %s (%i ms)', (_, graceMs, [propagationMs, windowMs, gracefulMs]) => {
    expect(fitted(SETTINGS, graceMs, 5000)).toEqual({ propagationMs, windowMs, gracefulMs });
  });

  it('ends in time however the process leaves, and never waits longer than was asked for', () => {
    const random = new Random(18);
    for (let round = 0; round < 500; round += 1) {
      const settings = anySettings(random);
      const graceMs = random.int(5000, 300_000);
      const cut = fitted(settings, graceMs, 5000);
      for (const how of HOWS) expect(retireMs(how, cut, 5000)).toBeLessThanOrEqual(graceMs);
      for (const name of ['propagationMs', 'windowMs', 'gracefulMs'] as const) {
        expect(cut[name]).toBeLessThanOrEqual(settings[name]);
        expect(cut[name]).toBeGreaterThanOrEqual(0);
      }
      expect(fitted(cut, graceMs, 5000)).toEqual(cut);
    }
  });
});

describe('hintReason', () => {
  it('is read by the client as it was meant', () => {
    expect(hintReason([0, 500.4])).toBe('{"reconnect":[0,500]}');
    expect(hintedMs(hintReason([1000, 5000]), 0.5)).toBe(3000);
  });

  it('fits into a close frame', () => {
    expect(hintReason([86_400_000, 86_400_000]).length).toBeLessThanOrEqual(123);
  });
});
