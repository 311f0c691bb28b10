import type { ConnectionOptions } from 'node:tls';
import type { Answer, Operation } from './operations.ts';

export type EngineOptions = {
  /** What the server wants to be shown. Default: `LONGSHORE_SECRET_FILE` or `LONGSHORE_SECRET`. Not with Redis. */
  readonly secret?: string;
  /** TLS to the server. Default for Redis: as the address says. `true`: what Node trusts. */
  readonly tls?: ConnectionOptions | true;
  /** Seconds between signs of life; a server that was silent for three of them is gone. Default 10. */
  readonly heartbeat?: number;
};

export type EngineEvents = {
  /** Operations can be sent now. */
  open(): void;
  /** They cannot any more; what was sent and is not answered is lost. */
  down(): void;
  error(code: string, message: string): void;
};

/**
 * What carries a `GlobalDataClient`: our own server, or Redis. It connects again by itself. No method throws.
 */
export interface DataEngine {
  connect(): void;
  /** Ends it for good. */
  close(): void;
  /** Whether operations can be sent. */
  readonly isOpen: boolean;
  /**
   * Sends one operation, in the order of the calls. `done` is called once, with the answer, or without one: the
   * connection was lost, and nobody knows.
   */
  send(operation: Operation, done: (answer: Answer | undefined) => void): void;
}
