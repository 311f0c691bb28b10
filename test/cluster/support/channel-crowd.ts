import { once } from 'node:events';
import { WebSocket } from 'ws';
import { eventually } from './run.ts';

type Heard = {
  readonly name?: string;
  readonly data?: number;
  readonly refused?: string;
  readonly recovery?: { readonly channel: string; readonly recovered: boolean };
};

/**
 * One client at each of some pods. The first says numbered events on channels `kept:N`; all hear them, and count what is
 * missing.
 */
export class Crowd implements Disposable {
  readonly #sockets: WebSocket[] = [];
  /** By client: the last number of each channel. */
  readonly #last: Map<string, number>[] = [];
  /** By client: the numbers of each channel that did not come, and the channels whose gap was told. */
  readonly #holes: Map<string, Set<number>>[] = [];
  readonly #told: Set<string>[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #names: readonly string[];
  #timer: NodeJS.Timeout | undefined = undefined;
  heard = 0;
  doubled = 0;
  /** Came behind a later one. */
  late = 0;
  refused = 0;
  gaps = 0;

  static async of(urls: readonly string[], channels: number): Promise<Crowd> {
    const crowd = new Crowd(channels);
    for (const [i, url] of urls.entries()) {
      const socket = new WebSocket(url);
      crowd.#sockets.push(socket);
      crowd.#last.push(new Map());
      crowd.#holes.push(new Map());
      crowd.#told.push(new Set());
      socket.on('message', (bytes) => crowd.#hear(i, JSON.parse(String(bytes)) as Heard));
      await once(socket, 'open');
    }
    return crowd;
  }

  private constructor(channels: number) {
    this.#names = Array.from({ length: channels }, (_, i) => `kept:${i}`);
  }

  #hear(i: number, { name, data, refused, recovery }: Heard): void {
    if (refused !== undefined) this.refused += 1;
    if (recovery && !recovery.recovered) {
      this.gaps += 1;
      this.#told[i]?.add(recovery.channel);
    }
    if (name === undefined || data === undefined) return;
    this.heard += 1;
    const last = this.#last[i]?.get(name);
    this.#last[i]?.set(name, Math.max(last ?? 0, data));
    // What was said before it was subscribed is nothing to it.
    if (last === undefined) return;
    if (data > last)
      for (let each = last + 1; each < data; each += 1) this.#missing(i, name).add(each);
    else if (this.#missing(i, name).delete(data)) this.late += 1;
    else this.doubled += 1;
  }

  #missing(i: number, name: string): Set<number> {
    const holes = this.#holes[i]?.get(name) ?? new Set();
    this.#holes[i]?.set(name, holes);
    return holes;
  }

  /** Settles when every client has heard of every channel. @returns milliseconds that it took */
  async all(): Promise<number> {
    const began = Date.now();
    const deaf = () => this.#last.some(({ size }) => size < this.#names.length);
    await eventually('all hear', () => !deaf(), 60_000);
    return Date.now() - began;
  }

  talk(): void {
    const begun = Date.now();
    this.#timer = setInterval(() => {
      for (const name of this.#names) {
        const number = (this.#numbers.get(name) ?? 0) + 1;
        this.#numbers.set(name, number);
        this.#sockets[0]?.send(JSON.stringify({ name, data: number }));
      }
      // A test that hangs does not go on for ever.
      if (Date.now() - begun > 600_000) clearInterval(this.#timer);
    }, 50);
  }

  get sent(): number {
    return [...this.#numbers.values()].reduce((sum, each) => sum + each, 0);
  }

  get lost(): number {
    return this.#holes
      .flatMap((each) => [...each.values()])
      .reduce((sum, { size }) => sum + size, 0);
  }

  /** What is missing, for a person: ten lines at most. */
  get faults(): string[] {
    return this.#holes
      .flatMap((holes, i) =>
        [...holes]
          .filter(([, { size }]) => size > 0)
          .map(([name, { size }]) => {
            const [last, end] = [this.#last[i]?.get(name), this.#numbers.get(name)];
            return `${name} at client ${i}: ${size} missing, the last is ${last} of ${end}`;
          }),
      )
      .slice(0, 10);
  }

  /** Gaps that nobody was told of. */
  get silent(): string[] {
    return this.#holes.flatMap((holes, i) =>
      [...holes.keys()]
        .filter((name) => !this.#told[i]?.has(name))
        .map(([name]) => `${name} at ${i}`),
    );
  }

  async more(count: number): Promise<void> {
    const goal = this.heard + count;
    await eventually(`${count} more events`, () => this.heard >= goal, 120_000);
  }

  /** No more is said; what is still missing counts as a gap. */
  async hush(): Promise<void> {
    clearInterval(this.#timer);
    const missing = () =>
      this.#last.flatMap((last, i) =>
        [...this.#numbers].flatMap(([name, number]) =>
          (last.get(name) ?? 0) < number ? [{ i, name, number, last: last.get(name) ?? 0 }] : [],
        ),
      );
    await eventually('all has come', () => missing().length === 0, 15_000).catch(() => {});
    for (const { i, name, number, last } of missing())
      for (let each = last + 1; each <= number; each += 1) this.#missing(i, name).add(each);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.terminate();
  }
}
