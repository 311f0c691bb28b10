import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { call } from '../../src/cli/admin-client.ts';
import { check, same } from './doc-checks.ts';
import { difference, type Names } from './doc-output.ts';
import { COMMAND_MS, ROOT, Running, SHIMS } from './doc-running.ts';
import type { Snippet } from './snippets.ts';

/**
 * Runs the blocks of one scene in a folder of their own inside the package, so that `longshore` can be imported.
 *
 * Port numbers on the page (four or five digits behind a colon) become free ones, everywhere in the scene; in what is
 * printed they are turned back. So is the folder, which pages call `/home/ann/hello`, and the runtime folder,
 * `/run/user/1000/longshore`. There is no admin port unless the scene mentions 9464.
 *
 * Options: `file` name of the block's file · `env` NAME=VALUE · `args` of `longshore start` · `check` see
 * `doc-checks.ts`; besides `log -> TEXT` (it is printed) and `exit -> CODE` (a server that ends by itself) · `until` a
 * text in the output of a command that goes on; it is interrupted when the scene ends · `prints` a text in the output ·
 * `code` the exit code to expect · `needs` a program, or `root`, without which the scene is skipped.
 */
export class Scene {
  readonly #snippets: readonly Snippet[];
  readonly #folder: string;
  readonly #runtimeDir: string;
  readonly #ports = new Map<string, string>();
  readonly #running: Running[] = [];

  private constructor(snippets: readonly Snippet[]) {
    this.#snippets = snippets;
    this.#folder = mkdtempSync(join(ROOT, '.test-docs-'));
    this.#runtimeDir = mkdtempSync(join(tmpdir(), 'longshore-docs-'));
  }

  /** Runs them all; tells of each how it went. */
  static async run(
    snippets: readonly Snippet[],
    told: (snippet: Snippet, error: unknown) => void,
  ): Promise<void> {
    const scene = new Scene(snippets);
    let failed: unknown;
    const last = snippets.at(-1) as Snippet;
    for (const snippet of snippets) {
      if (failed === undefined) failed = await scene.#attempt(() => scene.#run(snippet));
      if (snippet === last) {
        const ending = await scene.#attempt(() => scene.#end());
        failed ??= ending;
      }
      told(snippet, failed);
      if (failed !== undefined) failed = new Error('a block above, of the same scene, has failed');
    }
  }

