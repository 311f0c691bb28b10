import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { ENV, EXIT, VERSION } from '../contract.ts';
import { codeOf, messageOf } from '../errors.ts';
import { COMMAND_HELP, HELP } from './help.ts';

/** A wrong command line: the message says what is wrong, the usage follows. */
class UsageError extends Error {}

const flag = (short?: string) =>
  ({ type: 'boolean', ...(short === undefined ? {} : { short }) }) as const;
const value = { type: 'string' } as const;

const START_OPTIONS = {
  daemon: flag('d'),
  log: value,
  admin: value,
  dev: flag(),
  'drain-window': value,
  'drain-propagation': value,
  graceful: value,
} as const satisfies ParseArgsOptionsConfig;

const OPTIONS: Readonly<Record<string, ParseArgsOptionsConfig>> = {
  start: START_OPTIONS,
  stop: { graceful: flag('g') },
  restart: { ...START_OPTIONS, graceful: flag('g') },
  reload: { graceful: flag('g') },
  status: { watch: flag('w'), json: flag() },
  connections: { limit: value, json: flag() },
  trace: { seconds: value, all: flag() },
  tune: {},
  operator: {},
};

/** Bounds of options that are numbers; the same for every command that has them. */
const NUMBERS: Readonly<Record<string, readonly [lowest: number, highest: number]>> = {
  'drain-window': [0, 86_400],
  'drain-propagation': [0, 86_400],
  graceful: [0, 86_400],
  limit: [1, 100_000],
  seconds: [0, 3600],
};

/** Commands that are not about a program. */
const WITHOUT_FILE = ['status', 'operator'];
/** Commands that hand arguments to the program. */
const TAKES_ARGUMENTS = ['start', 'restart'];
/** Most words that a command takes, its file included; behind `--` are those of the program. */
const WORDS_MAX: Readonly<Record<string, number>> = { trace: 2, operator: 0, tune: 1000 };

/** The command line, taken apart. */
export type Arguments = {
  readonly file: string;
  /** What follows the file. */
  readonly rest: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
};

type Command = (args: Arguments) => Promise<number>;

/** Commands are loaded when they are used: `start` becomes the server itself and should carry nothing else. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).start,
  stop: async () => (await import('./stop.ts')).stop,
  restart: async () => (await import('./stop.ts')).restart,
  reload: async () => (await import('./reload.ts')).reload,
  status: async () => (await import('./status.ts')).status,
  connections: async () => (await import('./status.ts')).connections,
  trace: async () => (await import('./trace.ts')).trace,
  tune: async () => (await import('./tune.ts')).tune,
  operator: async () => (await import('./operator.ts')).operator,
};

/** Runs one command; the exit code is set, or the process is left to run where the command is a server. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    process.exitCode = await run(argv);
  } catch (error) {
    process.stderr.write(`longshore: ${messageOf(error)}\n`);
    if (!(error instanceof UsageError) && codeOf(error) === undefined && process.env[ENV.debug]) {
      process.stderr.write(`${(error as Error).stack}\n`);
    }
    process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function run(argv: readonly string[]): Promise<number> {
  const [name = '--help', ...others] = argv;
  if (name === '--version' || name === '-v')
    return print(`longshore ${VERSION}, Node ${process.version}\n`);
  if (name === '--help' || name === '-h' || name === 'help')
    return print(COMMAND_HELP[others[0] ?? ''] ?? HELP);
  const load = COMMANDS[name];
  const options = OPTIONS[name];
  if (!load || !options) {
    throw new UsageError(
      `unknown command "${name}"; there is: ${Object.keys(COMMANDS).join(', ')}. See longshore --help`,
    );
  }
  if (others.some((each) => each === '--help' || each === '-h'))
    return print(COMMAND_HELP[name] ?? HELP);
  const command = await load();
  if (!TAKES_ARGUMENTS.includes(name) && name !== 'operator') endWithReader();
  return command(argumentsOf(name, others, options));
}

/** Who reads the output has seen enough, as `head`; or there is no room for it. Commands that become a server go on. */
function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error) => process.exit(codeOf(error) === 'EPIPE' ? EXIT.ok : EXIT.failed));
}

function argumentsOf(name: string, argv: string[], options: ParseArgsOptionsConfig): Arguments {
  try {
    const end = argv.indexOf('--');
    const words = end === -1 ? argv : argv.slice(0, end);
    const { values, positionals } = parseArgs({ args: words, options, allowPositionals: true });
    checkWords(name, positionals, values);
    checkNumbers(values);
    const [file = '', ...rest] = positionals;
    const behind = end === -1 ? [] : argv.slice(end + 1);
    if (!TAKES_ARGUMENTS.includes(name) && behind.length > 0)
      throw new Error(`"--" is for ${TAKES_ARGUMENTS.join(' and ')}`);
    return { file, rest: [...rest, ...behind], options: values as Arguments['options'] };
  } catch (error) {
    const [what = ''] = messageOf(error).split(/\.? To specify|\.?\n/);
    throw new UsageError(`${what}. See longshore ${name} --help`);
  }
}

/** @throws {Error} about a word that is missing, or would be ignored */
function checkWords(
  name: string,
  words: readonly string[],
  options: { log?: unknown; daemon?: unknown },
): void {
  if (words.length === 0 && !WITHOUT_FILE.includes(name))
    throw new Error(`${name === 'tune' ? 'NAME=VALUE' : 'FILE'} is missing`);
  const more = words[WORDS_MAX[name] ?? 1];
  if (more !== undefined) {
    const hint = TAKES_ARGUMENTS.includes(name) ? '; arguments of the program follow "--"' : '';
    throw new Error(`"${more}" is one word too many${hint}`);
  }
  if (options.log !== undefined && !options.daemon)
    throw new Error('--log goes with -d: in the foreground, redirect the output');
}

/** @throws {Error} about an option that is no number, or out of its bounds */
function checkNumbers(values: Readonly<Record<string, unknown>>): void {
  for (const [name, [lowest, highest]] of Object.entries(NUMBERS)) {
    const text = values[name];
    if (typeof text !== 'string') continue;
    const number = text.trim() === '' ? Number.NaN : Number(text);
    if (number >= lowest && number <= highest && (name !== 'limit' || Number.isInteger(number)))
      continue;
    const kind = name === 'limit' ? 'whole numbers from ' : '';
    throw new Error(`--${name} is "${text}", allowed: ${kind}${lowest} to ${highest}`);
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.ok;
}
