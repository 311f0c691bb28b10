import { createHash } from 'node:crypto';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import type { Server } from 'node:net';
import { abstractLock } from '../abstract-lock.ts';
import { codeOf } from '../errors.ts';

/** What a journal needs of files. */

const CHUNK = 1_048_576;

/** Writes all of it, at this place. @throws the error of the disk */
export async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

/** The whole file, chunk by chunk. */
export async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(CHUNK), 0, CHUNK, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Copies bytes from the place `at` of one file to the place `to` of another. */
export async function copy(
  from: FileHandle,
  at: number,
  target: FileHandle,
  to: number,
  length: number,
): Promise<void> {
  for (let done = 0; done < length; ) {
    const size = Math.min(CHUNK, length - done);
    const { bytesRead, buffer } = await from.read(Buffer.allocUnsafe(size), 0, size, at + done);
    if (bytesRead === 0) throw new Error(`${length - done} bytes are missing at ${at + done}`);
    await writeAll(target, buffer.subarray(0, bytesRead), to + done);
    done += bytesRead;
  }
}

/** A rename is on the disk when its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Makes a file this process's own, until it ends: see `abstract-lock.ts`.
 *
 * @throws {Error} if another process has it
 */
export async function lockOf(path: string): Promise<Server | undefined> {
  if (process.platform !== 'linux') return undefined;
  const name = createHash('sha256')
    .update(await realpath(path))
    .digest('hex');
  return abstractLock(`longshore-globaldata-${name}`).catch((error) => {
    throw codeOf(error) === 'EADDRINUSE' ? new Error('another server has it') : error;
  });
}
