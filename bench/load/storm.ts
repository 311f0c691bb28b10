import { connect, type Socket } from 'node:net';
import { source } from './dial.ts';
import { textOf } from './frames.ts';

/** New connections at an even pace; each says one line, waits for it to come back and closes. */
export type StormPlan = {
  readonly port: number;
  readonly perSecond: number;
  readonly ms: number;
};

/** What became of the connections; the counts add up to `opened`. */
export type Weather = {
  opened: number;
  answered: number;
  /** ECONNREFUSED: nobody listened. */
  refused: number;
  /** ECONNRESET or EPIPE: somebody did, and threw it away. */
  reset: number;
  /** Closed in good order, or silent for too long, before the answer had come. */
  unanswered: number;
  /** Whatever else went wrong; `trouble` names the last one. It is the client's own, so no run is valid with it. */
  other: number;
  trouble: string;
  slowestMs: number;
};

type Fate = 'answered' | 'refused' | 'reset' | 'unanswered' | 'other';

const FATES: Readonly<Record<string, Fate>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
};

const SOURCES = 16;
/** Longest wait for an answer: a lost SYN alone costs 1, 3 or 7 seconds. */
const PATIENCE_MS = 10_000;
/** When so many wait, the pace gives way. */
const OUTSTANDING_MAX = 6000;
const TICK_MS = 5;

export class Storm {
  readonly #plan: StormPlan;
  readonly #done: PromiseWithResolvers<Weather> = Promise.withResolvers<Weather>();
  readonly #weather: Weather = calm();
  #outstanding = 0;
  #over = false;

  constructor(plan: StormPlan) {
    this.#plan = plan;
  }

  /** Gives what became of all, when the last one has ended. */
  blow(): Promise<Weather> {
    const begin = performance.now();
    const { perSecond, ms } = this.#plan;
    const timer = setInterval(() => {
      const elapsed = Math.min(performance.now() - begin, ms);
      const due = Math.floor((elapsed * perSecond) / 1000);
      while (this.#weather.opened < due && this.#outstanding < OUTSTANDING_MAX) this.#open();
      if (elapsed < ms) return;
      clearInterval(timer);
      this.#over = true;
      this.#look();
    }, TICK_MS);
    return this.#done.promise;
  }

  #open(): void {
    const i = this.#weather.opened;
    this.#weather.opened += 1;
    this.#outstanding += 1;
    const begin = performance.now();
    const host = '127.0.0.1';
    const socket = connect({ host, port: this.#plan.port, localAddress: source(i, SOURCES) });
    converse(socket, Buffer.from(`${textOf(i)}\n`), (fate, trouble) => {
      this.#weather[fate] += 1;
      if (fate === 'other') this.#weather.trouble = trouble;
      const ms = performance.now() - begin;
      if (fate === 'answered') this.#weather.slowestMs = Math.max(this.#weather.slowestMs, ms);
      this.#outstanding -= 1;
      this.#look();
    });
  }

  #look(): void {
    if (this.#over && this.#outstanding === 0) this.#done.resolve(this.#weather);
  }
}

function converse(socket: Socket, line: Buffer, done: (fate: Fate, trouble: string) => void): void {
  let left = line.length;
  let trouble: string | undefined;
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.on('connect', () => socket.write(line));
  socket.on('data', (chunk) => {
    left -= chunk.length;
    if (left === 0) socket.destroy();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    trouble = error.code ?? error.message;
  });
  socket.on('close', () => {
    if (left === 0) done('answered', '');
    else if (trouble === undefined) done('unanswered', '');
    else done(FATES[trouble] ?? 'other', trouble);
  });
}

function calm(): Weather {
  const counts = { opened: 0, answered: 0, refused: 0, reset: 0, unanswered: 0, other: 0 };
  return { ...counts, trouble: '', slowestMs: 0 };
}
