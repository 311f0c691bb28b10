import { AsyncTcpConnection } from '../../src/connections/client.ts';
import { eventually } from '../support/peer.ts';

/** How often all clients have had their turn, and the length of a slice of a turn. */
const TURN_MS = 500;
const SLICE_MS = 10;

/**
 * Many WebSocket clients in pairs that send each other numbered messages through gateways and BusinessWorkers, and
 * count what goes wrong: closes, losses, repetitions, messages out of order.
 *
 * A message is `NUMBER SENT_AT`; what arrives is `NUMBER SENT_AT` as the partner sent it.
 */
export class Crowd {
  readonly #clients: AsyncTcpConnection[] = [];
  readonly #sent: number[] = [];
  readonly #got: number[] = [];
  #timer: NodeJS.Timeout | undefined = undefined;
  #next = 0;
  closes = 0;
  /** What was not the next number. */
  wrong: string[] = [];
  received = 0;
  /** Longest that a message took since `mark`, in milliseconds. */
  longest = 0;
  #latencies: number[] = [];

  /** Connects them; client i of n has the uid i and goes to URL i mod URLs, as in `ws://127.0.0.1:7272`. */
  static async of(count: number, urls: readonly string[]): Promise<Crowd> {
    const crowd = new Crowd();
    let ready = 0;
    for (let i = 0; i < count; i += 1) {
      const url = urls[i % urls.length];
      const client = new AsyncTcpConnection(`${url}/?uid=${i}`, { timeout: 60 });
      crowd.#clients.push(client);
      crowd.#sent.push(0);
      crowd.#got.push(0);
      client.onMessage = (_, message) => {
        if (message === 'ready') ready += 1;
        else crowd.#heard(i, String(message));
      };
      client.onClose = () => {
        crowd.closes += 1;
      };
      client.connect();
    }
    await eventually(() => ready === count, `${count} clients`);
    return crowd;
  }

  #heard(i: number, message: string): void {
    const [number, at] = message.split(' ').map(Number) as [number, number];
    this.received += 1;
    const expected = (this.#got[i] as number) + 1;
    if (number !== expected) this.wrong.push(`client ${i}: ${message} where ${expected} was next`);
    this.#got[i] = number;
    const took = performance.now() - at;
    this.longest = Math.max(this.longest, took);
    this.#latencies.push(took);
  }

  /** Begins to talk: each client twice a second. */
  talk(): void {
    const slice = Math.ceil((this.#clients.length * SLICE_MS) / TURN_MS);
    this.#timer = setInterval(() => {
      for (let n = 0; n < slice; n += 1) this.#say();
    }, SLICE_MS);
  }

  #say(): void {
    const i = this.#next;
    this.#next = (i + 1) % this.#clients.length;
    const number = (this.#sent[i] as number) + 1;
    this.#sent[i] = number;
    this.#clients[i]?.send(`${number} ${performance.now()}`);
  }

  get sent(): number {
    return this.#sent.reduce((sum, each) => sum + each, 0);
  }

  /** Settles when so many more messages have arrived. */
  async more(count: number): Promise<void> {
    const goal = this.received + count;
    await eventually(() => this.received >= goal, `${count} more messages`);
  }

  /** The longest since the last mark, and the median, in milliseconds; begins anew. */
  mark(): { longest: number; median: number } {
    const sorted = this.#latencies.sort((a, b) => a - b);
    const result = { longest: this.longest, median: sorted[sorted.length >> 1] ?? 0 };
    this.longest = 0;
    this.#latencies = [];
    return result;
  }

  /** No more is said; settles when all that was said has arrived, or does not any more. */
  async hush(): Promise<{ lost: number }> {
    clearInterval(this.#timer);
    await eventually(() => this.received >= this.sent, 'every message').catch(() => {});
    return { lost: this.sent - this.received };
  }

  end(): void {
    clearInterval(this.#timer);
    for (const client of this.#clients) {
      client.onClose = undefined;
      client.destroy();
    }
  }
}
