import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GlobalDataClient, type GlobalDataClientOptions } from '../../src/globaldata/client.ts';
import { Cable } from './cable.ts';
import { Fixture } from './fixture.ts';
import { eventually } from './peer.ts';
import { isAlive, type Program, start } from './program.ts';
import { endRedis, NO_REDIS, redisServer } from './redis.ts';

/** Any keys and values. */
// biome-ignore lint/suspicious/noExplicitAny: tests store what they like
export type AnyData = GlobalDataClient<Record<string, any>>;

/** One server of an engine that keeps its data, as a process of its own. */
export type DataPlace = {
  readonly address: string;
  client(options?: GlobalDataClientOptions): AnyData;
  /** A client behind a cable that can be pulled. */
  distant(options?: GlobalDataClientOptions): Promise<{ client: AnyData; cable: Cable }>;
  /** kill -9, and it starts again at the same place. */
  crash(): Promise<void>;
  /** The server is gone. */
  stop(): Promise<void>;
  /** And starts again. */
  again(): Promise<void>;
};

/** What can carry shared data: the tests of what an application sees are the same for each. */
export type DataEngineKind = {
  readonly name: string;
  /** Why its tests are skipped; `undefined`: they are not. */
  readonly whyNot: string | undefined;
  /** @param small a bound of memory so low that it is soon reached */
  readonly place: (small?: boolean) => Promise<DataPlace>;
};

const clients: AnyData[] = [];
const cables: Cable[] = [];
const ends: (() => Promise<void>)[] = [];

/** For `afterEach`. */
export async function endDataPlaces(): Promise<void> {
  for (const client of clients.splice(0)) client.close();
  for (const cable of cables.splice(0)) cable.remove();
  for (const end of ends.splice(0)) await end();
  await endRedis();
}

/** A client, closed at the end. */
export function dataClient(address: string, options: GlobalDataClientOptions = {}): AnyData {
  const client: AnyData = new GlobalDataClient(address, options);
  clients.push(client);
  return client;
}

function clientsAt(port: number, scheme: string) {
  const at = (to: number) => `${scheme}127.0.0.1:${to}`;
  return {
    address: at(port),
    client: (options?: GlobalDataClientOptions) => dataClient(at(port), options),
    distant: async (options?: GlobalDataClientOptions) => {
      const cable = await Cable.to(port);
      cables.push(cable);
      return { client: dataClient(at(cable.port), options), cable };
    },
  };
}

/** A program that is only a server with a file, and the file's folder. */
export async function dataProgram(
  options: object = {},
  env: Record<string, string> = {},
): Promise<{ fixture: Fixture; folder: string; run: () => Promise<Program> }> {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-data-'));
  const fixture = await Fixture.create();
  const all = JSON.stringify({ file: join(folder, 'data'), ...options });
  fixture.write(`
    import { GlobalDataServer, Worker } from 'longshore';
    new GlobalDataServer('127.0.0.1:${fixture.port}', ${all});
    await Worker.runAll();
  `);
  ends.push(async () => {
    fixture[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  const run = async () => {
    const program = await start(fixture.file, env);
    ends.unshift(() => program.end());
    return program;
  };
  return { fixture, folder, run };
}

/** Kills the server's process; its master starts another one. */
export async function killServer(program: Program): Promise<void> {
  const serverOf = async () => {
    const { processes } = await program.status();
    return processes.find(({ worker_name, pid }) => worker_name === 'GlobalDataServer' && pid)?.pid;
  };
  const pid = await serverOf();
  process.kill(pid as number, 'SIGKILL');
  await eventually(() => !isAlive(pid as number), 'its end');
}

export const NATIVE: DataEngineKind = {
  name: 'native',
  whyNot: undefined,
  place: async (small = false) => {
    const { fixture, run } = await dataProgram(small ? { maxBytes: 2_000_000 } : {});
    let program = await run();
    return {
      ...clientsAt(fixture.port, ''),
      crash: () => killServer(program),
      // The master too: else it would be there again at once.
      stop: () => program.end(),
      again: async () => {
        program = await run();
      },
    };
  },
};

export const REDIS: DataEngineKind = {
  name: 'redis',
  whyNot: NO_REDIS,
  place: async (small = false) => {
    const bound = ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'];
    const server = await redisServer(small ? bound : []);
    return {
      ...clientsAt(server.port, 'redis://'),
      crash: async () => {
        await server.kill();
        await server.start();
      },
      stop: () => server.kill(),
      again: async () => {
        await server.start();
      },
    };
  },
};

/** What became of an operation. */
export function failure(promise: Promise<unknown>): Promise<object> {
  return promise.then(
    (value) => ({ value }),
    (error) => ({ code: error.code, message: error.message }),
  );
}
