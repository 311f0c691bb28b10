/**
 * Who the client is, when a chain of trusted proxies says so.
 *
 * Each proxy appends the address it saw to `X-Forwarded-For`, so the list is only worth believing from its right end
 * as far as trusted addresses go; the first address from the right that is not trusted is the client.
 *
 * @param peer address of the socket's other end
 * @param forwarded the request's `X-Forwarded-For`
 * @param trusted whether an address is one of our proxies
 */
export function clientAddress(
  peer: string,
  forwarded: string | undefined,
  trusted: (address: string) => boolean,
): string {
  if (forwarded === undefined || !trusted(peer)) return peer;
  const chain = forwarded.split(',').map((each) => each.trim());
  let client = peer;
  for (let i = chain.length - 1; i >= 0; i -= 1) {
    const address = plainAddress(chain[i] as string);
    if (address === undefined) return client;
    client = address;
    if (!trusted(client)) return client;
  }
  return client;
}

/** An address without the port, brackets or quotes that some proxies add; `undefined` if it is none. */
function plainAddress(text: string): string | undefined {
  // Longer than any address with brackets and port; the pattern below takes its time with long nonsense.
  if (text.length > 64) return undefined;
  const match =
    /^"?(?:\[([0-9a-fA-F:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?|([0-9a-fA-F:.]*:[0-9a-fA-F:.]*))"?$/.exec(
      text,
    );
  return match?.[1] ?? match?.[2] ?? match?.[3];
}

/** `::ffff:192.0.2.1`, which a dual-stack socket reports, as `192.0.2.1`. */
export function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
