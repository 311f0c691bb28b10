import { describe, expect, it } from '@jest/globals';
import { zeroChannelStats } from '../../src/channel/stats.ts';
import { zeroLag } from '../../src/child/lag.ts';
import { type Counts, zeroCounts } from '../../src/counters.ts';
import { Ledger } from '../../src/master/ledger.ts';
import type { Gauges, Report } from '../../src/master/messages.ts';
import { Random } from '../support/random.ts';

const GAUGES: Gauges = {
  connections: 3,
  timers: 2,
  clients: 0,
  sendBuffer: 1,
  memory: 1000,
  lostLines: 0,
  draining: false,
  drained: 0,
};

const report = (counts: Partial<Counts>, more: Partial<Report> = {}): Report => ({
  counts: { ...zeroCounts(), ...counts },
  closes: {},
  lag: zeroLag(),
  gauges: GAUGES,
  ...more,
});

const requests = (ledger: Ledger, key: string) => ledger.slots.get(key)?.counts.total_request;

describe('Ledger', () => {
  it('adds what a process reports to the process and to its slot', () => {
    const ledger = new Ledger();
    ledger.open(1, 'chat', 0, 100);
    expect(ledger.procs.get(1)).toMatchObject({ reportedAt: 100, gauges: { connections: 0 } });
    ledger.add(1, report({ total_request: 5 }, { closes: { local: 1 } }), 200);
    ledger.add(1, report({ total_request: 2 }, { closes: { local: 1, '1000': 2 } }), 300);
    expect(ledger.procs.get(1)).toMatchObject({
      worker: 'chat',
      slot: 0,
      counts: { total_request: 7 },
      gauges: GAUGES,
      reportedAt: 300,
    });
    expect(ledger.slots.get('chat#0')).toMatchObject({
      counts: { total_request: 7 },
      closes: { local: 2, '1000': 2 },
    });
  });

  it('keeps the counts of a slot when its process is gone, and adds those of the next', () => {
    const ledger = new Ledger();
    ledger.open(1, 'chat', 0, 0);
    ledger.add(1, report({ total_request: 5 }), 0);
    ledger.close(1);
    expect([ledger.procs.size, requests(ledger, 'chat#0')]).toEqual([0, 5]);
    ledger.open(2, 'chat', 0, 0);
    ledger.add(2, report({ total_request: 1 }), 0);
    expect(ledger.procs.get(2)?.counts.total_request).toBe(1);
    expect(requests(ledger, 'chat#0')).toBe(6);
  });

  it('adds up two processes of one slot during a reload', () => {
    const ledger = new Ledger();
    ledger.open(1, 'chat', 0, 0);
    ledger.open(2, 'chat', 0, 0);
    ledger.add(1, report({ total_request: 5 }), 0);
    ledger.add(2, report({ total_request: 1 }), 0);
    expect(requests(ledger, 'chat#0')).toBe(6);
  });

  it('ignores a process that it does not know', () => {
    const ledger = new Ledger();
    ledger.add(1, report({ total_request: 5 }), 0);
    ledger.alive(1, 0);
    ledger.close(1);
    expect([ledger.procs.size, ledger.slots.size]).toEqual([0, 0]);
  });

  it('notes a sign of life without a report', () => {
    const ledger = new Ledger();
    ledger.open(1, 'chat', 0, 100);
    ledger.alive(1, 500);
    expect(ledger.procs.get(1)?.reportedAt).toBe(500);
  });

  it('sums up lag, and what the channel server counts', () => {
    const ledger = new Ledger();
    const lag = { buckets: [1, 2], sum: 0.5 };
    const channel = { ...zeroChannelStats(), published: 1, delivered: 2, channels: 3 };
    ledger.open(1, 'ChannelServer', 0, 0);
    expect(ledger.channel).toBeUndefined();
    ledger.add(1, report({}, { lag, channel }), 0);
    ledger.add(1, report({}, { lag, channel }), 0);
    expect(ledger.slots.get('ChannelServer#0')?.lag).toMatchObject({ sum: 1 });
    expect(ledger.slots.get('ChannelServer#0')?.lag.buckets.slice(0, 3)).toEqual([2, 4, 0]);
    expect(ledger.channel).toEqual({ ...channel, published: 2, delivered: 4 });
  });

  it('never lets a number of a slot go down, whoever comes, reports or dies', () => {
    const random = new Random(19);
    const ledger = new Ledger();
    const expected = new Map<string, number>();
    for (let event = 0; event < 2000; event += 1) {
      const proc = random.int(1, 8);
      const known = ledger.procs.get(proc);
      if (!known) ledger.open(proc, random.pick(['a', 'b']), random.int(0, 2), event);
      else if (random.chance(0.2)) ledger.close(proc);
      else {
        const more = random.int(0, 100);
        const key = `${known.worker}#${known.slot}`;
        ledger.add(proc, report({ total_request: more }), event);
        expected.set(key, (expected.get(key) ?? 0) + more);
      }
    }
    for (const [key, total] of expected) expect(requests(ledger, key)).toBe(total);
    expect(expected.size).toBe(6);
  });
});
