import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * A lock that goes away with this process, however it ends: the kernel gives the name of an abstract unix socket (one
 * that begins with a zero byte, unix(7)) to one process of a network namespace at a time.
 *
 * @param name without the zero byte
 * @param holder told to whoever connects
 * @throws the error of `listen`: `EADDRINUSE` if another process has it
 */
export async function abstractLock(name: string, holder = ''): Promise<Server> {
  const server = createServer((socket) => socket.end(holder)).unref();
  server.listen({ path: `\0${name}` });
  await once(server, 'listening');
  return server;
}
