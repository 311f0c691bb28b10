import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, Peer } from '../support/peer.ts';
import { freePort } from '../support/program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'longshore-pack-'));
const project = join(folder, 'project');
// The project's own tools, so that nothing but the package itself is installed.
const TSC = join(ROOT, 'node_modules', '.bin', 'tsc');

const run = (command: string, args: string[], cwd = project) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Unpacks the tarball as an install would, with this checkout's copies of its dependencies. */
beforeAll(() => {
  run('npm', ['pack', '--silent', '--pack-destination', folder], ROOT);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  const installed = join(project, 'node_modules', 'longshore');
  execFileSync('mkdir', ['-p', installed]);
  run('tar', ['-xzf', join(folder, tarball), '--strip-components=1', '-C', installed], folder);
  for (const name of [
    'ws',
    'send',
    'prom-client',
    '@types/node',
    '@types',
    'undici-types',
    '@opentelemetry',
    'tdigest',
    'bintrees',
  ])
    link(name);
  for (const name of readdirSync(join(ROOT, 'node_modules'))) if (!name.startsWith('.')) link(name);
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
}, 60_000);

function link(name: string): void {
  try {
    execFileSync(
      'ln',
      ['-sn', join(ROOT, 'node_modules', name), join(project, 'node_modules', name)],
      { stdio: 'ignore' },
    );
  } catch {
    // It is there already.
  }
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SERVER = `
import { packages, Response, Worker, type TcpConnection } from 'longshore';

declare module 'longshore' {
  interface Context { name: string }
}

const json = packages<{ n: number }, { ok: boolean }>({
  name: 'json',
  input: (buffer, seen) => buffer.indexOf(10, seen) + 1,
  decode: (bytes) => JSON.parse(bytes.toString()) as { n: number },
  encode: (value) => JSON.stringify(value) + '\\n',
});
const chat = new Worker('text://127.0.0.1:PORT', { name: 'chat', count: 2 });
chat.onMessage = (connection, line) => {
  const upper: string = line.toUpperCase();
  connection.context.name = upper;
  connection.send(upper);
};
const own = new Worker('tcp://127.0.0.1:0', { name: 'own', protocol: json });
own.onMessage = (connection, message) => {
  const n: number = message.n;
  connection.send({ ok: n > 0 });
  // @ts-expect-error what the protocol cannot encode
  connection.send({ ok: 'yes' });
};
const web = new Worker('http://127.0.0.1:0', { name: 'web' });
web.onMessage = (connection, request) => connection.send(Response.json({ path: request.path }));
const udp = new Worker('udp://127.0.0.1:0', { name: 'udp' });
udp.onMessage = (connection, data) => connection.send(data.subarray(1));
// @ts-expect-error text Workers take strings
chat.onMessage = (connection: TcpConnection<string, string>, line) => connection.send(Buffer.from(line));
chat.onMessage = (connection, line) => connection.send(line.toUpperCase());
await Worker.runAll();
`;

describe('the package', () => {
  it('holds what it should and nothing else', () => {
    const files = run('npm', ['pack', '--dry-run', '--json'], ROOT);
    const names =
      (JSON.parse(files) as { files: { path: string }[] }[])[0]?.files.map(({ path }) => path) ??
      [];
    expect(names).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'package.json',
        'dist/src/index.js',
        'dist/src/index.d.ts',
        'dist/src/cli/bin.js',
      ]),
    );
    expect(
      names.filter(
        (name) =>
          !/^(dist\/(src|operator)\/|LICENSE$|README\.md$|CHANGELOG\.md$|package\.json$)/.test(
            name,
          ),
      ),
    ).toEqual([]);
  });

  it('type-checks in a strict project of somebody else, its own declarations included', () => {
    writeFileSync(join(project, 'server.ts'), SERVER);
    writeFileSync(
      join(project, 'page.ts'),
      "import { ReconnectingWebSocket } from 'longshore/browser';\nnew ReconnectingWebSocket('ws://x', { onMessage: (data) => void data }).send('x');\n",
    );
    const options = {
      target: 'esnext',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
    };
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, include: ['*.ts'] }),
    );
    let output = '';
    try {
      output = run(TSC, []);
    } catch (error) {
      output = String((error as { stdout: string }).stdout);
    }
    // Other packages' declarations are not ours to check.
    expect(output.split('\n').filter((line) => /^(server|page)\.ts|longshore/.test(line))).toEqual(
      [],
    );
  }, 60_000);

  it('starts a program with its own command, and reloads and stops it', async () => {
    const port = await freePort();
    writeFileSync(
      join(project, 'server.ts'),
      SERVER.replaceAll('PORT', String(port)).replace(/\/\/ @ts-expect-error.*\n.*\n/g, ''),
    );
    const bin = join(project, 'node_modules', 'longshore', 'dist', 'src', 'cli', 'bin.js');
    const env = { ...process.env, LONGSHORE_ADMIN: 'off', LONGSHORE_RUNTIME_DIR: folder };
    const child = spawn(process.execPath, [bin, 'start', 'server.ts'], {
      cwd: project,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    await eventually(() => /started: 5 processes/.test(output), 'the start');
    const peer = await Peer.to({ host: '127.0.0.1', port });
    expect(await peer.send('hello\n').line()).toBe('HELLO');
    peer.destroy();
    const command = (...args: string[]) =>
      execFileSync(process.execPath, [bin, ...args], { cwd: project, env, encoding: 'utf8' });
    expect(command('reload', 'server.ts')).toBe('reloaded: 5 processes replaced\n');
    expect(command('stop', 'server.ts')).toBe('stopped\n');
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
  }, 60_000);

  it('says which Node it needs when run with an old one', () => {
    const bin = join(project, 'node_modules', 'longshore', 'dist', 'src', 'cli', 'bin.js');
    const old = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' });`;
    let failure = { status: 0, stderr: '' };
    try {
      run(process.execPath, [
        '--import',
        `data:text/javascript,${encodeURIComponent(old)}`,
        bin,
        '--help',
      ]);
    } catch (error) {
      failure = error as typeof failure;
    }
    expect([failure.status, String(failure.stderr)]).toEqual([
      2,
      expect.stringMatching(/needs Node 24\.21 or newer/),
    ]);
  });
});
