import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './program.ts';

/** Why tests with a real redis-server are skipped; `undefined`: they are not. */
export const NO_REDIS: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed';

const running = new Set<RedisServer>();

/** Kills every server that is left. For `afterEach`. */
export async function endRedis(): Promise<void> {
  await Promise.all([...running].map((server) => server.remove()));
}

/** A redis-server that writes all it has to a file before it answers. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'longshore-redis-'));
  readonly #more: readonly string[];
  #child: ChildProcess | undefined = undefined;

  constructor(port: number, more: readonly string[] = []) {
    this.port = port;
    this.#more = more;
  }

  /** Starts it; also again, after it was killed. */
  async start(): Promise<this> {
    const place = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.#folder];
    const keeps = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const child = spawn('redis-server', [...place, ...keeps, ...this.#more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    running.add(this);
    const ready = Promise.withResolvers<void>();
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.includes('Ready to accept connections')) ready.resolve();
    });
    child.on('exit', () => ready.reject(new Error(`redis-server ended:\n${said}`)));
    await ready.promise;
    return this;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends it for good, with all that it has stored. */
  async remove(): Promise<void> {
    await this.kill();
    running.delete(this);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One server, started. */
export async function redisServer(more?: readonly string[]): Promise<RedisServer> {
  return new RedisServer(await freePort(), more).start();
}
