/** What a client's session is and how changes of it meet. Pure. */

/**
 * A program's own values about a client, as JSON can hold them. Declare your keys once to have them typed:
 *
 *     declare module 'longshore' { interface Session { name: string } }
 */
export interface Session {
  // biome-ignore lint/suspicious/noExplicitAny: open on purpose, as Context is
  [key: string]: any;
}

/** What a handler changed, key by key, so that changes from elsewhere to other keys stay. */
export type SessionChange = {
  readonly set: Readonly<Record<string, unknown>>;
  readonly gone: readonly string[];
};

/** What a BusinessWorker has to know of a client. */
export type ClientState = {
  readonly session: Session;
  readonly uid: string | undefined;
  readonly remote: string;
};

/**
 * What has changed.
 *
 * @param before JSON of the session as it was
 * @param now JSON of it as it is
 */
export function changeOf(before: string, now: string): SessionChange {
  const old = JSON.parse(before) as Record<string, unknown>;
  const fresh = JSON.parse(now) as Record<string, unknown>;
  const set: Record<string, unknown> = {};
  for (const key of Object.keys(fresh)) {
    if (!Object.hasOwn(old, key) || JSON.stringify(old[key]) !== JSON.stringify(fresh[key]))
      define(set, key, fresh[key]);
  }
  return { set, gone: Object.keys(old).filter((key) => !Object.hasOwn(fresh, key)) };
}

/** A session with a handler's change. */
export function changed(session: Session, { set, gone }: SessionChange): Session {
  const next: Session = { ...session };
  for (const key of gone) delete next[key];
  for (const key of Object.keys(set)) define(next, key, set[key]);
  return next;
}

/** A session with `update` laid over it: objects key by key, at any depth; everything else is replaced. */
export function merged(session: Session, update: Readonly<Record<string, unknown>>): Session {
  const next: Session = { ...session };
  for (const key of Object.keys(update)) {
    const [old, fresh] = [Object.hasOwn(next, key) ? next[key] : undefined, update[key]];
    define(next, key, isPlain(old) && isPlain(fresh) ? merged(old, fresh) : fresh);
  }
  return next;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An own property whatever its name is: `__proto__` too. */
function define(of: object, key: string, value: unknown): void {
  Object.defineProperty(of, key, { value, writable: true, enumerable: true, configurable: true });
}
