/**
 * When a process that leaves does what. Pure.
 *
 *     now        close everything at once
 *     graceful   stop accepting ── connections live ── [window before the deadline: close the rest, paced] ── end
 *     drain      announce, keep accepting for the propagation delay ── stop accepting, close all, paced ── end
 */

import type { How } from './plan-types.ts';

/** Lengths in milliseconds. */
export type DrainSettings = {
  /** How long load balancers need to notice. */
  readonly propagationMs: number;
  /** Over which closes are spread. */
  readonly windowMs: number;
  /** How long connections may live on after a graceful leave. */
  readonly gracefulMs: number;
};

/** Points in time, on the clock that `now` is from; ascending. */
export type RetireTimes = {
  readonly acceptUntil: number;
  readonly closeFrom: number;
  readonly closeUntil: number;
};

export function retireTimes(how: How, settings: DrainSettings, now: number): RetireTimes {
  const { propagationMs, windowMs, gracefulMs } = settings;
  switch (how) {
    case 'now':
      return { acceptUntil: now, closeFrom: now, closeUntil: now };
    case 'graceful': {
      const closeUntil = now + gracefulMs;
      return { acceptUntil: now, closeFrom: Math.max(now, closeUntil - windowMs), closeUntil };
    }
    case 'drain': {
      const acceptUntil = now + propagationMs;
      return { acceptUntil, closeFrom: acceptUntil, closeUntil: acceptUntil + windowMs };
    }
  }
}

/** Longest that a leave may take before the process is killed: its plan, then `lastMs` for last words. */
export function retireMs(how: How, settings: DrainSettings, lastMs: number): number {
  return retireTimes(how, settings, 0).closeUntil + lastMs;
}

/**
 * Moments, from the beginning of the window on, at which to close one connection each: the window is cut in `count`
 * equal parts and each close falls somewhere in its part. So the pace is even over any longer stretch, and still no two
 * servers that began together stay in step.
 *
 * @param random 0 to 1, asked once a close
 * @returns ascending, all within the window
 */
export function closeOffsets(count: number, windowMs: number, random: () => number): number[] {
  return Array.from({ length: count }, (_, i) => ((i + random()) * windowMs) / count);
}

/**
 * The settings cut to fit the time until the process is killed from outside (Kubernetes' grace period): first the
 * window gives way, then the propagation delay.
 *
 * @param lastMs kept free at the end for last words
 */
export function fitted(settings: DrainSettings, graceMs: number, lastMs: number): DrainSettings {
  const room = Math.max(0, graceMs - lastMs);
  const propagationMs = Math.min(settings.propagationMs, room);
  const windowMs = Math.min(settings.windowMs, room - propagationMs);
  return { propagationMs, windowMs, gracefulMs: Math.min(settings.gracefulMs, room) };
}

/** What a client is told with a close: wait between these two numbers of milliseconds before you come back. */
export type ReconnectHint = readonly [from: number, to: number];

/** The reason of a WebSocket close frame (at most 123 bytes) that carries a hint; `browser.ts` reads it. */
export function hintReason([from, to]: ReconnectHint): string {
  return JSON.stringify({ reconnect: [Math.round(from), Math.round(to)] });
}
