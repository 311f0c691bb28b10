import type { Entry, Registry } from './registry.ts';

/** What can be asked of a gateway, and its answers: JSON both. Pure. */
export type Question =
  | { readonly what: 'session' | 'uid' | 'online'; readonly client: number }
  | {
      readonly what: 'clients' | 'sessions' | 'uids' | 'count';
      readonly group?: string;
      readonly uid?: string;
    }
  | { readonly what: 'groups' | 'allUids' | 'groupUids' | 'groupClients' | 'groupCounts' }
  | { readonly what: 'uidsOnline'; readonly uids: readonly string[] };

/**
 * An answer from the registry.
 *
 * @throws {TypeError} for what is no question
 */
export function answerTo(registry: Registry, question: Question): unknown {
  switch (question.what) {
    case 'online':
      return registry.clients.has(question.client);
    case 'session':
      return registry.clients.get(question.client)?.session ?? null;
    case 'uid':
      return registry.clients.get(question.client)?.uid ?? null;
    case 'count':
    case 'clients':
    case 'sessions':
    case 'uids':
      return aboutClients(registry, question);
    case 'uidsOnline':
      return question.uids.filter((uid) => registry.withUid(uid).size > 0);
    case 'allUids':
      return [...registry.uids];
    case 'groups':
      return [...registry.groups];
    case 'groupClients':
      return perGroup(registry, (members) => [...members].map(({ number }) => number));
    case 'groupCounts':
      return perGroup(registry, (members) => members.size);
    case 'groupUids':
      return perGroup(registry, uidsOf);
    default:
      throw new TypeError('this gateway does not know the question');
  }
}

type AboutClients = Extract<Question, { readonly what: 'clients' | 'sessions' | 'uids' | 'count' }>;

function aboutClients(registry: Registry, { what, group, uid }: AboutClients): unknown {
  const some =
    group !== undefined
      ? registry.inGroup(group)
      : uid !== undefined
        ? registry.withUid(uid)
        : registry.clients;
  if (what === 'count') return some.size;
  const entries = some === registry.clients ? registry.clients.values() : (some as Set<Entry>);
  if (what === 'uids') return uidsOf(entries);
  return what === 'clients'
    ? Array.from(entries, ({ number }) => number)
    : Array.from(entries, ({ number, session }) => [number, session]);
}

/** Each once, without clients that have none. */
function uidsOf(entries: Iterable<Entry>): string[] {
  const uids = new Set<string>();
  for (const { uid } of entries) if (uid !== undefined) uids.add(uid);
  return [...uids];
}

function perGroup<T>(registry: Registry, read: (members: ReadonlySet<Entry>) => T): [string, T][] {
  return Array.from(registry.groups, (group) => [group, read(registry.inGroup(group))]);
}
