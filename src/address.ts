import { isIP } from 'node:net';
import { misuse } from './errors.ts';

/** A listening or connecting address, taken apart. */
export type Address = {
  /** What stands before `://`, in lower case. */
  readonly scheme: string;
  /** Host name or IP without brackets; '' for a unix socket. */
  readonly host: string;
  /** 0 lets the kernel choose; 0 for a unix socket. */
  readonly port: number;
  /** Path of a unix socket, else `undefined`. */
  readonly path: string | undefined;
  /** What follows host and port, `/` if nothing does. For WebSocket clients. */
  readonly target: string;
};

const form = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/(\[[^\]]*\]|[^:/?#[\]]*)(?::(\d{1,5}))?([/?].*)?$/;

/**
 * Takes `scheme://host:port`, `scheme://[v6]:port` or `unix:///path` apart.
 *
 * @param defaultPort used where the text names none; without it a missing port is an error
 * @throws {TypeError} `ADDRESS_INVALID`, naming the text and what is wrong with it
 */
export function parseAddress(text: string, defaultPort?: number): Address {
  const match = form.exec(text);
  if (!match)
    throw invalid(text, 'expected scheme://host:port, scheme://[ipv6]:port or unix:///path');
  const [, rawScheme = '', rawHost = '', rawPort, rest] = match;
  const scheme = rawScheme.toLowerCase();
  if (scheme === 'unix') return unixAddress(text, `${rawHost}${rest ?? ''}`);
  const target = rest ?? '/';
  const host = rawHost.startsWith('[') ? rawHost.slice(1, -1) : rawHost;
  if (rawHost.startsWith('[') && isIP(host) !== 6)
    throw invalid(text, `[${host}] is not an IPv6 address`);
  if (host === '')
    throw invalid(text, 'the host is missing; 0.0.0.0 is all of IPv4, [::] all addresses');
  if (rawPort === undefined && defaultPort === undefined)
    throw invalid(text, 'the port is missing');
  const port = rawPort === undefined ? Number(defaultPort) : Number(rawPort);
  if (port > 65_535) throw invalid(text, `port ${port} is above 65535`);
  return {
    scheme,
    host,
    port,
    path: undefined,
    target: target.startsWith('?') ? `/${target}` : target,
  };
}

function unixAddress(text: string, path: string): Address {
  if (path === '/' || path === '') throw invalid(text, 'the path of the unix socket is missing');
  // 108 bytes with the closing zero: sun_path in unix(7).
  if (Buffer.byteLength(path) > 107)
    throw invalid(text, 'a unix socket path is limited to 107 bytes');
  return { scheme: 'unix', host: '', port: 0, path, target: '/' };
}

/** `host:port` as people write it, IPv6 in brackets; the path for a unix socket. */
export function hostPort(address: Pick<Address, 'host' | 'port' | 'path'>): string {
  if (address.path !== undefined) return address.path;
  return address.host.includes(':')
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

/** The whole address again, with `scheme` in front. */
export function formatAddress(address: Address): string {
  return `${address.scheme}://${hostPort(address)}`;
}

function invalid(text: string, why: string): Error {
  return misuse('ADDRESS_INVALID', `address "${text}": ${why}`);
}
