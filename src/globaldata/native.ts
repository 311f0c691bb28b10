import { Line } from '../inner/line.ts';
import type { DataEngine, EngineEvents, EngineOptions } from './engine.ts';
import { type DataMessage, dataLine } from './format.ts';
import type { Answer, Operation } from './operations.ts';

const ID_END = 2 ** 32;
const HEARTBEAT = 10;

type Done = (answer: Answer | undefined) => void;

/** The engine on our own server. */
export class NativeEngine implements DataEngine {
  readonly #line: Line<DataMessage>;
  readonly #events: EngineEvents;
  readonly #open = new Map<number, Done>();
  #last = 0;

  constructor(address: string, events: EngineEvents, options: EngineOptions) {
    this.#events = events;
    const { secret, tls, heartbeat = HEARTBEAT } = options;
    this.#line = new Line(
      address,
      dataLine,
      { secret, tls, heartbeat },
      {
        open: () => events.open(),
        message: (message) => this.#heard(message),
        down: (wasOpen) => this.#down(wasOpen),
        error: (code, message) => events.error(code, message),
      },
    );
  }

  connect(): void {
    this.#line.connect();
  }

  close(): void {
    this.#line.close();
    this.#lose();
  }

  get isOpen(): boolean {
    return this.#line.isOpen;
  }

  send(operation: Operation, done: Done): void {
    this.#last = (this.#last + 1) % ID_END;
    const id = this.#last;
    this.#open.set(id, done);
    this.#line.send({ ...operation, id });
  }

  #heard(message: DataMessage): void {
    const id = 'id' in message ? message.id : undefined;
    const done = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || !done) {
      this.#events.error('PACKAGE_INVALID', `a ${message.kind} from ${this.#line.address}`);
      return;
    }
    this.#open.delete(id);
    done(message as Answer);
  }

  #down(wasOpen: boolean): void {
    this.#lose();
    if (wasOpen) this.#events.down();
  }

  #lose(): void {
    const lost = [...this.#open.values()];
    this.#open.clear();
    for (const done of lost) done(undefined);
  }
}
