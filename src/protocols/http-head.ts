/** What is looked at of a request's head. */
export type Head = {
  readonly httpVersion: string;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};

/**
 * Why no server should take a request with this head, although `node:http` would; `undefined` if it may be taken.
 *
 * RFC 9112: exactly one Host (3.2), and no transfer coding but `chunked`, since the others are not taken off here and a
 * proxy may take them for something else (6.1).
 */
export function faultOf({ httpVersion, rawHeaders, headers }: Head): string | undefined {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts > 1) return 'several Host headers';
  if (hosts === 0 && httpVersion !== '1.0') return 'no Host header';
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && String(coding).toLowerCase() !== 'chunked')
    return `Transfer-Encoding is "${coding}", only "chunked" is known`;
  return undefined;
}
