import { createSocket } from 'node:dgram';
import * as net from 'node:net';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { abstractLock } from '../abstract-lock.ts';
import { type Address, formatAddress, hostPort, parseAddress } from '../address.ts';
import { codeOf, LongshoreError } from '../errors.ts';
import { listenError } from '../listeners/stream-server.ts';
import { makeRoom, removeSocket } from '../unix-socket.ts';
import type { Declared } from './messages.ts';

/** How long a port may still belong to processes of a master that has just gone. */
const WAIT_MS = 2000;

/** A socket that is bound but does not listen; `node:net` has it since 24.21, the type package not yet. */
interface BoundSocket {
  fd(): number;
  address(): { port: number } | string;
  close(): void;
}
const newBoundSocket = (where: { host?: string; port?: number; path?: string }): BoundSocket =>
  new (net as unknown as { BoundSocket: new (options: object) => BoundSocket }).BoundSocket(where);

/** Where a Worker listens, once it is clear that it can. */
export type Port = {
  readonly address: Address;
  /** The address to give to processes: with the real port. */
  readonly listen: string;
  /** The socket they share, where each cannot have one of its own. */
  readonly shared: BoundSocket | undefined;
};

/**
 * Makes sure that addresses are free before anything is forked, and keeps them for this master.
 *
 * With SO_REUSEPORT the kernel would let a second master of the same user listen on the same port and take half of its
 * clients. So a master holds a lock on each address: an abstract unix socket, which exists in the same network
 * namespace as the port and goes away with the process, however it ends.
 */
export class Ports {
  /** By Worker and address: a Worker that moves and moves back finds its own. */
  readonly #held = new Map<string, { readonly port: Port; readonly lock: Server | undefined }>();

  /**
   * @returns what to give to the Worker's processes; `undefined` for one that listens nowhere
   * @throws {LongshoreError} `PORT_TAKEN` or `START_FAILED`
   */
  async claim(worker: Declared): Promise<Port | undefined> {
    if (worker.address === undefined) return undefined;
    const key = keyOf(worker);
    const known = this.#held.get(key);
    if (known) return known.port;
    const address = parseAddress(worker.address);
    const bound = await probe(address);
    const locked = process.platform === 'linux' ? await lock(bound) : undefined;
    const shares = bound.path !== undefined || (!worker.reusePort && bound.scheme !== 'udp');
    const shared = shares ? bind(bound) : undefined;
    const port = { address, listen: formatAddress(bound), shared };
    this.#held.set(key, { port, lock: locked });
    return port;
  }

  /** Gives back what none of these Workers has. */
  keep(workers: readonly Declared[]): void {
    const wanted = new Set(workers.map(keyOf));
    for (const [key, { port, lock }] of this.#held) {
      if (wanted.has(key)) continue;
      port.shared?.close();
      if (port.address.path !== undefined) removeSocket(port.address.path);
      lock?.close();
      this.#held.delete(key);
    }
  }

  /** Gives everything back. */
  release(): void {
    this.keep([]);
  }
}

const keyOf = ({ name, address }: Declared): string =>
  `${name} ${address === undefined ? 'none' : formatAddress(parseAddress(address))}`;

/** Tries to listen on an address alone; gives it with the port that the kernel chose. */
async function probe(address: Address): Promise<Address> {
  if (address.path !== undefined) return probePath(address, address.path);
  for (const end = Date.now() + WAIT_MS; ; await sleep(50)) {
    try {
      return {
        ...address,
        port: await (address.scheme === 'udp' ? tryBinding(address) : tryListening(address)),
      };
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE' && Date.now() < end && (await isOurs(address))) continue;
      throw await takenBy(address, listenError(error as Error, address));
    }
  }
}

/** If it is another Longshore that has an address, the error that says so. */
async function takenBy(address: Address, otherwise: LongshoreError): Promise<LongshoreError> {
  const holder = process.platform === 'linux' ? await holderOf(address) : '';
  if (holder === '') return otherwise;
  const own = holder.startsWith(`pid ${process.pid} `);
  const message = own
    ? `${hostPort(address)} belongs to another Worker of this program; give each its own (to change places takes a restart)`
    : `${hostPort(address)} is taken by another Longshore: ${holder}`;
  return new LongshoreError('PORT_TAKEN', message, { cause: otherwise.cause });
}

/** A socket file that nobody listens on is left over from a crash. */
async function probePath(address: Address, path: string): Promise<Address> {
  if (!(await makeRoom(path)))
    throw listenError(Object.assign(new Error('in use'), { code: 'EADDRINUSE' }), address);
  return address;
}

async function tryBinding({ host, port }: Address): Promise<number> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  socket.once('error', reject);
  socket.bind({ address: host, port, exclusive: true }, () => {
    const bound = socket.address().port;
    socket.close(() => resolve(bound));
  });
  return promise;
}

async function tryListening({ host, port }: Address): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen({ host, port, exclusive: true, backlog: 1 }, () => {
    const bound = server.address() as net.AddressInfo;
    server.close(() => resolve(bound.port));
  });
  return promise;
}

function bind(address: Address): BoundSocket {
  try {
    return address.path === undefined
      ? newBoundSocket({ host: address.host, port: address.port })
      : newBoundSocket({ path: address.path });
  } catch (error) {
    throw listenError(error as Error, address);
  }
}

const lockName = (address: Address): string =>
  `longshore:${address.scheme === 'udp' ? 'udp' : 'tcp'}:${hostPort(address)}`;

async function lock(address: Address): Promise<Server> {
  try {
    return await abstractLock(lockName(address), `${process.pid} ${process.argv[1] ?? ''}`);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw listenError(error as Error, address);
    throw await takenBy(address, listenError(error as Error, address));
  }
}

/** Whether a Longshore that is about to go may still have the port: no master holds its lock. */
async function isOurs(address: Address): Promise<boolean> {
  return process.platform === 'linux' && (await holderOf(address)) === '';
}

/** `pid file` of the master that has an address; '' if none has. */
async function holderOf(address: Address): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  const client = net.connect({ path: `\0${lockName(address)}`, timeout: 1000 });
  client.setEncoding('utf8');
  client.on('data', (chunk) => {
    text += chunk;
  });
  client.on('error', () => resolve(''));
  client.on('timeout', () => client.destroy());
  client.on('close', () => resolve(text === '' ? '' : `pid ${text}`));
  return promise;
}
