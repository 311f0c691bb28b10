import { LongshoreError } from '../errors.ts';
import type { DataEngine } from './engine.ts';
import { type Answer, isReading, type Operation } from './operations.ts';

/** Bytes of all operations that are not answered; more are not taken. */
const OPEN_MAX = 67_108_864;
/** What an operation costs beside its values. */
const CALL_BYTES = 500;

type Call = {
  readonly operation: Operation;
  readonly bytes: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  sent: boolean;
  over: boolean;
};

/**
 * Operations that are not answered yet. Each one settles within the timeout: with an answer, with the word that it was
 * not carried out, or, if it changes something and was sent, with the word that nobody knows. Readings whose connection
 * is lost are sent again.
 */
export class Calls {
  readonly #timeoutMs: number;
  /** While operations can be sent. */
  #engine: DataEngine | undefined = undefined;
  #waiting: Call[] = [];
  readonly #open = new Set<Call>();
  #bytes = 0;
  /** Why nothing is sent just now. */
  trouble = 'not connected yet';

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** The engine is open: what has waited goes out, in order. */
  opened(engine: DataEngine): void {
    this.#engine = engine;
    for (const call of this.#waiting.splice(0)) this.#send(call);
  }

  /** @param why for the errors of those that wait in vain */
  down(why: string): void {
    this.#engine = undefined;
    this.trouble = why;
  }

  /** @throws {LongshoreError} `GLOBALDATA_UNAVAILABLE`, `GLOBALDATA_LOST`, `GLOBALDATA_REFUSED` */
  run(operation: Operation): Promise<Answer> {
    const bytes = sizeOf(operation);
    if (this.#bytes + bytes > OPEN_MAX) {
      const all = `${this.#open.size} operations of ${this.#bytes} bytes are not answered`;
      const why = `${all}, at most ${OPEN_MAX} bytes may be; wait for answers before you ask more`;
      return Promise.reject(new LongshoreError('GLOBALDATA_UNAVAILABLE', why));
    }
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#late(call), this.#timeoutMs);
      const call: Call = { operation, bytes, resolve, reject, timer, sent: false, over: false };
      this.#open.add(call);
      if (this.#engine) this.#send(call);
      else this.#waiting.push(call);
    });
  }

  #send(call: Call): void {
    if (call.over) return;
    call.sent = true;
    this.#engine?.send(call.operation, (answer) => this.#answered(call, answer));
  }

  #answered(call: Call, answer: Answer | undefined): void {
    if (call.over) return;
    if (!answer) {
      this.#lost(call);
      return;
    }
    this.#end(call);
    if (answer.kind === 'refusal')
      call.reject(new LongshoreError('GLOBALDATA_REFUSED', `${nameOf(call)}: ${answer.reason}`));
    else call.resolve(answer);
  }

  #lost(call: Call): void {
    if (isReading(call.operation)) {
      call.sent = false;
      this.#waiting.push(call);
    } else {
      this.#fail(call, 'the connection was lost before the answer came');
    }
  }

  #late(call: Call): void {
    const time = `within ${this.#timeoutMs / 1000} s`;
    this.#fail(call, call.sent ? `no answer ${time}` : `not sent ${time}: ${this.trouble}`);
  }

  #fail(call: Call, why: string): void {
    this.#end(call);
    const unknown = call.sent && !isReading(call.operation);
    const code = unknown ? 'GLOBALDATA_LOST' : 'GLOBALDATA_UNAVAILABLE';
    const fate = unknown ? 'it may have been carried out' : 'it was not carried out';
    const message = `${nameOf(call)}: ${why}; ${fate}`;
    call.reject(new LongshoreError(code, message));
  }

  #end(call: Call): void {
    call.over = true;
    clearTimeout(call.timer);
    this.#open.delete(call);
    this.#bytes -= call.bytes;
    // Calls that are over are not kept while there is no server.
    if (!call.sent && this.#waiting.length > 2 * this.#open.size + 100)
      this.#waiting = this.#waiting.filter(({ over }) => !over);
  }

  /** Nothing more is sent. */
  close(): void {
    this.down('the client is closed');
    for (const call of [...this.#open]) this.#fail(call, 'the client was closed');
  }
}

function nameOf({ operation }: Call): string {
  return `${operation.kind} "${operation.kind === 'keys' ? operation.pattern : operation.key}"`;
}

function sizeOf(operation: Operation): number {
  const value = 'value' in operation ? operation.value.length : 0;
  const expected = operation.kind === 'cas' ? (operation.expected?.length ?? 0) : 0;
  return CALL_BYTES + value + expected;
}
