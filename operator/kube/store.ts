import type { KubeObject } from '../api/meta.ts';
import { keyOf } from './resources.ts';

/**
 * Whether a resource version is a later one: whole numbers of any length, as every API server since 1.35 promises and
 * those before it did. Pure.
 */
export function isLater(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/** What became of one key; `now` and `before` are never both absent. */
export type Change<T> = {
  readonly key: string;
  readonly now: T | undefined;
  readonly before: T | undefined;
};

const versionOf = ({ metadata }: KubeObject): string => metadata.resourceVersion ?? '';

/**
 * What an event of a watch changes. A watch that is begun again tells old news too, which must not undo what is known.
 * Pure.
 */
export function changeOf<T extends KubeObject>(
  store: ReadonlyMap<string, T>,
  is: 'there' | 'gone',
  object: T,
): Change<T> | undefined {
  const key = keyOf(object);
  const before = store.get(key);
  if (before && isLater(versionOf(before), versionOf(object))) return undefined;
  if (is === 'gone') return before && { key, now: undefined, before };
  if (before && versionOf(before) === versionOf(object)) return undefined;
  return { key, now: object, before };
}

/**
 * What a list changes in a store that no watch has kept up to date since: it is the truth. Pure.
 *
 * @param mine whether a key belongs to the part that the list is of
 */
export function replacement<T extends KubeObject>(
  store: ReadonlyMap<string, T>,
  list: readonly T[],
  mine: (key: string) => boolean,
): Change<T>[] {
  const listed = new Map(list.map((object) => [keyOf(object), object]));
  const gone = [...store].filter(([key]) => mine(key) && !listed.has(key));
  return [
    ...gone.map(([key, before]) => ({ key, now: undefined, before })),
    ...[...listed]
      .map(([key, now]) => ({ key, now, before: store.get(key) }))
      .filter(({ now, before }) => !before || versionOf(before) !== versionOf(now)),
  ];
}

/**
 * What a list shows that a store does not have though a watch has kept it up to date meanwhile. Pure.
 *
 * @param resourceVersion of the list; what the store knows of later is left alone
 * @param removed keys that were removed since the list was asked for
 * @param mine as above
 */
export function differences<T extends KubeObject>(
  store: ReadonlyMap<string, T>,
  list: readonly T[],
  {
    resourceVersion,
    removed,
    mine,
  }: {
    readonly resourceVersion: string;
    readonly removed: ReadonlySet<string>;
    readonly mine: (key: string) => boolean;
  },
): Change<T>[] {
  const changes: Change<T>[] = [];
  const listed = new Set<string>();
  for (const object of list) {
    listed.add(keyOf(object));
    const change = removed.has(keyOf(object)) ? undefined : changeOf(store, 'there', object);
    if (change) changes.push(change);
  }
  for (const [key, before] of store) {
    const later = isLater(versionOf(before), resourceVersion);
    if (mine(key) && !listed.has(key) && !later) changes.push({ key, now: undefined, before });
  }
  return changes;
}
