import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT: string = fileURLToPath(new URL('../../..', import.meta.url));

export type RunOptions = {
  /** Goes to standard input. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Longest that it may take. */
  readonly ms?: number;
};

/**
 * Runs a command to its end.
 *
 * @returns standard output
 * @throws with the command and its standard error if it ends with another code than 0
 */
export async function run(
  command: string,
  args: readonly string[],
  { input = '', env = {}, ms = 120_000 }: RunOptions = {},
): Promise<string> {
  const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env }, timeout: ms });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // Who does not read all of its input is judged by its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  const code = await promise;
  if (code === 0) return stdout;
  const how = child.killed ? `was killed after ${ms} ms` : `ended with ${code}`;
  throw new Error(`${command} ${args.join(' ')} ${how}:\n${stdout}${stderr}`);
}

/** Whether a command exists and is content. */
export async function works(command: string, ...args: string[]): Promise<boolean> {
  return run(command, args, { ms: 20_000 }).then(
    () => true,
    () => false,
  );
}

/** How often `eventually` looks. */
const LOOK_MS = 100;

/**
 * Waits until there is something: looks often, and gives what it has found.
 *
 * @param what completes the sentence "… did not come true"
 * @param look gives `undefined` or `false`, or throws, as long as it is not there
 * @throws with what was seen last
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 60_000,
): Promise<T> {
  let last: unknown;
  for (const end = Date.now() + ms; Date.now() < end; ) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    await new Promise((next) => setTimeout(next, LOOK_MS));
  }
  throw new Error(`${what} did not come true within ${ms / 1000} s; last: ${String(last)}`);
}
