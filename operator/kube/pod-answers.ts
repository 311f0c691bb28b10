import type { PodReport, ProcessReport, ReloadReport, WorkerReport } from '../api/pod-status.ts';

/** Reads what a pod answers. A pod may answer anything; only what is as it should be gets through. Pure. */

/** The answer is not what it should be: the sentence names the field. */
export class Nonsense extends Error {
  override readonly name = 'Nonsense';
}

/** Processes and Workers of one pod; more is no pod of ours. */
const LIST_MAX = 4096;
/** Longest text in an answer. */
const TEXT_MAX = 4096;

type Fields = Readonly<Record<string, unknown>>;

/** @throws {Nonsense} */
export function reportOf(body: string): PodReport {
  const status = fieldsOf(parsed(body), 'the answer');
  return {
    version: text(status, 'version'),
    pid: count(status, 'pid'),
    startedAt: count(status, 'startedAt'),
    now: count(status, 'now'),
    phase: text(status, 'phase'),
    ...optional(status, 'reload', (field) => reloadOf(fieldsOf(field, 'reload'))),
    ...optional(status, 'drainUntil', () => count(status, 'drainUntil')),
    ...optional(status, 'config', () => text(status, 'config')),
    ...optional(status, 'code', () => text(status, 'code')),
    ...optional(status, 'sysctls', textsOf),
    ...optional(status, 'peers', () => count(status, 'peers')),
    ...optional(status, 'gateways', addressesOf),
    workers: listOf(status, 'workers', workerOf),
    processes: listOf(status, 'processes', processOf),
  };
}

/**
 * The number of a reload that was asked for.
 *
 * @throws {Nonsense}
 */
export function reloadIdOf(body: string): number {
  return count(fieldsOf(parsed(body), 'the answer'), 'id');
}

function reloadOf(reload: Fields): ReloadReport {
  return {
    id: count(reload, 'id'),
    state: text(reload, 'state'),
    replaced: count(reload, 'replaced'),
    total: count(reload, 'total'),
    ...optional(reload, 'reason', () => text(reload, 'reason')),
  };
}

function workerOf(worker: Fields): WorkerReport {
  return { name: text(worker, 'name'), count: count(worker, 'count') };
}

function processOf(process: Fields): ProcessReport {
  return {
    pid: count(process, 'pid'),
    worker_name: text(process, 'worker_name'),
    worker_id: count(process, 'worker_id'),
    state: text(process, 'state'),
    connections: count(process, 'connections'),
    ...optional(process, 'clients', () => count(process, 'clients')),
    busy: flag(process, 'busy'),
  };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Nonsense(`the answer is not JSON: ${(error as Error).message}`);
  }
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Nonsense(`${what} is ${shown(value)}, expected an object`);
}

function optional<N extends string, T>(
  fields: Fields,
  name: N,
  read: (field: unknown) => T,
): { readonly [K in N]?: T } {
  const value = fields[name];
  return value === undefined || value === null ? {} : ({ [name]: read(value) } as { [K in N]: T });
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value.length <= TEXT_MAX) return value;
  throw new Nonsense(`${name} is ${shown(value)}, expected a text of at most ${TEXT_MAX}`);
}

function count(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new Nonsense(`${name} is ${shown(value)}, expected a number of 0 or more`);
}

function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value === 'boolean') return value;
  throw new Nonsense(`${name} is ${shown(value)}, expected true or false`);
}

function listOf<T>(fields: Fields, name: string, read: (each: Fields) => T): T[] {
  const value = fields[name];
  if (!Array.isArray(value) || value.length > LIST_MAX)
    throw new Nonsense(`${name} is ${shown(value)}, expected a list of at most ${LIST_MAX}`);
  return value.map((each, i) => read(fieldsOf(each, `${name}[${i}]`)));
}

function textsOf(value: unknown): Record<string, string> {
  const fields = fieldsOf(value, 'sysctls');
  return Object.fromEntries(Object.keys(fields).map((name) => [name, text(fields, name)]));
}

function addressesOf(value: unknown): string[] {
  const isText = (each: unknown) => typeof each === 'string' && each.length <= TEXT_MAX;
  if (Array.isArray(value) && value.length <= LIST_MAX && value.every(isText)) return value;
  throw new Nonsense(`gateways is ${shown(value)}, expected a list of at most ${LIST_MAX} texts`);
}

/** Short, whatever it is. */
function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'missing';
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
