import { type Closes, type Counts, zeroCounts } from '../counters.ts';
import { messageOf } from '../errors.ts';
import { log } from '../log.ts';
import type { HttpConnection } from './http.ts';
import type { TcpConnection } from './tcp.ts';

/** What happened to a message handed to `send`: written to the kernel, queued, or dropped. */
export type SendResult = true | null | false;

/** Where a connection stands. Only `established` delivers messages. */
export type Status = 'initial' | 'connecting' | 'established' | 'closing' | 'closed';

/**
 * Anything a program wants to keep with a connection. Declare your keys once to have them typed:
 *
 *     declare module 'longshore' { interface Context { name: string } }
 */
export interface Context {
  // biome-ignore lint/suspicious/noExplicitAny: open on purpose, as in every framework's request context
  [key: string]: any;
}

/** Any connection that can stand in `worker.connections`. */
export type AnyConnection = TcpConnection | HttpConnection;

/** All that a process counts, over all its connections and workers. */
export type Tally = { readonly counts: Counts; readonly closes: Closes };

/** The one tally of this process; the master gets its growth every second. */
export const tally: Tally = { counts: zeroCounts(), closes: {} };

/** Every open connection of this process, accepted and outgoing, by id. */
export const open: Map<number, AnyConnection> = new Map();

/** Whether this process is about to leave: answers to HTTP requests then send their clients elsewhere. */
export const leaving = { now: false };

let lastId = 0;

/** 1, 2, 3 …, unique in this process. */
export function nextId(): number {
  lastId = lastId === Number.MAX_SAFE_INTEGER ? 1 : lastId + 1;
  return lastId;
}

/** The one place where a callback's failure ends: counted, logged, and the process lives on. */
export function failed(callback: string, error: unknown): void {
  tally.counts.throw_exception += 1;
  const stack = Error.isError(error) ? (error as Error).stack : undefined;
  log.error(`${callback} failed: ${stack ?? messageOf(error)}`);
}

/** Calls a user's callback, if there is one. What it throws, now or as a rejected promise, goes to `failed`. */
export function call<A extends unknown[]>(
  name: string,
  callback: ((...args: A) => unknown) | undefined,
  ...args: A
): void {
  if (!callback) return;
  try {
    watch(name, callback(...args));
  } catch (error) {
    failed(name, error);
  }
}

/** Watches over what a callback returned: if it is a promise, a rejection goes to `failed`. */
export function watch(name: string, result: unknown): void {
  if (result instanceof Promise) result.catch((error) => failed(name, error));
}

/** The same, waiting until the callback is through; never rejects. */
export async function callAsync<A extends unknown[]>(
  name: string,
  callback: ((...args: A) => unknown) | undefined,
  ...args: A
): Promise<void> {
  try {
    await callback?.(...args);
  } catch (error) {
    failed(name, error);
  }
}
