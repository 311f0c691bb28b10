import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN_PORT, ENV } from '../contract.ts';
import { messageOf, misuse } from '../errors.ts';
import { checkOptions, type LimitOptions } from '../worker-options.ts';
import { type DrainSettings, fitted } from './drain.ts';
import type { Config, Declared, Peers } from './messages.ts';
import { peersOf } from './peers-format.ts';

/** What the environment says, checked. Times in milliseconds. */
export type Settings = {
  /** Address of the admin port; `undefined` for none. `asked`: somebody named it, so failing to open it is an error. */
  readonly admin:
    | { readonly host: string; readonly port: number; readonly asked: boolean }
    | undefined;
  readonly drain: DrainSettings;
  readonly config: Config;
  readonly workers: readonly Override[];
  readonly limits: LimitOptions;
  readonly sysctlWanted: Readonly<Record<string, string>>;
  /** Where the servers are, until somebody knows better. */
  readonly peers: Peers | undefined;
};

/** What overrides a Worker's own declaration. */
export type Override = { readonly name: string; readonly count?: number; readonly listen?: string };

type Env = Readonly<Record<string, string | undefined>>;

const WINDOW_SECONDS = 20;
const GRACEFUL_SECONDS = 300;
/** Kept free of a grace period for last words and the exit itself. */
export const LAST_MS = 5000;

/**
 * Reads the settings.
 *
 * @throws {TypeError|RangeError} `OPTION_INVALID`, naming variable, value and bound
 */
export function settingsOf(env: Env): Settings {
  const drain = {
    propagationMs: seconds(env, ENV.drainPropagation, 0) * 1000,
    windowMs: seconds(env, ENV.drainWindow, WINDOW_SECONDS) * 1000,
    gracefulMs: seconds(env, ENV.graceful, GRACEFUL_SECONDS) * 1000,
  };
  const grace = env[ENV.grace] ? seconds(env, ENV.grace, 0) * 1000 : undefined;
  return {
    admin: adminOf(env),
    drain: grace === undefined ? drain : fitted(drain, grace, LAST_MS),
    config: configOf(env[ENV.config]),
    workers: overridesOf(fromFile(ENV.workers, env[ENV.workers])),
    limits: limitsOf(env[ENV.limits]),
    sysctlWanted: strings(ENV.sysctlWanted, env[ENV.sysctlWanted]),
    peers: startingPeers(env[ENV.peers]),
  };
}

function seconds(env: Env, name: string, otherwise: number): number {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (!(value >= 0 && value <= 86_400)) {
    throw misuse('OPTION_INVALID', `${name} is "${text}", allowed: 0 to 86400 seconds`, 'range');
  }
  return value;
}

function adminOf(env: Env): Settings['admin'] {
  const text = env[ENV.admin];
  if (text === 'off') return undefined;
  if (text === undefined || text === '')
    return { host: '127.0.0.1', port: ADMIN_PORT, asked: false };
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw misuse(
      'OPTION_INVALID',
      `the admin address "${text}" is not HOST:PORT, [IPV6]:PORT or off`,
    );
  }
  return { host: match[1] ?? (match[2] as string), port, asked: true };
}

/** Hot configuration: JSON, or a folder with a file for each key, as Kubernetes mounts a ConfigMap. */
function configOf(text: string | undefined): Config {
  if (text === undefined || text === '' || text.startsWith('{')) return strings(ENV.config, text);
  try {
    const files = readdirSync(text).filter(
      (name) => !name.startsWith('.') && statSync(join(text, name)).isFile(),
    );
    return Object.fromEntries(files.map((name) => [name, readFileSync(join(text, name), 'utf8')]));
  } catch (error) {
    throw misuse('OPTION_INVALID', `${ENV.config}: ${messageOf(error)}`);
  }
}

function strings(name: string, text: string | undefined): Record<string, string> {
  const value = parsed(name, text || '{}');
  const good = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!good || Object.values(value).some((each) => typeof each !== 'string')) {
    throw misuse('OPTION_INVALID', `${name} is not a JSON object of strings: ${text}`);
  }
  return value as Record<string, string>;
}

/** The text itself, or what stands in the file that it names. */
function fromFile(name: string, text: string | undefined): string | undefined {
  if (text === undefined || text === '' || text.startsWith('[')) return text;
  try {
    return readFileSync(text, 'utf8');
  } catch (error) {
    throw misuse('OPTION_INVALID', `${name}: ${messageOf(error)}`);
  }
}

/** A file that is missing says nothing: whoever writes it may be later than we are. */
function startingPeers(file: string | undefined): Peers | undefined {
  if (file === undefined || file === '' || !existsSync(file)) return undefined;
  const value = parsed(ENV.peers, fromFile(ENV.peers, file) ?? '');
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const peers = isObject ? peersOf(value as Record<string, unknown>) : 'is not a JSON object';
  if (typeof peers === 'string') throw misuse('OPTION_INVALID', `${ENV.peers}, ${file}: ${peers}`);
  return peers;
}

function limitsOf(text: string | undefined): LimitOptions {
  const limits = parsed(ENV.limits, text || '{}');
  if (typeof limits !== 'object' || limits === null || Array.isArray(limits))
    throw misuse('OPTION_INVALID', `${ENV.limits} is not a JSON object: ${text}`);
  try {
    checkOptions({ limits });
  } catch (error) {
    throw misuse('OPTION_INVALID', `${ENV.limits}: ${messageOf(error)}`);
  }
  return limits;
}

function overridesOf(text: string | undefined): Override[] {
  const value = parsed(ENV.workers, text || '[]');
  if (!Array.isArray(value))
    throw misuse('OPTION_INVALID', `${ENV.workers} is not a JSON list: ${text}`);
  for (const each of value) {
    const wrong = wrongOverride(each);
    if (wrong !== undefined) throw misuse('OPTION_INVALID', `${ENV.workers}: ${wrong}`);
  }
  return value as Override[];
}

/** What is wrong with an override of a Worker, as a sentence; `undefined` if nothing is. */
export function wrongOverride(each: unknown): string | undefined {
  const { name, count, listen } = (each ?? {}) as Record<string, unknown>;
  const goodCount =
    count === undefined || (Number.isInteger(count) && Number(count) >= 1 && Number(count) <= 1024);
  const goodListen = listen === undefined || typeof listen === 'string';
  if (typeof name !== 'string' || !goodCount || !goodListen) {
    const shape = '{"name": string, "count"?: 1 to 1024, "listen"?: string}';
    return `${JSON.stringify(each)} is not ${shape}`;
  }
  return undefined;
}

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw misuse('OPTION_INVALID', `${name}: ${messageOf(error)}`);
  }
}

/**
 * Declared Workers with their overrides.
 *
 * @throws {TypeError} `OPTION_INVALID` for an override of a Worker that there is not
 */
export function overridden(
  declared: readonly Declared[],
  overrides: readonly Override[],
): Declared[] {
  for (const { name } of overrides) {
    if (declared.some((worker) => worker.name === name)) continue;
    const known = declared.map((worker) => worker.name).join(', ');
    throw misuse(
      'OPTION_INVALID',
      `${ENV.workers}: the program has no Worker "${name}", only ${known}`,
    );
  }
  return declared.map((worker) => {
    const override = overrides.find(({ name }) => name === worker.name);
    const listen = override?.listen === undefined ? {} : { address: override.listen };
    return { ...worker, ...listen, count: override?.count ?? worker.count };
  });
}
