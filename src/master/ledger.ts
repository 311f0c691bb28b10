import { addChannelStats, type ChannelStats, zeroChannelStats } from '../channel/stats.ts';
import { addLag, zeroLag } from '../child/lag.ts';
import { addCloses, addCounts, type Closes, type Counts, zeroCounts } from '../counters.ts';
import {
  addGatewayStats,
  endGatewayStats,
  type GatewayStats,
  zeroGatewayStats,
} from '../gateway/stats.ts';
import { addDataStats, type DataStats, zeroDataStats } from '../globaldata/stats.ts';
import type { Gauges, Report } from './messages.ts';

/** What is known of one slot over all the processes it has had. */
export type SlotTotals = {
  readonly worker: string;
  readonly slot: number;
  readonly counts: Counts;
  readonly closes: Closes;
  readonly lag: { buckets: number[]; sum: number };
  /** If it is one of a Gateway. */
  gateway?: GatewayStats;
};

/** What is known of one process. */
export type ProcTotals = {
  readonly worker: string;
  readonly slot: number;
  /** Since the process started. */
  readonly counts: Counts;
  gauges: Gauges;
  /** When it last reported, in milliseconds. */
  reportedAt: number;
};

const NO_GAUGES: Gauges = {
  connections: 0,
  clients: 0,
  timers: 0,
  sendBuffer: 0,
  memory: 0,
  lostLines: 0,
  draining: false,
  drained: 0,
};

/**
 * The master's books. Processes report growth; it is added to their slot, which outlives them, so the numbers of a slot
 * never go down while the master lives, whoever dies.
 */
export class Ledger {
  readonly slots: Map<string, SlotTotals> = new Map();
  readonly procs: Map<number, ProcTotals> = new Map();
  /** Of the channel server, if one ever ran here. */
  channel: ChannelStats | undefined = undefined;
  /** Of the global data server, if one ever ran here. */
  data: DataStats | undefined = undefined;

  /** A process begins in a slot. */
  open(proc: number, worker: string, slot: number, now: number): void {
    const key = `${worker}#${slot}`;
    if (!this.slots.has(key)) {
      this.slots.set(key, { worker, slot, counts: zeroCounts(), closes: {}, lag: zeroLag() });
    }
    this.procs.set(proc, {
      worker,
      slot,
      counts: zeroCounts(),
      gauges: NO_GAUGES,
      reportedAt: now,
    });
  }

  /** It reported. */
  add(proc: number, report: Report, now: number): void {
    const known = this.procs.get(proc);
    const slot = known && this.slots.get(`${known.worker}#${known.slot}`);
    if (!known || !slot) return;
    addCounts(known.counts, report.counts);
    addCounts(slot.counts, report.counts);
    addCloses(slot.closes, report.closes);
    addLag(slot.lag, report.lag);
    if (report.data) {
      this.data ??= zeroDataStats();
      addDataStats(this.data, report.data);
    }
    if (report.channel) {
      this.channel ??= zeroChannelStats();
      addChannelStats(this.channel, report.channel);
    }
    if (report.gateway) {
      slot.gateway ??= zeroGatewayStats();
      addGatewayStats(slot.gateway, report.gateway);
    }
    known.gauges = report.gauges;
    known.reportedAt = now;
  }

  /** It gave a sign of life. */
  alive(proc: number, now: number): void {
    const known = this.procs.get(proc);
    if (known) known.reportedAt = now;
  }

  /** It is gone; what it counted stays with its slot. */
  close(proc: number): void {
    const known = this.procs.get(proc);
    const slot = known && this.slots.get(`${known.worker}#${known.slot}`);
    if (slot?.gateway) endGatewayStats(slot.gateway);
    this.procs.delete(proc);
  }
}
