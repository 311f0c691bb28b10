import { clock } from '../clock.ts';
import { CLOSE } from '../contract.ts';
import type { AnyConnection } from './connection.ts';
import { TcpConnection } from './tcp.ts';

/** Times after which something happens to a connection, in tenths of a second; 0 for never. */
export type Deadlines = {
  /** Nothing received for this long: it is closed. */
  readonly idle: number;
  /** Nothing received for this long: it is pinged, and again as often. */
  readonly ping: number;
  /** Not `authenticated` this long after it was accepted: it is closed. */
  readonly unauthenticated: number;
  /** Its handshake is not through this long after it was accepted: it is closed. */
  readonly handshake: number;
  /** Open for this long: it is closed, see `ageJitter`. */
  readonly age: number;
  /** Share of `age` by which connections of the same age differ, 0 to 1. */
  readonly ageJitter: number;
};

/** What the decision looks at. */
export type Timing = {
  readonly id: number;
  readonly open: boolean;
  readonly authenticated: boolean;
  readonly openedAt: number;
  readonly activeAt: number;
  readonly pingedAt: number;
};

export type Verdict = 'idle' | 'ping' | 'unauthenticated' | 'handshake' | 'age' | undefined;

/** What is due for a connection now. Pure. */
export function overdue(timing: Timing, deadlines: Deadlines, now: number): Verdict {
  const { idle, ping, unauthenticated, handshake, age, ageJitter } = deadlines;
  const alive = now - timing.openedAt;
  if (!timing.open) return handshake > 0 && alive >= handshake ? 'handshake' : undefined;
  if (unauthenticated > 0 && !timing.authenticated && alive >= unauthenticated)
    return 'unauthenticated';
  if (age > 0 && alive >= age * (1 - ageJitter * spread(timing.id))) return 'age';
  const silent = now - timing.activeAt;
  if (idle > 0 && silent >= idle) return 'idle';
  if (ping > 0 && silent >= ping && now - timing.pingedAt >= ping) return 'ping';
  return undefined;
}

/** 0 to 1, the same for the same id, evenly spread over ids: Knuth's multiplicative hash. */
function spread(id: number): number {
  return ((id * 2_654_435_761) % 2 ** 32) / 2 ** 32;
}

const WORDS = {
  idle: { code: CLOSE.policy, reason: 'nothing received for too long' },
  unauthenticated: { code: CLOSE.policy, reason: 'not authenticated in time' },
  handshake: { code: CLOSE.policy, reason: 'no handshake in time' },
  age: { code: CLOSE.serviceRestart, reason: '{"reconnect":[0,1000]}' },
} as const;

/** Looks at every connection and does what is due. */
export function sweep(
  connections: Iterable<AnyConnection>,
  deadlines: Deadlines,
  pingData: string | Uint8Array | undefined,
): void {
  const now = clock.tenths;
  for (const connection of connections) {
    const open = connection.status === 'established';
    if (connection.lent || (!open && connection.status !== 'connecting')) continue;
    const { id, authenticated, openedAt, activeAt, pingedAt } = connection;
    const due = overdue({ id, open, authenticated, openedAt, activeAt, pingedAt }, deadlines, now);
    if (due === 'ping') ping(connection, pingData, now);
    else if (due !== undefined) connection.end('timeout', WORDS[due].code, WORDS[due].reason);
  }
}

function ping(connection: AnyConnection, data: string | Uint8Array | undefined, now: number): void {
  connection.pingedAt = now;
  if (!(connection instanceof TcpConnection)) return;
  if (data === undefined) connection.ping();
  else connection.send(data);
}
