import { open } from '../../src/connections/connection.ts';
import type { TcpConnection } from '../../src/connections/tcp.ts';
import type { AnyWorker } from '../../src/worker.ts';
import { eventually, Peer } from './peer.ts';

/** Workers that listen in the test's own process, and clients of them; all ended by `cleanUp`. */

const workers: AnyWorker[] = [];
const peers: Peer[] = [];

/** Lets a Worker listen. */
export async function listening<W extends AnyWorker>(worker: W): Promise<W> {
  workers.push(worker);
  await worker.listen();
  return worker;
}

/** A plain client of a Worker. */
export async function peerOf(worker: AnyWorker): Promise<Peer> {
  const peer = await Peer.toWorker(worker);
  peers.push(peer);
  return peer;
}

/** The server's end of the only connection. */
export async function only(worker: AnyWorker): Promise<TcpConnection> {
  await eventually(() => worker.connections.size === 1, 'a connection');
  return worker.connections.values().next().value as TcpConnection;
}

/** For `afterEach`. */
export async function cleanUp(): Promise<void> {
  for (const peer of peers.splice(0)) peer.destroy();
  const accepted = [...open.values()].filter(({ worker }) => worker !== undefined);
  for (const connection of accepted) connection.destroy();
  for (const worker of workers.splice(0)) await worker.unlisten();
  await eventually(() => open.size === 0, 'all connections closed');
}
