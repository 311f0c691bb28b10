import { ChannelClient } from '../../src/channel/client.ts';
import { Fixture } from './fixture.ts';
import { freePort, type Program, start } from './program.ts';

const PROGRAM = `
  import { ChannelServer, Worker } from 'longshore';
  new ChannelServer(process.env.ADDRESS);
  await Worker.runAll();
`;
const HISTORY = [{ channels: 'kept:*', size: 100_000, seconds: 300 }];
const SECRET = 'known to all';
/** Time for every client to follow. */
const DRAIN = { LONGSHORE_DRAIN_PROPAGATION_SECONDS: '0', LONGSHORE_DRAIN_WINDOW_SECONDS: '1' };

const clients: ChannelClient[] = [];

/** For `afterEach`. */
export function endChannelClients(): void {
  for (const client of clients.splice(0)) client.close();
}

/** Three channel servers that know each other, each a program of its own. */
export class Servers implements Disposable {
  readonly #fixture: Fixture;
  readonly addresses: readonly string[];
  readonly programs: Program[] = [];

  private constructor(fixture: Fixture, addresses: readonly string[]) {
    this.#fixture = fixture;
    this.addresses = addresses;
  }

  static async three(): Promise<Servers> {
    const ports = [await freePort(), await freePort(), await freePort()];
    const addresses = ports.map((port) => `127.0.0.1:${port}`);
    const servers = new Servers(await Fixture.create(PROGRAM), addresses);
    for (const i of [0, 1, 2]) await servers.start(i);
    return servers;
  }

  async start(i: number): Promise<void> {
    this.programs[i] = await start(this.#fixture.file, {
      ADDRESS: this.addresses[i] ?? '',
      LONGSHORE_MEMBER: this.addresses[i] ?? '',
      LONGSHORE_CHANNEL: this.addresses.join(),
      LONGSHORE_SECRET: SECRET,
      ...DRAIN,
    });
  }

  async client(): Promise<ChannelClient> {
    const options = { history: HISTORY, secret: SECRET, heartbeat: 1 };
    const client = new ChannelClient(this.addresses.join(), options);
    clients.push(client);
    client.connect();
    await until(() => client.connected, 'connected');
    return client;
  }

  get output(): string {
    return this.programs.map(({ output }) => output).join('\n');
  }

  async end(): Promise<void> {
    for (const program of this.programs) await program.end();
  }

  [Symbol.dispose](): void {
    this.#fixture[Symbol.dispose]();
  }
}

/** @returns milliseconds that it took */
export async function until(good: () => boolean, what: string, ms = 20_000): Promise<number> {
  const began = performance.now();
  while (!good()) {
    if (performance.now() - began > ms) throw new Error(`${what}: not within ${ms / 1000} s`);
    await new Promise((next) => setTimeout(next, 5));
  }
  return performance.now() - began;
}
