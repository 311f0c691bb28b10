import type { ErrorCode } from '../errors.ts';
import type { Request } from '../http/request.ts';

/**
 * The callbacks that a Worker and each of its connections can have. A connection begins with the Worker's; setting one
 * on a connection changes it there only, and setting one on the Worker changes it for connections that come later.
 *
 * All run on the event loop, one after the other. What they throw or reject is logged and counted
 * (`throw_exception`); the connection and the process live on.
 *
 * @typeParam C the connection @typeParam In what a decoded message is
 */
export type Callbacks<C, In> = {
  /** Accepted, or for clients: connected. Before a WebSocket handshake, after a TLS one. */
  onConnect?: ((connection: C) => unknown) | undefined;
  /**
   * A WebSocket request is in order; the answer is not sent yet. `connection.close()` refuses it, and
   * `connection.handshakeHeaders` adds header lines to it. For clients: the server's answer came.
   */
  onWebSocketConnect?: ((connection: C, request: Request) => unknown) | undefined;
  /** One whole message. */
  onMessage?: ((connection: C, message: In) => unknown) | undefined;
  /** Exactly once, whoever ended it. What is sent from here goes nowhere. */
  onClose?: ((connection: C) => unknown) | undefined;
  /** The send queue has reached `maxSendBufferSize`: stop producing. */
  onBufferFull?: ((connection: C) => unknown) | undefined;
  /** The send queue is empty again. */
  onBufferDrain?: ((connection: C) => unknown) | undefined;
  /** A send was dropped or failed, a connect failed, or the peer broke the protocol. See `docs/errors.md`. */
  onError?: ((connection: C, code: ErrorCode, message: string) => unknown) | undefined;
  /** A WebSocket ping arrived; it is answered already. */
  onPing?: ((connection: C, payload: Buffer) => unknown) | undefined;
  /** A WebSocket pong arrived. */
  onPong?: ((connection: C, payload: Buffer) => unknown) | undefined;
};

/** Their names. */
export const CALLBACKS: readonly (keyof Callbacks<unknown, unknown>)[] = [
  'onConnect',
  'onWebSocketConnect',
  'onMessage',
  'onClose',
  'onBufferFull',
  'onBufferDrain',
  'onError',
  'onPing',
  'onPong',
];

/** A copy of the callbacks alone, out of anything that has them. */
export function callbacksOf<C, In>(from: Callbacks<C, In>): Callbacks<C, In> {
  const copy: Callbacks<C, In> = {};
  for (const name of CALLBACKS) Object.assign(copy, { [name]: from[name] });
  return copy;
}
