import type { KubeObject } from '../api/meta.ts';
import { ApiError } from './api-error.ts';

/** One line of a watch. */
export type WatchEvent =
  | { readonly is: 'there'; readonly object: KubeObject }
  | { readonly is: 'gone'; readonly object: KubeObject }
  /** Nothing has changed up to here. */
  | { readonly is: 'mark'; readonly resourceVersion: string };

const KINDS = new Map<string, 'there' | 'gone'>([
  ['ADDED', 'there'],
  ['MODIFIED', 'there'],
  ['DELETED', 'gone'],
]);

/**
 * Reads a line of a watch. Pure.
 *
 * @throws {ApiError} the error that the API server ends a watch with, or `Unreadable`
 */
export function watchEventOf(line: string): WatchEvent {
  const { type, object } = parsed(line);
  if (type === 'ERROR') {
    throw new ApiError(
      Number(object?.code ?? 0),
      String(object?.reason ?? 'Unknown'),
      String(object?.message ?? 'the watch ended with an error'),
    );
  }
  const { name, resourceVersion } = object?.metadata ?? {};
  if (typeof resourceVersion === 'string') {
    if (type === 'BOOKMARK') return { is: 'mark', resourceVersion };
    const is = typeof type === 'string' ? KINDS.get(type) : undefined;
    if (is && typeof name === 'string' && name !== '') return { is, object: object as KubeObject };
  }
  throw new ApiError(0, 'Unreadable', `not an event of a watch: ${line.slice(0, 200)}`);
}

type Line = {
  readonly type?: unknown;
  readonly object?: {
    readonly metadata?: { readonly name?: unknown; readonly resourceVersion?: unknown };
    readonly code?: unknown;
    readonly reason?: unknown;
    readonly message?: unknown;
  };
};

function parsed(line: string): Line {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new ApiError(0, 'Unreadable', `not a JSON object: ${line.slice(0, 200)}`);
}
