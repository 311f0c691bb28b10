import { misuse } from '../errors.ts';
import type { SslOptions } from '../listeners/tls.ts';
import type { OptionKinds } from '../option-checks.ts';
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

/** The options that all clients of inner ports have. */
export const CLIENT_KINDS: OptionKinds = {
  secret: 'text',
  tls: 'flagOrGroup',
  heartbeat: 'number',
};

/** Node's timers end there. */
const SECONDS_MAX = 2_147_483;

/** @throws {RangeError} `OPTION_INVALID` for one of these that is no time that can be waited for; absent ones are good */
export function checkSeconds<O extends object>(options: O, names: readonly (keyof O)[]): void {
  for (const name of names) {
    const value = (options[name] ?? 1) as number;
    if (value > 0 && value < SECONDS_MAX) continue;
    const message = `"${String(name)}" is ${value} seconds, expected 0 to ${SECONDS_MAX}`;
    throw misuse('OPTION_INVALID', message, 'range');
  }
}
