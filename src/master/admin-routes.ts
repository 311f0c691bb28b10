import type { Config, Peers } from './messages.ts';
import { peersOf } from './peers-format.ts';
import { type Override, wrongOverride } from './settings.ts';

/** What the admin port can make the master do. Everything that answers is a promise that settles within a second. */
export type AdminActions = {
  /** Whether this server should get new connections; a sentence when it should not. */
  unready(): string | undefined;
  metrics(): Promise<string>;
  status(): Promise<unknown>;
  connections(limit: number): Promise<unknown>;
  descriptors(pid: number): Promise<unknown>;
  /** @throws {Conflict} if other code is mounted than the caller means */
  reload(how: 'now' | 'graceful', order: ReloadOrder): unknown;
  drain(times: { propagationSeconds?: number; windowSeconds?: number }): unknown;
  undrain(): unknown;
  config(values: Config): unknown;
  peers(peers: Peers): unknown;
  stop(how: 'now' | 'drain'): unknown;
};

/** What a reload is to bring about besides. */
export type ReloadOrder = {
  /** Digest of the code that is to be loaded. */
  readonly code?: string;
  readonly workers?: readonly Override[];
};

/** A request, free of sockets. */
export type AdminRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  /** Whether the caller has shown the token, or needs none. */
  readonly allowed: boolean;
};

export type AdminAnswer = { readonly status: number; readonly type: string; readonly body: string };

/** A body that is not what it should be: the sentence names the field. */
export class BadRequest extends Error {}

/** The call is in order, but not yet: the sentence says what for. */
export class Conflict extends Error {}

type Handler = (request: AdminRequest, actions: AdminActions) => unknown;

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Open to everybody who can reach the port. */
const OPEN: Readonly<
  Record<string, (actions: AdminActions) => AdminAnswer | Promise<AdminAnswer>>
> = {
  '/livez': () => text(200, 'ok'),
  '/readyz': (actions) => {
    const why = actions.unready();
    return why === undefined ? text(200, 'ok') : text(503, why);
  },
  '/metrics': async (actions) => ({
    status: 200,
    type: METRICS_TYPE,
    body: await actions.metrics(),
  }),
};

/** For holders of the token. */
const GUARDED: Readonly<Record<string, Handler>> = {
  'GET /status': (_, actions) => actions.status(),
  'GET /connections': ({ query }, actions) =>
    actions.connections(wholeNumber(query, 'limit', 1, 100_000, 10_000)),
  'GET /descriptors': ({ query }, actions) =>
    actions.descriptors(wholeNumber(query, 'pid', 1, 2 ** 22)),
  'POST /reload': ({ body }, actions) => {
    const { graceful, ...order } = fields(body, {
      graceful: 'boolean',
      code: 'string',
      workers: 'list',
    });
    for (const each of order.workers ?? []) {
      const wrong = wrongOverride(each);
      if (wrong !== undefined) throw new BadRequest(`"workers": ${wrong}`);
    }
    return actions.reload(graceful === true ? 'graceful' : 'now', order as ReloadOrder);
  },
  'POST /drain': ({ body }, actions) => {
    const given = fields(body, { propagationSeconds: 'number', windowSeconds: 'number' });
    for (const [name, value] of Object.entries(given)) within(name, value as number, 0, 86_400);
    return actions.drain(given);
  },
  'POST /undrain': ({ body }, actions) => {
    fields(body, {});
    return actions.undrain();
  },
  'POST /stop': ({ body }, actions) => {
    const { graceful } = fields(body, { graceful: 'boolean' });
    return actions.stop(graceful === true ? 'drain' : 'now');
  },
  'POST /config': ({ body }, actions) => actions.config(configOf(body)),
  'POST /peers': ({ body }, actions) => actions.peers(peersIn(body)),
};

/** Every call, as `METHOD /path`. */
export const CALLS: readonly string[] = [
  ...Object.keys(OPEN).map((each) => `GET ${each}`),
  ...Object.keys(GUARDED),
];

/** Answers one request. */
export async function answer(request: AdminRequest, actions: AdminActions): Promise<AdminAnswer> {
  const { method, path } = request;
  const isOpen = OPEN[path];
  if (isOpen)
    return method === 'GET' || method === 'HEAD' ? isOpen(actions) : text(405, `${path} takes GET`);
  const handler = GUARDED[`${method} ${path}`];
  if (!handler) return unknown(method, path);
  if (!request.allowed)
    return text(401, 'this call needs the header "Authorization: Bearer TOKEN"');
  try {
    return {
      status: 200,
      type: JSON_TYPE,
      body: `${JSON.stringify((await handler(request, actions)) ?? {})}\n`,
    };
  } catch (error) {
    if (error instanceof BadRequest) return text(400, error.message);
    if (error instanceof Conflict) return text(409, error.message);
    throw error;
  }
}

function unknown(method: string, path: string): AdminAnswer {
  const others = CALLS.filter((each) => each.endsWith(` ${path}`));
  if (others.length > 0)
    return text(405, `${path} does not take ${method}; there is: ${others.join(', ')}`);
  return text(404, `no such path; there is: ${CALLS.join(', ')}`);
}

function text(status: number, body: string): AdminAnswer {
  return { status, type: TEXT_TYPE, body: `${body}\n` };
}

type Kinds = { boolean: boolean; number: number; string: string; list: unknown[] };
type FieldTypes = Readonly<Record<string, keyof Kinds>>;
type Fields<T extends FieldTypes> = { [K in keyof T]?: Kinds[T[K]] };

/** A JSON object with these fields and no others, each optional; an empty body is an empty object. */
function fields<T extends FieldTypes>(body: string, types: T): Fields<T> {
  const value = objectOf(body);
  for (const [name, given] of Object.entries(value)) {
    const wanted = Object.hasOwn(types, name) ? types[name] : undefined;
    if (wanted === undefined)
      throw new BadRequest(
        `"${name}" is not a field; known: ${Object.keys(types).join(', ') || 'none'}`,
      );
    if ((Array.isArray(given) ? 'list' : typeof given) !== wanted)
      throw new BadRequest(`"${name}" is ${JSON.stringify(given)}, expected a ${wanted}`);
  }
  return value as Fields<T>;
}

function objectOf(body: string): Record<string, unknown> {
  if (body.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new BadRequest(`the body is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadRequest('the body is not a JSON object');
  }
  return value as Record<string, unknown>;
}

function configOf(body: string): Config {
  const value = objectOf(body);
  for (const [name, each] of Object.entries(value)) {
    if (typeof each !== 'string')
      throw new BadRequest(`"${name}" is ${JSON.stringify(each)}, expected a string`);
  }
  return value as Config;
}

function peersIn(body: string): Peers {
  const peers = peersOf(objectOf(body));
  if (typeof peers === 'string') throw new BadRequest(peers);
  return peers;
}

function wholeNumber(
  query: URLSearchParams,
  name: string,
  lowest: number,
  highest: number,
  otherwise?: number,
): number {
  const given = query.get(name);
  if (given === null && otherwise !== undefined) return otherwise;
  const value = given === null ? Number.NaN : Number(given);
  if (!Number.isInteger(value))
    throw new BadRequest(`"${name}" is ${JSON.stringify(given)}, expected a whole number`);
  within(name, value, lowest, highest);
  return value;
}

function within(name: string, value: number, lowest: number, highest: number): void {
  if (value >= lowest && value <= highest) return;
  throw new BadRequest(`"${name}" is ${value}, allowed: ${lowest} to ${highest}`);
}
