/** Who leads, and what to do about it. Pure; `lease.ts` does it. */

/** The parts of a Lease that count. */
export type Seen = {
  /** Empty or absent: it was given back. */
  readonly holder: string | undefined;
  /** Only compared with itself: the clock of the holder may be anywhere. */
  readonly renewTime: string | undefined;
  readonly seconds: number;
};

/** Times are milliseconds on our own monotonic clock. */
export type Own = {
  readonly identity: string;
  /** When holder or renewTime were last seen to change. */
  readonly changedAt: number;
  /** When we sent the last renewal that was taken; `undefined` if we do not lead. */
  readonly renewedAt: number | undefined;
};

export type Decision =
  /** Make the Lease, or write ourselves into it. */
  | { readonly is: 'acquire' }
  | { readonly is: 'renew' }
  | { readonly is: 'wait'; readonly ms: number }
  /** We led, and must not act any more. */
  | { readonly is: 'lost'; readonly why: string };

/** What a Lease is written with. */
export const LEASE_SECONDS = 15;
const RENEW_MS = (LEASE_SECONDS * 1000) / 3;
/** A leader that could not renew for so long stops, well before another one may begin. */
export const DEADLINE_MS: number = (LEASE_SECONDS * 1000 * 2) / 3;
/** How often others look. */
const LOOK_MS = 2000;

/** @param seen `undefined` if there is no Lease */
export function decide(seen: Seen | undefined, own: Own, now: number): Decision {
  const { identity, changedAt, renewedAt } = own;
  if (renewedAt !== undefined) return kept(seen, identity, renewedAt, now);
  if (!seen?.holder || seen.holder === identity) return { is: 'acquire' };
  const left = changedAt + seen.seconds * 1000 - now;
  return left <= 0 ? { is: 'acquire' } : { is: 'wait', ms: Math.min(left, LOOK_MS) };
}

function kept(seen: Seen | undefined, identity: string, renewedAt: number, now: number): Decision {
  if (seen && seen.holder !== identity)
    return { is: 'lost', why: `${seen.holder || 'nobody'} holds the lease` };
  if (now - renewedAt >= DEADLINE_MS)
    return { is: 'lost', why: `the lease was not renewed for ${DEADLINE_MS / 1000} s` };
  const left = renewedAt + RENEW_MS - now;
  return left <= 0 ? { is: 'renew' } : { is: 'wait', ms: left };
}