  async #attempt(what: () => Promise<void>): Promise<unknown> {
    try {
      await what();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #run(snippet: Snippet): Promise<void> {
    if (this.#ports.size === 0) await this.#choosePorts();
    if (snippet.kind === 'file') this.#write(snippet, snippet.options.one('name') ?? 'app.ts');
    else if (snippet.kind === 'server') await this.#server(snippet);
    else if (snippet.kind === 'client') await this.#client(snippet);
    else await this.#shell(snippet);
    for (const each of snippet.options.all('check')) await this.#check(this.#here(each));
  }

  async #choosePorts(): Promise<void> {
    const texts = this.#snippets.flatMap(({ code, output, options }) => [
      code,
      output ?? '',
      ...options.all('check'),
      ...options.all('args'),
    ]);
    for (const [, port = ''] of texts.join('\n').matchAll(/:(\d{4,5})\b/g))
      if (!this.#ports.has(port)) this.#ports.set(port, String(await freePort()));
  }

  /** A text of the page with the real ports. */
  #here(text: string): string {
    return text.replaceAll(/\b\d{4,5}\b/g, (port) => this.#ports.get(port) ?? port);
  }

  get #names(): Names {
    const ports = [...this.#ports].map(([written, real]) => [real, written] as const);
    return [
      [this.#folder, '/home/ann/hello'],
      [this.#runtimeDir, '/run/user/1000/longshore'],
      ...ports,
    ];
  }

  #write(snippet: Snippet, name: string): void {
    const path = join(this.#folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, this.#here(snippet.code));
    if (name.endsWith('.json')) JSON.parse(snippet.code);
  }

  #start(snippet: Snippet, command: string, args: readonly string[]): Running {
    const admin = this.#ports.get('9464');
    const child = spawn(command, args, {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: `${SHIMS}${delimiter}${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
        NODE_OPTIONS: '--conditions=longshore-source --disable-warning=ExperimentalWarning',
        LONGSHORE_ADMIN: admin === undefined ? 'off' : `127.0.0.1:${admin}`,
        LONGSHORE_RUNTIME_DIR: this.#runtimeDir,
        ...Object.fromEntries(
          snippet.options.all('env').map((each) => {
            const at = each.indexOf('=');
            return [each.slice(0, at), this.#here(each.slice(at + 1))];
          }),
        ),
      },
    });
    return new Running(child);
  }

  async #server(snippet: Snippet): Promise<void> {
    const name = snippet.options.one('file') ?? 'app.ts';
    this.#write(snippet, name);
    const args = (snippet.options.one('args') ?? '').split(' ').filter((each) => each !== '');
    const command = ['start', name, ...args.map((each) => this.#here(each))];
    const running = this.#start(snippet, join(SHIMS, 'longshore'), command);
    this.#running.push(running);
    const exits = snippet.options.all('check').some((each) => each.startsWith('exit '));
    if (!exits) await running.says('started: ');
  }

  async #client(snippet: Snippet): Promise<void> {
    const name = snippet.options.one('file') ?? (snippet.language === 'ts' ? 'c.ts' : 'c.mjs');
    this.#write(snippet, name);
    await this.#finished(snippet, this.#start(snippet, process.execPath, [name]));
  }

  async #shell(snippet: Snippet): Promise<void> {
    const script = this.#here(snippet.code);
    const until = snippet.options.one('until');
    // `exec`, so that what is interrupted is the command and not the shell that waits for it.
    const code = until === undefined ? script : `exec ${script}`;
    const running = this.#start(snippet, 'bash', ['-e', '-o', 'pipefail', '-c', code]);
    if (until === undefined) {
      await this.#finished(snippet, running);
      return;
    }
    this.#running.push(running);
    await running.says(this.#here(until));
    this.#compare(snippet, running.output);
  }

  /** Waits for the end of something that ends by itself. */
  async #finished(snippet: Snippet, running: Running): Promise<void> {
    const wanted = Number(snippet.options.one('code') ?? 0);
    const code = await running.ended(COMMAND_MS);
    if (code !== wanted)
      throw new Error(`ended with ${code}, expected ${wanted}:\n${running.output}`);
    this.#compare(snippet, running.output);
  }

  #compare(snippet: Snippet, output: string): void {
    for (const text of snippet.options.all('prints')) {
      if (!output.includes(this.#here(text)))
        throw new Error(`expected "${text}" in what was printed:\n${output}`);
    }
    if (snippet.output === undefined) return;
    const wrong = difference(snippet.output, output, this.#names);
    if (wrong !== undefined) throw new Error(wrong);
  }

  async #check(text: string): Promise<void> {
    const [, kind, rest = ''] = /^(log|exit) -> (.*)$/.exec(text) ?? [];
    const running = this.#running.at(-1);
    if (kind === 'log') await running?.says(rest);
    else if (kind === 'exit') same(rest, String(await running?.ended(COMMAND_MS)));
    else await check(text);
  }

  /** Ends whatever is left. @throws if a server does not end as it should */
  async #end(): Promise<void> {
    const problems: string[] = [];
    for (const running of this.#running) {
      const code = await running.interrupt();
      if (code !== 0 && code !== 78 && code !== 130)
        problems.push(`ended with ${code}:\n${running.output}`);
    }
    await this.#stopDaemons();
    rmSync(this.#folder, { recursive: true, force: true });
    rmSync(this.#runtimeDir, { recursive: true, force: true });
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }

  /** What was started with `-d` is only known by its control socket. */
  async #stopDaemons(): Promise<void> {
    const sockets = readdirSync(this.#runtimeDir).filter((name) => name.endsWith('.sock'));
    for (const socket of sockets) {
      const path = join(this.#runtimeDir, socket);
      const asked = await call(path, 'POST', '/stop').catch(() => undefined);
      while (asked !== undefined && (await call(path, 'GET', '/status').catch(() => undefined)))
        await new Promise((next) => setTimeout(next, 50));
    }
  }
}

/** Below the ports that the kernel gives to outgoing connections, so that none of those takes it meanwhile. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => resolve(true));
    const free = await promise;
    server.close();
    if (free) return port;
  }
}
