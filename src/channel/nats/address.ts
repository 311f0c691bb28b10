import { misuse } from '../../errors.ts';

/** What the address of a NATS cluster says. */
export type NatsPlace = {
  /** `HOST:PORT` of each server that is named, without credentials. */
  readonly servers: readonly string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** A file with credentials: a JWT and its key. */
  readonly creds?: string;
  /** Whether an address begins with `tls://`: no connection without it. */
  readonly tls: boolean;
  /** Copies of each stream. `undefined`: by the number of servers. */
  readonly replicas: number | undefined;
  /** The first part of every subject, in capitals of every stream. */
  readonly prefix: string;
};

const SCHEME = /^(nats|tls):\/\//;

/** Whether an address is one of a NATS server. */
export function isNatsAddress(address: string): boolean {
  return SCHEME.test(address);
}

/**
 * Reads the addresses of the servers of one cluster: `nats://[USER:PASS@|TOKEN@]HOST[:PORT][?OPTIONS]`. Credentials and
 * options are those of the first address that has them; options are `replicas` (1 to 5), `prefix` (letters, digits, `_`
 * and `-`) and `creds` (a file). Pure.
 *
 * @throws {TypeError} `CHANNEL_INVALID`; the message repeats no credentials
 */
export function natsPlace(addresses: readonly string[]): NatsPlace {
  const urls = addresses.map(urlOf);
  const options = (name: string) =>
    urls.map(({ searchParams }) => searchParams.get(name)).find((each) => each !== null);
  const { username, password } = urls.find((url) => url.username !== '') ?? NOBODY;
  const creds = options('creds');
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port || '4222'}`),
    ...(password !== '' && { user: decoded(username), pass: decoded(password) }),
    ...(username !== '' && password === '' && { token: decoded(username) }),
    ...(creds != null && { creds }),
    tls: addresses.some((each) => each.startsWith('tls://')),
    replicas: replicasOf(options('replicas')),
    prefix: prefixOf(options('prefix')),
  };
}

const NOBODY = { username: '', password: '' };
const OPTIONS = ['replicas', 'prefix', 'creds'];

function urlOf(address: string): URL {
  const url = URL.parse(address);
  const hidden = address.replace(/\/\/.*@/, '//…@');
  if (!(isNatsAddress(address) && url?.hostname))
    throw misuse('CHANNEL_INVALID', `"${hidden}" is no nats://HOST:PORT or tls://HOST:PORT`);
  const unknown = [...url.searchParams.keys()].find((key) => !OPTIONS.includes(key));
  if (unknown === undefined) return url;
  throw misuse('CHANNEL_INVALID', `"${hidden}": ${unknown} is none of ${OPTIONS.join(', ')}`);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function replicasOf(text: string | null | undefined): number | undefined {
  if (text == null) return undefined;
  if (/^[1-5]$/.test(text)) return Number(text);
  throw misuse('CHANNEL_INVALID', `replicas=${text} in a nats:// address, allowed: 1 to 5`);
}

function prefixOf(text: string | null | undefined): string {
  if (text == null) return 'longshore';
  if (/^[\w-]{1,32}$/.test(text)) return text;
  throw misuse('CHANNEL_INVALID', `prefix=${text}: 1 to 32 letters, digits, _ and - are allowed`);
}
