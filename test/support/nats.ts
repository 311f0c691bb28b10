import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './program.ts';

/** Debian puts it where users without rights do not look. */
const PATHS = ['nats-server', '/usr/sbin/nats-server'];
const BINARY = PATHS.find((each) => spawnSync(each, ['--version']).status === 0);

/** Why tests with real nats-servers are skipped; `undefined`: they are not. */
export const WHY_NOT: string | undefined = BINARY ? undefined : 'nats-server is not installed';

const READY = /Server is ready|JetStream cluster new metadata leader|Self is new JetStream cluster/;
const running = new Set<NatsServer>();

/** Kills every server that is left. For `afterAll`. */
export async function endNats(): Promise<void> {
  await Promise.all([...running].map((server) => server.remove()));
}

/** A nats-server with JetStream in a folder of its own. */
export class NatsServer {
  readonly port: number;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'longshore-nats-'));
  readonly #config: string;
  #child: ChildProcess | undefined = undefined;
  #ended: Promise<unknown> = Promise.resolve();

  /** @param more lines of the configuration */
  constructor(port: number, more: string = '', jetstream: boolean = true) {
    this.port = port;
    this.#config = join(this.#folder, 'nats.conf');
    const store = jetstream ? `jetstream { store_dir: "${this.#folder}" }` : '';
    writeFileSync(this.#config, `listen: 127.0.0.1:${port}\n${store}\n${more}\n`);
  }

  get address(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Starts it; also again, after it was killed. */
  async start(): Promise<this> {
    if (!BINARY) throw new Error(WHY_NOT);
    const child = spawn(BINARY, ['-c', this.#config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    this.#ended = once(child, 'exit');
    running.add(this);
    const ready = Promise.withResolvers<void>();
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
      if (READY.test(said)) ready.resolve();
    });
    child.on('exit', () => ready.reject(new Error(`nats-server ended:\n${said}`)));
    await ready.promise;
    return this;
  }

  /** Stops it as a rolling update does, or kills it at once. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child?.kill(signal);
    await this.#ended;
  }

  /** Ends it for good, with all that it has stored. */
  async remove(): Promise<void> {
    await this.stop();
    running.delete(this);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One server. */
export async function natsServer(
  more?: string,
  port?: number,
  jetstream?: boolean,
): Promise<NatsServer> {
  return new NatsServer(port ?? (await freePort()), more, jetstream).start();
}

/** Three servers that are a cluster. JetStream has a leader a moment later. */
export async function natsCluster(): Promise<NatsServer[]> {
  const ports: number[] = [];
  for (let i = 0; i < 6; i += 1) ports.push(await freePort());
  const routes = ports.slice(3).map((port) => `nats://127.0.0.1:${port}`);
  const made = routes.map((_, i) => {
    const cluster = `name: test\n listen: 127.0.0.1:${ports[3 + i]}\n routes: [${routes.join(', ')}]`;
    return new NatsServer(ports[i] as number, `server_name: n${i}\ncluster {\n ${cluster}\n}\n`);
  });
  return Promise.all(made.map((server) => server.start()));
}
