import type { TcpConnection } from '../connections/tcp.ts';
import type { DataMessage } from './format.ts';

/** Bytes of answers that may wait for one client; then it is not read from. */
const WAITING_MAX = 4_194_304;

/** The server's end of a client. */
export class Session {
  readonly #connection: TcpConnection<DataMessage, DataMessage>;
  /** Bytes of answers that wait until a change is kept. */
  #owed = 0;
  #paused = false;

  constructor(connection: TcpConnection<DataMessage, DataMessage>) {
    this.#connection = connection;
    connection.onBufferDrain = () => this.#look();
  }

  /** So many bytes are to be sent later; negative: they are being sent. */
  owe(bytes: number): void {
    this.#owed += bytes;
    this.#look();
  }

  send(message: DataMessage): void {
    this.#connection.send(message);
    this.#look();
  }

  #look(): void {
    const waiting = this.#connection.getSendBufferQueueSize();
    const full = waiting + this.#owed >= WAITING_MAX;
    if (full === this.#paused) return;
    // Below the bound while bytes wait, the drain will tell.
    if (!full && waiting > 0) return;
    this.#paused = full;
    if (full) this.#connection.pauseRecv();
    else this.#connection.resumeRecv();
  }
}
