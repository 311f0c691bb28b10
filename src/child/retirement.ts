import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyConnection, callAsync, leaving, open } from '../connections/connection.ts';
import { CLOSE } from '../contract.ts';
import { stopListening } from '../listeners/listener.ts';
import { closeOffsets, hintReason, type RetireTimes } from '../master/drain.ts';
import type { How } from '../master/plan-types.ts';
import { monotonicMs } from '../monotonic.ts';
import type { AnyWorker } from '../worker.ts';
import { drainState } from './reporter.ts';

/** How and when this process leaves. */
export type Retirement = {
  readonly how: How;
  /** On the clock of `monotonicMs`, which master and processes share. */
  readonly times: RetireTimes;
  /** Part of a reload: another process takes over, so clients may come back at once. */
  readonly reload: boolean;
};

/** Peers that must go get this long for their last bytes before they are cut off. */
const LAST_WORDS_MS = 1200;
/** Who has connected and whose handshake is not through gets this long, to be told where to go; else it is a reset. */
const HANDSHAKE_MS = 1000;

/**
 * Carries out a retirement up to the point where no connection is left, or its time is over.
 *
 * @param signal another order has come
 */
export async function retire(
  worker: AnyWorker,
  { how, times, reload }: Retirement,
  signal: AbortSignal,
): Promise<void> {
  drainState.draining = true;
  if (how === 'drain') await callAsync('onDrain', worker.onDrain, worker);
  leaving.now = true;
  await until(times.acceptUntil, signal);
  signal.throwIfAborted();
  await worker.unlisten();
  await stopListening();
  await empty(times.closeFrom, signal);
  signal.throwIfAborted();
  const comesBack = reload || how !== 'now';
  if (times.closeUntil > monotonicMs()) await closePaced(times.closeUntil, signal);
  if (comesBack) await closeAsTheyOpen(signal);
  signal.throwIfAborted();
  for (const connection of clients()) closeOne(connection, comesBack);
  await empty(Math.max(monotonicMs(), times.closeUntil) + LAST_WORDS_MS, signal);
}

/** Ends what is left, one after the other over the window: those that were silent longest go first. */
async function closePaced(closeUntil: number, signal: AbortSignal): Promise<void> {
  const start = monotonicMs();
  const all = clients().sort((a, b) => a.activeAt - b.activeAt);
  const offsets = closeOffsets(all.length, Math.max(0, closeUntil - start), Math.random);
  for (const [i, connection] of all.entries()) {
    await empty(start + (offsets[i] as number), signal);
    signal.throwIfAborted();
    if (open.has(connection.id) && isOpen(connection)) closeOne(connection, true);
  }
}

/** Ends all that can be told why, and those in their handshake when it is through. */
async function closeAsTheyOpen(signal: AbortSignal): Promise<void> {
  for (const end = monotonicMs() + HANDSHAKE_MS; ; await until(monotonicMs() + 20, signal)) {
    // A process that got no time to run reads what has come meanwhile before it judges.
    await new Promise((resolve) => setImmediate(resolve));
    for (const connection of clients()) if (isOpen(connection)) closeOne(connection, true);
    if (signal.aborted || monotonicMs() >= end || clients().every(isOpen)) return;
  }
}

const isOpen = ({ status }: AnyConnection): boolean => status !== 'connecting';
const clients = (): AnyConnection[] => [...open.values()].filter(isClient);

/** A server that comes back soon says so; one that is being stopped asks for more patience. */
function closeOne(connection: AnyConnection, comesBack: boolean): void {
  drainState.closed += 1;
  if (comesBack) connection.end('local', CLOSE.serviceRestart, hintReason([0, 500]));
  else connection.end('local', CLOSE.goingAway, hintReason([1000, 5000]));
}

const isClient = (connection: AnyConnection): boolean => connection.worker !== undefined;

/** Until a moment, or until told otherwise; then it is for the caller to ask the signal. */
async function until(moment: number, signal: AbortSignal): Promise<void> {
  const ms = moment - monotonicMs();
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => {});
}

/** Until no client is left, or a moment has come. */
async function empty(moment: number, signal: AbortSignal): Promise<void> {
  while (monotonicMs() < moment && !signal.aborted && clients().length > 0) {
    await until(Math.min(moment, monotonicMs() + 20), signal);
  }
}
