/** What a gateway process counts and how it stands. Pure. */
export type GatewayStats = {
  /** Events that a BusinessWorker was handed and that it may not have finished when it died. Only grows, as the next. */
  maybeLost: number;
  /** Clients closed because no BusinessWorker came in time. */
  turnedAway: number;
  /** How often a client's events had to wait, by how long, and the sum in seconds: see `HOLD_BOUNDS`. */
  holds: number[];
  heldSeconds: number;
  /** From here on: now. */
  clients: number;
  groups: number;
  uids: number;
  /** Links of BusinessWorkers that take clients. */
  businessLinks: number;
  waiting: number;
  waitingBytes: number;
};

/** Upper bounds of the hold times, in seconds; the last bucket has none. */
export const HOLD_BOUNDS: readonly number[] = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function zeroGatewayStats(): GatewayStats {
  return {
    maybeLost: 0,
    turnedAway: 0,
    holds: Array.from({ length: HOLD_BOUNDS.length + 1 }, () => 0),
    heldSeconds: 0,
    clients: 0,
    groups: 0,
    uids: 0,
    businessLinks: 0,
    waiting: 0,
    waitingBytes: 0,
  };
}

/** A client's events have waited so long. */
export function observeHold(stats: GatewayStats, ms: number): void {
  const seconds = ms / 1000;
  const at = HOLD_BOUNDS.findIndex((bound) => seconds <= bound);
  const bucket = at === -1 ? HOLD_BOUNDS.length : at;
  stats.holds[bucket] = (stats.holds[bucket] ?? 0) + 1;
  stats.heldSeconds += seconds;
}

/** Growth since `before`, and how things stand now. */
export function gatewayStatsSince(before: GatewayStats, now: GatewayStats): GatewayStats {
  return {
    ...now,
    maybeLost: now.maybeLost - before.maybeLost,
    turnedAway: now.turnedAway - before.turnedAway,
    holds: now.holds.map((count, i) => count - (before.holds[i] ?? 0)),
    heldSeconds: now.heldSeconds - before.heldSeconds,
  };
}

/** Adds growth to a sum, in place, and takes over how things stand. */
export function addGatewayStats(sum: GatewayStats, delta: GatewayStats): void {
  const { maybeLost, turnedAway, heldSeconds } = sum;
  const holds = sum.holds.map((count, i) => count + (delta.holds[i] ?? 0));
  Object.assign(sum, delta, {
    maybeLost: maybeLost + delta.maybeLost,
    turnedAway: turnedAway + delta.turnedAway,
    heldSeconds: heldSeconds + delta.heldSeconds,
    holds,
  });
}

/** Its process is gone: what it counted stays, what was its present is no more. */
export function endGatewayStats(sum: GatewayStats): void {
  const { maybeLost, turnedAway, holds, heldSeconds } = sum;
  Object.assign(sum, zeroGatewayStats(), { maybeLost, turnedAway, holds, heldSeconds });
}

/** The stats of the gateway in this process, if one runs here. */
export const gatewayStats: { current: GatewayStats | undefined } = { current: undefined };
