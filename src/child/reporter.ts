import {
  type ChannelStats,
  channelStats,
  channelStatsSince,
  zeroChannelStats,
} from '../channel/stats.ts';
import { clock, watchLateness } from '../clock.ts';
import { type AnyConnection, open, tally } from '../connections/connection.ts';
import { type Closes, type Counts, closesSince, countsSince, zeroCounts } from '../counters.ts';
import {
  type GatewayStats,
  gatewayStats,
  gatewayStatsSince,
  zeroGatewayStats,
} from '../gateway/stats.ts';
import { type DataStats, dataStats, dataStatsSince, zeroDataStats } from '../globaldata/stats.ts';
import { lostLines } from '../log.ts';
import type { ConnectionRow, Descriptor, Report } from '../master/messages.ts';
import { Timer } from '../timer.ts';
import { Lag } from './lag.ts';

/** What the drain of this process has done. */
export const drainState = { draining: false, closed: 0 };

/** Watches this process and says what has grown since it said so last. */
export class Reporter {
  readonly #lag = new Lag();
  #counts: Counts = zeroCounts();
  #closes: Closes = {};
  #channel: ChannelStats = zeroChannelStats();
  #gateway: GatewayStats = zeroGatewayStats();
  #data: DataStats = zeroDataStats();

  constructor() {
    watchLateness((seconds) => this.#lag.observe(seconds));
  }

  /** Growth since the last call, and how things stand now. */
  take(): Report {
    const counts = { ...tally.counts };
    const closes = { ...tally.closes };
    const report = {
      counts: countsSince(this.#counts, counts),
      closes: closesSince(this.#closes, closes),
      lag: this.#lag.take(),
      gauges: {
        connections: open.size,
        clients: clients(),
        timers: Timer.count,
        sendBuffer: queued(),
        memory: process.memoryUsage.rss(),
        lostLines: lostLines(),
        draining: drainState.draining,
        drained: drainState.closed,
      },
    };
    this.#counts = counts;
    this.#closes = closes;
    const channel = this.#channelGrowth();
    const gateway = this.#gatewayGrowth();
    const data = this.#dataGrowth();
    return {
      ...report,
      ...(channel ? { channel } : {}),
      ...(gateway ? { gateway } : {}),
      ...(data ? { data } : {}),
    };
  }

  #channelGrowth(): ChannelStats | undefined {
    if (!channelStats.current) return undefined;
    const now = { ...channelStats.current };
    const growth = channelStatsSince(this.#channel, now);
    this.#channel = now;
    return growth;
  }

  #dataGrowth(): DataStats | undefined {
    if (!dataStats.current) return undefined;
    const now = { ...dataStats.current };
    const growth = dataStatsSince(this.#data, now);
    this.#data = now;
    return growth;
  }

  #gatewayGrowth(): GatewayStats | undefined {
    if (!gatewayStats.current) return undefined;
    const now = { ...gatewayStats.current, holds: [...gatewayStats.current.holds] };
    const growth = gatewayStatsSince(this.#gateway, now);
    this.#gateway = now;
    return growth;
  }
}

/** Accepted connections. */
function clients(): number {
  let count = 0;
  for (const { worker } of open.values()) if (worker) count += 1;
  return count;
}

let queuedAt = -1;
let queuedBytes = 0;

/** Bytes in all send queues; walked at most once a second, since there may be ten thousand. */
function queued(): number {
  if (clock.tenths - queuedAt < 10 && queuedAt >= 0) return queuedBytes;
  queuedAt = clock.tenths;
  queuedBytes = 0;
  for (const connection of open.values()) queuedBytes += connection.getSendBufferQueueSize();
  return queuedBytes;
}

/** The lines of `longshore connections`, `limit` at most. */
export function connectionRows(worker: string, limit: number): ConnectionRow[] {
  const rows: ConnectionRow[] = [];
  for (const connection of open.values()) {
    if (rows.length >= limit) break;
    rows.push(rowOf(connection, worker));
  }
  return rows;
}

function rowOf(connection: AnyConnection, worker: string): ConnectionRow {
  return {
    id: connection.id,
    worker: connection.worker?.name ?? worker,
    transport: connection.transport,
    protocol: connection.protocolName,
    ipv6: connection.isIpV6(),
    recvQ: connection.getRecvBufferQueueSize(),
    sendQ: connection.getSendBufferQueueSize(),
    bytesRead: connection.bytesRead,
    bytesWritten: connection.bytesWritten,
    status: connection.status.toUpperCase(),
    local: connection.getLocalAddress(),
    remote: connection.getRemoteAddress(),
  };
}

/** What the process itself knows of its file descriptors, for `longshore trace`. */
export function descriptors(
  listening: readonly { fds: readonly number[]; name: string }[],
): Descriptor[] {
  const known: Descriptor[] = listening.flatMap(({ fds, name }) =>
    fds.map((fd) => ({ fd, what: `listener ${name}` })),
  );
  for (const connection of open.values()) {
    const role = connection.worker ? 'connection' : 'outgoing connection';
    const peer = connection.getRemoteAddress() || connection.transport;
    known.push({
      fd: connection.fd,
      what: `${role} ${connection.id} (${connection.protocolName}) ${peer}`,
    });
  }
  return known.filter(({ fd }) => fd >= 0);
}
