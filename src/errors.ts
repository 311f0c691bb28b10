/**
 * Every error code, in one catalogue.
 *
 * Codes are permanent: never renamed, never reused. Three kinds of blame:
 * - `misuse`: the program asked for something impossible; thrown at construction or call.
 * - `peer`: the other end broke a protocol; that connection closes, nobody else notices.
 * - `environment`: network, disk, another process; the owner retries or says why it cannot.
 *
 * `docs/errors.md` explains each; a test holds the two together.
 */
export const catalogue = {
  ADDRESS_INVALID: 'misuse',
  ADMIN_PORT_TAKEN: 'environment',
  ALREADY_RUNNING: 'environment',
  CHANNEL_INVALID: 'misuse',
  CONNECT_FAILED: 'environment',
  CONNECT_TIMEOUT: 'environment',
  DECOMPRESSION_FAILED: 'peer',
  FRAME_CONTROL_FRAGMENTED: 'peer',
  FRAME_CONTROL_TOO_LONG: 'peer',
  FRAME_MASK_UNEXPECTED: 'peer',
  FRAME_MASK_MISSING: 'peer',
  FRAME_OPCODE: 'peer',
  FRAME_RESERVED_BITS: 'peer',
  FRAME_SEQUENCE: 'peer',
  GATEWAY_INCOMPLETE: 'environment',
  GATEWAY_INVALID: 'misuse',
  GLOBALDATA_INVALID: 'misuse',
  GLOBALDATA_LOST: 'environment',
  GLOBALDATA_REFUSED: 'environment',
  GLOBALDATA_UNAVAILABLE: 'environment',
  HANDSHAKE_FAILED: 'peer',
  CLOSE_CODE: 'peer',
  LENGTH_TOO_SHORT: 'peer',
  MESSAGE_INVALID: 'misuse',
  NATS_FAILED: 'environment',
  NO_ANSWER: 'environment',
  NOT_RUNNING: 'environment',
  OPTION_INVALID: 'misuse',
  PACKAGE_INVALID: 'peer',
  PACKAGE_TOO_LARGE: 'peer',
  PORT_TAKEN: 'environment',
  PROXY_HEADER: 'peer',
  RELOAD_FAILED: 'environment',
  SEND_BUFFER_FULL: 'peer',
  SEND_TO_CLOSED: 'peer',
  START_FAILED: 'environment',
  TEXT_NOT_UTF8: 'peer',
  TIMER_INTERVAL: 'misuse',
  TOO_MANY_FRAGMENTS: 'peer',
  TRACE_UNAVAILABLE: 'environment',
  WRONG_PROCESS: 'misuse',
} as const;

/** One of the codes above. */
export type ErrorCode = keyof typeof catalogue;

/**
 * The other end broke the protocol. Thrown by decoders; the connection turns it into a close.
 * `closeCode` is what a WebSocket peer is told (RFC 6455 section 7.4.1); other protocols ignore it.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;
  readonly closeCode: number;

  constructor(code: ErrorCode, message: string, closeCode = 1002) {
    super(message);
    this.code = code;
    this.closeCode = closeCode;
  }
}

/** An error of ours with a code: what happened, and in `message` what to do about it. */
export class LongshoreError extends Error {
  override readonly name = 'LongshoreError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The caller's mistake, as the built-in class that fits: `RangeError` for a value, `TypeError` for a shape. */
export function misuse(code: ErrorCode, message: string, kind: 'range' | 'type' = 'type'): Error {
  const error = kind === 'range' ? new RangeError(message) : new TypeError(message);
  return Object.assign(error, { code });
}

/** The text of anything that was thrown, without its stack. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error || Error.isError(error))) return String(error);
  const { code, reason, message } = error as Error & { code?: unknown; reason?: unknown };
  // OpenSSL's own message has addresses and file names of its sources, on two lines.
  if (typeof reason !== 'string' || !String(code).startsWith('ERR_SSL_')) return message;
  const plain = code === 'ERR_SSL_WRONG_VERSION_NUMBER';
  return plain ? `TLS: ${reason}; does the other end speak TLS?` : `TLS: ${reason}`;
}

/** The `code` of anything that was thrown, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What a decoder has thrown, as the fault of the peer: it sent what cannot be read. */
export function protocolErrorOf(format: string, error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  return new ProtocolError('PACKAGE_INVALID', `${format}: ${messageOf(error)}`);
}
