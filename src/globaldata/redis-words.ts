import { misuse } from '../errors.ts';
import type { Answer, Keyed } from './operations.ts';

/** Operations as Redis has them, and its answers as ours. Pure. */

/** Where a Redis is, and what stands in front of all our keys there. */
export type RedisPlace = {
  /** For the client: without what only we understand. */
  readonly url: string;
  readonly prefix: string;
  /** Without credentials, for messages. */
  readonly shown: string;
};

const SCHEME = /^rediss?:\/\//;
const PREFIX = 'longshore:';

/** Whether an address is one of a Redis server. */
export function isRedisAddress(address: string): boolean {
  return SCHEME.test(address);
}

/**
 * Reads `redis://[[USER]:PASS@]HOST[:PORT][/DB][?prefix=TEXT]`; `rediss://` is with TLS. The default prefix is
 * `longshore:`.
 *
 * @throws {TypeError} `GLOBALDATA_INVALID`; the message repeats no credentials
 */
export function redisPlace(address: string): RedisPlace {
  const url = URL.parse(address);
  const hidden = address.replace(/\/\/.*@/, '//…@');
  if (!(isRedisAddress(address) && url?.hostname && /^\/?\d*$/.test(url.pathname)))
    throw misuse('GLOBALDATA_INVALID', `"${hidden}" is no redis://HOST:PORT/DB`);
  const unknown = [...url.searchParams.keys()].find((key) => key !== 'prefix');
  if (unknown !== undefined)
    throw misuse('GLOBALDATA_INVALID', `"${hidden}": "${unknown}" is not known, only prefix`);
  const prefix = url.searchParams.get('prefix') ?? PREFIX;
  url.search = '';
  return { url: url.href, prefix, shown: `${url.protocol}//${url.host}${url.pathname}` };
}

const CAS = `
local now = redis.call('GET', KEYS[1])
if ARGV[1] == 'none' then
  if now then return 0 end
elseif not now or now ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1`;

/** Redis counts to 2^63; what JavaScript cannot hold exactly is refused. As text, its client rounds the last numbers. */
const INCREMENT = `
local now = redis.call('GET', KEYS[1]) or '0'
if not string.match(now, '^-?%d+$') or #now > 17 then
  return redis.error_reply('ERR no whole number that can be counted up')
end
local sum = tonumber(now) + tonumber(ARGV[1])
if math.abs(sum) > 9007199254740991 then
  return redis.error_reply('ERR it would become more than 2^53')
end
redis.call('INCRBY', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[1])`;

const KEEP = `
redis.call('PERSIST', KEYS[1])
return redis.call('EXISTS', KEYS[1])`;

type Command = (string | Buffer)[];

/** The command, or the script, for an operation on one key. */
export function commandOf(operation: Keyed, prefix: string): Command {
  const key = prefix + operation.key;
  switch (operation.kind) {
    case 'get':
      return ['GET', key];
    case 'has':
      return ['EXISTS', key];
    case 'set':
      return ['SET', key, operation.value, ...lifeOf(operation.ms)];
    case 'add':
      return ['SET', key, operation.value, 'NX', ...lifeOf(operation.ms)];
    case 'cas': {
      const { expected, value } = operation;
      if (expected === undefined) return ['EVAL', CAS, '1', key, 'none', value];
      return ['EVAL', CAS, '1', key, 'some', value, expected];
    }
    case 'increment':
      return ['EVAL', INCREMENT, '1', key, String(operation.step)];
    case 'expire':
      if (operation.ms === undefined) return ['EVAL', KEEP, '1', key];
      return ['PEXPIRE', key, String(Math.ceil(operation.ms))];
    case 'delete':
      return ['DEL', key];
  }
}

function lifeOf(ms: number | undefined): string[] {
  return ms === undefined ? [] : ['PX', String(Math.ceil(ms))];
}

/** What Redis has replied to that command. */
export function answerOf({ kind }: Keyed, reply: unknown): Answer {
  switch (kind) {
    case 'get':
      return { kind: 'value', value: Buffer.isBuffer(reply) ? reply : undefined };
    case 'increment':
      return { kind: 'number', number: Number(String(reply)) };
    // `OK`, or nothing where it was there already.
    case 'set':
    case 'add':
      return { kind: 'yes', flag: reply !== null };
    default:
      return { kind: 'yes', flag: reply === 1 };
  }
}

/** A pattern of ours as Redis has it: only `*` is special with us. */
export function matchOf(prefix: string, pattern: string): string {
  const literal = (text: string) => text.replaceAll(/[*?[\]\\^]/g, '\\$&');
  return literal(prefix) + pattern.split('*').map(literal).join('*');
}

/** A page of a scan, with our own names. */
export function keysOf(reply: unknown, prefix: string): { cursor: string; names: string[] } {
  const [cursor, names] = reply as [unknown, unknown[]];
  return {
    cursor: String(cursor),
    names: names.map((name) => String(name).slice(prefix.length)),
  };
}
