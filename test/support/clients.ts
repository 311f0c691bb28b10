import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type AddressInfo, WebSocketServer } from 'ws';
import { AsyncTcpConnection, type ClientOptions } from '../../src/connections/client.ts';
import { cleanUp } from './in-process.ts';

/** Outgoing connections and the servers they go to; all ended by `endClients`. */

const clients: AsyncTcpConnection[] = [];
/** What else is to be closed. */
export const servers: { close(): unknown }[] = [];

/** For `afterEach`. */
export async function endClients(): Promise<void> {
  for (const client of clients.splice(0)) {
    client.onClose = undefined;
    client.destroy();
    client.cancelReconnect();
  }
  for (const server of servers.splice(0)) server.close();
  await cleanUp();
}

/** Not connected yet. */
export function client(address: string, options?: ClientOptions): AsyncTcpConnection {
  const made = new AsyncTcpConnection(address, options);
  clients.push(made);
  return made;
}

/** A plain server; gives its port. */
export async function server(serve: (socket: Socket) => void): Promise<number> {
  const made = createServer(serve).listen(0, '127.0.0.1');
  servers.push(made);
  await once(made, 'listening');
  return (made.address() as AddressInfo).port;
}

/** A `ws` server that echoes, to see our client with other people's eyes. */
export async function wsServer(
  options: object = {},
): Promise<{ port: number; wss: WebSocketServer }> {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  servers.push(wss);
  await once(wss, 'listening');
  wss.on('connection', (socket) =>
    socket.on('message', (data, binary) => socket.send(data, { binary })),
  );
  return { port: (wss.address() as AddressInfo).port, wss };
}

/** Callbacks in the order in which they came. */
export function diary(connection: AsyncTcpConnection): string[] {
  const seen: string[] = [];
  connection.onConnect = () => seen.push('connect');
  connection.onWebSocketConnect = () => seen.push('websocket');
  connection.onMessage = (_, message) => seen.push(`message ${String(message)}`);
  connection.onError = (_, code) => seen.push(code);
  connection.onClose = () => seen.push('close');
  return seen;
}
