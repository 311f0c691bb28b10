import type { NatsConnection } from '@nats-io/transport-node';

/** So much is sent before the server is asked whether it has it. */
const MARK_BYTES = 65_536;
/** What a message costs beside its value while it waits, roughly. */
const WAITING_BYTES = 100;

type Waiting = { readonly subject: string; readonly value: Buffer };

/** Messages that nobody acknowledges: how much of them waits or is on its way. */
export class Outflow {
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Sent, and not known to have been read by the server. */
  #sentBytes = 0;
  #unmarked = 0;
  #connection: NatsConnection | undefined = undefined;
  readonly #failed: (error: unknown) => void;

  /** @param failed is told of messages that cannot be sent */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Of everything that waits or is on its way. */
  get bytes(): number {
    return this.#waitingBytes + this.#sentBytes;
  }

  /** @returns whether it goes out at once */
  send(subject: string, value: Buffer): boolean {
    if (this.#connection) {
      this.#publish(this.#connection, subject, value);
      return true;
    }
    this.#waitingBytes += WAITING_BYTES + value.length;
    this.#waiting.push({ subject, value });
    return false;
  }

  /** What has waited goes out. */
  up(connection: NatsConnection): void {
    this.#connection = connection;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { subject, value } of waiting) this.#publish(connection, subject, value);
  }

  /** What was on its way has arrived or not; nobody knows. */
  down(): void {
    this.#connection = undefined;
    this.#sentBytes = 0;
    this.#unmarked = 0;
  }

  #publish(connection: NatsConnection, subject: string, value: Buffer): void {
    try {
      connection.publish(subject, value);
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#sentBytes += value.length;
    this.#unmarked += value.length;
    if (this.#unmarked < MARK_BYTES) return;
    const marked = this.#unmarked;
    this.#unmarked = 0;
    const read = () => {
      // A mark of a connection that was lost since has been settled by `down`.
      this.#sentBytes = Math.max(0, this.#sentBytes - marked);
    };
    connection.flush().then(read, () => {});
  }
}
