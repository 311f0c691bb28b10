import { BlockList, isIP } from 'node:net';
import { misuse } from '../errors.ts';

/**
 * Which addresses are our own proxies.
 *
 * @param networks addresses (`10.0.0.7`, `::1`) and networks (`10.0.0.0/8`)
 * @throws {TypeError} `OPTION_INVALID` for one that is neither
 */
export function trusting(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) add(list, network);
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
  };
}

function add(list: BlockList, network: string): void {
  const [address = '', prefix, ...more] = network.split('/');
  const version = isIP(address);
  const type = version === 6 ? 'ipv6' : 'ipv4';
  const bits = prefix === undefined ? undefined : Number(prefix);
  const fits =
    bits === undefined || (/^\d+$/.test(prefix ?? '') && bits <= (version === 6 ? 128 : 32));
  if (version === 0 || !fits || more.length > 0) {
    throw misuse(
      'OPTION_INVALID',
      `trustedProxies: "${network}" is no address or network like 10.0.0.0/8`,
    );
  }
  if (bits === undefined) list.addAddress(address, type);
  else list.addSubnet(address, bits, type);
}
