import { dial, type Greeting } from './dial.ts';
import { type Latency, Stopwatch } from './latency.ts';
import { Round } from './round.ts';
import { exchange, httpLength, type Kind, portions } from './speech.ts';
import type { Wire } from './wire.ts';

/** Clients that ask, wait for the answers and ask again; and others beside them that are silent. */
export type FlowPlan = {
  readonly port: number;
  readonly greeting: Greeting;
  readonly kind: Kind;
  /** Connections that ask. */
  readonly active: number;
  /** Messages that one of them has under way: written at once, and the next when all answers are there. */
  readonly inFlight: number;
  /** Connections that are open and silent. */
  readonly idle: number;
  /** Looks at how long each answer takes, which costs the load generator something. */
  readonly timed?: boolean;
};

/** What came of a run. */
export type Ran = {
  readonly answers: number;
  readonly ms: number;
  /** How long one took, where the client looks at that. */
  readonly latency?: Latency;
};

/** Somebody who can be told to work for a while. When `run` is over no answer is outstanding. */
export interface Client {
  run(ms: number): Promise<Ran>;
  close(): void;
}

/** Different messages; then they come again. */
const MESSAGES = 16_384;

/** One connection that asks, and the bytes of the answer that are still to come. */
type Seat = { readonly wire: Wire; left: number; asked: number };

export class Flow implements Client {
  readonly #seats: Seat[];
  readonly #silent: Wire[];
  readonly #portions: Buffer[];
  readonly #inFlight: number;
  readonly #answerBytes: number;
  readonly #watch: Stopwatch | undefined;
  #next = 0;
  #answers = 0;
  #busy = 0;
  readonly #round = new Round('answers are missing');

  static async open(plan: FlowPlan): Promise<Flow> {
    const active = await dial(plan.port, plan.active, plan.greeting);
    const lengths = await Promise.all(active.map((wire, i) => probe(wire, plan.kind, i)));
    const silent = await dial(plan.port, plan.idle, plan.greeting);
    return new Flow(plan, active, silent, lengths[0] ?? 0);
  }

  private constructor(plan: FlowPlan, active: Wire[], silent: Wire[], answerBytes: number) {
    this.#portions = active.length === 0 ? [] : sentences(plan.kind, plan.inFlight);
    this.#inFlight = plan.inFlight;
    this.#watch = plan.timed ? new Stopwatch() : undefined;
    this.#answerBytes = answerBytes * plan.inFlight;
    this.#silent = silent;
    this.#seats = active.map((wire) => this.#seat(wire));
    for (const wire of [...active, ...silent]) wire.lost = (error) => this.#round.failed(error);
  }

  #seat(wire: Wire): Seat {
    const seat = { wire, left: 0, asked: 0 };
    wire.receive = (_, size) => {
      seat.left -= size;
      if (seat.left > 0) return;
      if (seat.left < 0) this.#round.failed(new Error(`${-seat.left} bytes too many`));
      this.#answers += this.#inFlight;
      this.#watch?.took(seat.asked);
      if (this.#round.isOn) this.#ask(seat);
      else this.#quiet();
    };
    return seat;
  }

  #ask(seat: Seat): void {
    const bytes = this.#portions[this.#next] as Buffer;
    this.#next = (this.#next + 1) % this.#portions.length;
    seat.left = this.#answerBytes;
    if (this.#watch) seat.asked = performance.now();
    seat.wire.write(bytes);
  }

  #quiet(): void {
    this.#busy -= 1;
    if (this.#busy === 0) this.#round.through();
  }

  async run(ms: number): Promise<Ran> {
    this.#answers = 0;
    this.#watch?.reset();
    this.#busy = this.#seats.length;
    const took = await this.#round.run(ms, () => {
      for (const seat of this.#seats) this.#ask(seat);
    });
    const ran = { answers: this.#answers, ms: took };
    return this.#watch ? { ...ran, latency: this.#watch.latency } : ran;
  }

  close(): void {
    for (const { wire } of this.#seats) wire.close();
    for (const wire of this.#silent) wire.close();
  }
}

const known = new Map<string, Buffer[]>();

/** What clients of a kind say; made once, however many clients there are. */
function sentences(kind: Kind, inFlight: number): Buffer[] {
  const key = `${kind} ${inFlight}`;
  const all = known.get(key) ?? portions(kind, inFlight, MESSAGES);
  known.set(key, all);
  return all;
}

/** The first message of a connection: the answer must be the right one. Gives its length. */
async function probe(wire: Wire, kind: Kind, i: number): Promise<number> {
  const { ask, answer } = exchange(kind, i);
  const whole = (bytes: Buffer) =>
    bytes.length >= (answer ? answer.length : (httpLength(bytes) ?? Number.POSITIVE_INFINITY));
  const got = await wire.ask(ask, whole);
  if (answer && !got.equals(answer))
    throw new Error(`wrong answer: ${got.toString('hex')} instead of ${answer.toString('hex')}`);
  if (!answer && !got.includes('hello')) throw new Error(`wrong answer: ${got}`);
  return got.length;
}
