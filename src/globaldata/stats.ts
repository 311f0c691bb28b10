/** What a global data server counts and how it stands. Pure. */
export type DataStats = {
  /** Operations that were answered. Only grows, as the next. */
  operations: number;
  /** Of them those that were refused: full, no number, not stored. */
  refused: number;
  /** From here on: now. */
  keys: number;
  bytes: number;
  fileBytes: number;
};

export function zeroDataStats(): DataStats {
  return { operations: 0, refused: 0, keys: 0, bytes: 0, fileBytes: 0 };
}

/** Growth since `before`, and how things stand now. */
export function dataStatsSince(before: DataStats, now: DataStats): DataStats {
  return {
    ...now,
    operations: now.operations - before.operations,
    refused: now.refused - before.refused,
  };
}

/** Adds growth to a sum, in place, and takes over how things stand. */
export function addDataStats(sum: DataStats, delta: DataStats): void {
  const { operations, refused } = sum;
  Object.assign(sum, delta);
  sum.operations += operations;
  sum.refused += refused;
}

/** The stats of the global data server in this process, if one runs here. */
export const dataStats: { current: DataStats | undefined } = { current: undefined };
