import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A program of a test's own, in a folder inside the package so that it can import `longshore`. */
export class Fixture implements Disposable {
  readonly folder: string = mkdtempSync(join(ROOT, '.test-'));
  readonly file: string = join(this.folder, 'app.ts');
  readonly port: number;

  private constructor(port: number) {
    this.port = port;
  }

  static async create(source?: string): Promise<Fixture> {
    const fixture = new Fixture(await freePort());
    fixture.write(source ?? TALKER);
    return fixture;
  }

  /** Writes the program; `PORT` in it becomes the fixture's own. */
  write(source: string): void {
    writeFileSync(this.file, source.replaceAll('PORT', String(this.port)));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A text server whose processes do what a line tells them. Tests replace `VERSION` and `COUNT`. */
export const TALKER = `
import { Timer, Worker } from 'longshore';
import { existsSync } from 'node:fs';
const version = 'one';
const worker = new Worker('text://127.0.0.1:PORT', { name: 'talker', count: 2 });
const said = (what: string) => console.log(what + ' ' + worker.id);
worker.onWorkerStart = () => {
  if (process.env['FAIL_WHILE'] && existsSync(process.env['FAIL_WHILE'])) throw new Error('not yet');
  said('begin');
};
worker.onWorkerReload = () => said('reloading ' + JSON.stringify(worker.config));
worker.onWorkerStop = () => said('stopping');
worker.onDrain = () => said('draining');
const commands: Record<string, (argument: string) => unknown> = {
  pid: () => process.pid,
  id: () => worker.id,
  version: () => version,
  uid: () => [process.getuid?.(), process.getgid?.()].join(),
  config: (key) => worker.config[key],
  echo: (text) => text,
  die: (code) => process.exit(Number(code)),
  throw: () => { throw new Error('planned'); },
  later: () => { setTimeout(() => { throw new Error('planned later'); }, 1); return 'soon'; },
  recycle: () => { Worker.stopAll(); return 'bye'; },
  block: (ms) => { const end = performance.now() + Number(ms); while (performance.now() < end); return 'done'; },
  timer: () => { Timer.add(1000, () => {}); return 'set'; },
};
worker.onMessage = (connection, line) => {
  const [name = '', argument = ''] = line.split(/ (.*)/);
  connection.send(String(commands[name]?.(argument)));
};
await Worker.runAll();
`;
