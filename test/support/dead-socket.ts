import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { createServer } from 'node:net';

/** The file of a unix socket that nobody listens on, as a killed process leaves it. */
export async function deadSocket(path: string): Promise<void> {
  const server = createServer().listen({ path: `${path}~` });
  await once(server, 'listening');
  // Closing removes the file under its first name.
  renameSync(`${path}~`, path);
  server.close();
  await once(server, 'close');
}
