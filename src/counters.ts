/**
 * What one worker process counts, and how the master adds it up. Pure.
 *
 * Invariant the rest relies on: for every process, the sum of all deltas it ever reported is its counts at its end, so
 * a master that adds deltas keeps the counts of processes that died (a killed one loses at most its last second).
 */

/** Numbers that only grow. Names of Workerman's status table where it has one. */
export type Counts = {
  total_request: number;
  packet_err: number;
  client_close: number;
  send_fail: number;
  throw_exception: number;
  accepted: number;
  rejected: number;
  messages_sent: number;
  bytes_received: number;
  bytes_sent: number;
  buffer_full: number;
};

const NAMES = [
  'total_request',
  'packet_err',
  'client_close',
  'send_fail',
  'throw_exception',
  'accepted',
  'rejected',
  'messages_sent',
  'bytes_received',
  'bytes_sent',
  'buffer_full',
] as const satisfies readonly (keyof Counts)[];

/** Why connections ended, by label: see `closeLabel`. */
export type Closes = Record<string, number>;

export function zeroCounts(): Counts {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as Counts;
}

/** `now - before`, number by number. */
export function countsSince(before: Counts, now: Counts): Counts {
  return Object.fromEntries(NAMES.map((name) => [name, now[name] - before[name]])) as Counts;
}

/** Adds `delta` to `sum`, in place. Anything that is not a finite number of 0 or more is taken as 0. */
export function addCounts(sum: Counts, delta: Partial<Counts>): void {
  for (const name of NAMES) {
    const more = delta[name];
    if (typeof more === 'number' && more > 0 && Number.isFinite(more)) sum[name] += more;
  }
}

/** The same for counts under labels. */
export function closesSince(before: Closes, now: Closes): Closes {
  const delta: Closes = {};
  for (const label in now) {
    const more = (now[label] ?? 0) - (before[label] ?? 0);
    if (more > 0) delta[label] = more;
  }
  return delta;
}

export function addCloses(sum: Closes, delta: Closes): void {
  for (const label in delta) sum[label] = (sum[label] ?? 0) + (delta[label] ?? 0);
}

/**
 * The label under which an end is counted. WebSocket codes as they are, but the ranges that peers choose freely as one
 * label each, so that nobody can fill the metrics with a thousand series.
 */
export function closeLabel(code: number): string {
  if (code >= 3000 && code < 4000) return '3xxx';
  if (code >= 4000 && code < 5000) return '4xxx';
  return code >= 1000 && code <= 1015 ? String(code) : 'other';
}

/**
 * Share of requests that went well, as Workerman prints it:
 * `(total - packet_err - send_fail) / total` in percent, to six decimals of the fraction; `100%` before the first.
 */
export function successShare({ total_request, packet_err, send_fail }: Counts): string {
  if (total_request === 0) return '100%';
  const fraction = (total_request - (packet_err + send_fail)) / total_request;
  return `${Number((Number(fraction.toFixed(6)) * 100).toFixed(4))}%`;
}
