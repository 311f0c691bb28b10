import { ProtocolError } from '../errors.ts';

/**
 * The header that HAProxy, NLB and others put in front of a connection to say who the client is
 * (PROXY protocol, versions 1 and 2; haproxy.org/download/2.8/doc/proxy-protocol.txt).
 *
 *     v1   PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n            at most 107 bytes
 *     v2   0d0a0d0a000d0a515549540a | 2<command> | <family> | uint16 length | addresses, then type-length-values
 */

/** Who is at the other end of the proxy. `undefined` addresses: the proxy speaks for itself (health check). */
export type ProxyHeader = {
  /** Bytes of the header; the stream proper begins behind it. */
  readonly size: number;
  readonly source: { readonly address: string; readonly port: number } | undefined;
};

const V1_MAX = 107;
const V1_START = Buffer.from('PROXY ');
const V2_START = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** Begins an IPv4 address that is written as IPv6. */
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');
const V2_HEAD = 16;
/** Far above what proxies send (addresses and a few values); the format itself would allow 64 KiB. */
const V2_BODY_MAX = 4096;

/**
 * @returns `undefined` while the header is incomplete
 * @throws {ProtocolError} `PROXY_HEADER` as soon as the bytes cannot be one any more
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (beginsLike(bytes, V1_START)) return readV1(bytes);
  if (beginsLike(bytes, V2_START)) return readV2(bytes);
  throw fault('the connection does not begin with a PROXY header');
}

function beginsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function readV1(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, V1_MAX).indexOf('\r\n');
  if (end === -1) {
    if (bytes.length >= V1_MAX) throw fault(`version 1: no line end in ${V1_MAX} bytes`);
    return undefined;
  }
  const words = bytes.toString('latin1', 0, end).split(' ');
  const size = end + 2;
  if (words[1] === 'UNKNOWN') return { size, source: undefined };
  const [, family, address = '', , rawPort = ''] = words;
  const port = /^\d{1,5}$/.test(rawPort) ? Number(rawPort) : -1;
  const wellFormed = family === 'TCP4' ? isV4(address) : family === 'TCP6' && isV6(address);
  if (words.length !== 6 || !wellFormed || port < 0 || port > 65_535) {
    throw fault(`version 1: ${JSON.stringify(bytes.toString('latin1', 0, end))}`);
  }
  return { size, source: { address, port } };
}

function readV2(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length < V2_HEAD) return undefined;
  const versionAndCommand = bytes[12] as number;
  const length = bytes.readUInt16BE(14);
  if (versionAndCommand !== 0x20 && versionAndCommand !== 0x21) {
    throw fault(`version 2: version and command are 0x${versionAndCommand.toString(16)}`);
  }
  if (length > V2_BODY_MAX)
    throw fault(`version 2: ${length} bytes announced, limit ${V2_BODY_MAX}`);
  const size = V2_HEAD + length;
  if (bytes.length < size) return undefined;
  if (versionAndCommand === 0x20) return { size, source: undefined };
  const family = (bytes[13] as number) >> 4;
  return {
    size,
    source: family === 1 || family === 2 ? sourceOf(bytes, family, length) : undefined,
  };
}

function sourceOf(bytes: Buffer, family: 1 | 2, length: number): { address: string; port: number } {
  const width = family === 1 ? 4 : 16;
  if (length < width * 2 + 4) throw fault(`version 2: ${length} bytes do not hold two addresses`);
  const raw = bytes.subarray(V2_HEAD, V2_HEAD + width);
  const port = bytes.readUInt16BE(V2_HEAD + width * 2);
  if (family === 1) return { address: raw.join('.'), port };
  if (raw.subarray(0, 12).equals(MAPPED)) return { address: raw.subarray(12).join('.'), port };
  const groups = Array.from({ length: 8 }, (_, i) => raw.readUInt16BE(i * 2).toString(16));
  return { address: compressed(groups), port };
}

/** The usual short form (RFC 5952), which the URL parser knows how to make. */
function compressed(groups: string[]): string {
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

const isV4 = (text: string) =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) < 256);
// Loose on purpose: it is shown, never connected to.
const isV6 = (text: string) => /^[0-9a-fA-F:.]{2,45}$/.test(text) && text.includes(':');

function fault(found: string): ProtocolError {
  return new ProtocolError('PROXY_HEADER', `PROXY protocol ${found}`);
}
