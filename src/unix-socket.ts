import { lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { codeOf } from './errors.ts';

/** What says that nobody listens. */
const NOBODY: readonly unknown[] = ['ECONNREFUSED', 'ENOENT', 'ENOTDIR'];

/** Whether somebody listens on a unix socket. */
export function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ path }, () => resolve(true));
  socket.on('error', (error) => resolve(!NOBODY.includes(codeOf(error))));
  return promise.finally(() => socket.destroy());
}

/**
 * Makes room for a unix socket: one that nobody listens on is left over from a crash, and is removed. What is no socket
 * stays: it is somebody's file.
 *
 * @returns false if somebody listens there
 */
export async function makeRoom(path: string): Promise<boolean> {
  if (await answers(path)) return false;
  removeSocket(path);
  return true;
}

/** Removes a socket's file, if it is there and is one. */
export function removeSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) rmSync(path, { force: true });
  } catch (error) {
    if (!NOBODY.includes(codeOf(error))) throw error;
  }
}
