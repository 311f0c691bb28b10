import { misuse } from '../errors.ts';
import type { SslOptions } from '../listeners/tls.ts';
import type { WorkerOptions } from '../worker-options.ts';
import type { AnyProtocol } from '../worker-types.ts';

/** Above all other bounds: what is dropped, or not read, is for the session to decide. */
const SEND_MAX = 1_073_741_824;
/** Seconds for a client to greet. */
const GREETING = 10;

/** `HOST:PORT` means TCP. */
export const innerAddress = (address: string): string =>
  address.includes('://') ? address : `tcp://${address}`;

/**
 * How the Worker behind an inner port is set up, by what its own options say. Its state is its own, so a reload would only lose it.
 *
 * @param heartbeat seconds between signs of life; who was silent for three of them is gone
 */
export function innerWorker<P extends AnyProtocol>(
  name: string,
  protocol: P,
  { ssl, heartbeat }: { readonly ssl?: SslOptions; readonly heartbeat: number },
): WorkerOptions & { protocol: P } {
  return {
    name,
    protocol,
    reloadable: false,
    maxSendBufferSize: SEND_MAX,
    closeUnauthenticatedAfter: GREETING,
    heartbeat: { idle: 3 * heartbeat },
    ...(ssl ? { ssl } : {}),
  };
}

/** @throws {RangeError} `OPTION_INVALID` for one of these that is not above 0 */
export function checkPositive<O extends object>(options: O, names: readonly (keyof O)[]): void {
  for (const name of names) {
    const value = options[name] as number;
    if (!(value > 0 && Number.isFinite(value)))
      throw misuse(
        'OPTION_INVALID',
        `"${String(name)}" is ${value}, expected more than 0`,
        'range',
      );
  }
}
