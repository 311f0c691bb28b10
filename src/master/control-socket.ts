import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { codeOf, LongshoreError, messageOf } from '../errors.ts';
import { log } from '../log.ts';
import { makeRoom } from '../unix-socket.ts';

/**
 * Listens on the control socket. Only this user can reach it: the folder is for its owner alone.
 *
 * @returns false if no socket can be made there (a read-only file system): the server runs, without local commands
 * @throws {LongshoreError} `ALREADY_RUNNING`
 */
export async function openControlSocket(server: Server, path: string): Promise<boolean> {
  try {
    makePrivate(dirname(path));
    await listen(server, path);
    return true;
  } catch (error) {
    if (error instanceof LongshoreError) throw error;
    log.warn(
      `no control socket: ${messageOf(error)}; the commands status, reload and stop will not find this server`,
    );
    return false;
  }
}

/** Makes the folder, or checks that nobody else could have put something into it. */
function makePrivate(folder: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  try {
    // Not `recursive`: Node would say ENOENT where the file system is read-only.
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw new Error(`${folder} belongs to somebody else`);
  }
  if ((stat.mode & 0o077) !== 0) chmodSync(folder, 0o700);
}

async function listen(server: Server, path: string, again = true): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ path }, resolve);
  try {
    await promise;
    server.removeListener('error', reject);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE' || !again) throw error;
    if (!(await makeRoom(path))) {
      throw new LongshoreError(
        'ALREADY_RUNNING',
        'this program runs already: longshore status FILE shows it, longshore stop FILE ends it',
      );
    }
    await listen(server, path, false);
  }
}
