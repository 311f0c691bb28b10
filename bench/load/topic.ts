import { randomBytes } from 'node:crypto';
import {
  type ChannelMessage,
  decode,
  encode,
  encodeValue,
  FORMAT_VERSION,
} from '../../src/channel/format.ts';
import { source } from './dial.ts';
import type { Client, Ran } from './flow.ts';
import { Stopwatch } from './latency.ts';
import { Round } from './round.ts';
import { Wire } from './wire.ts';

/** One client that publishes and others that are subscribed; it goes on when all have everything. */
export type TopicPlan = {
  readonly port: number;
  readonly subscribers: number;
  /** Messages that are published at once, in one segment. */
  readonly inFlight: number;
  readonly dialect: 'channel' | 'redis';
};

const CHANNEL = 'bench';
/** Of what is published, without what a protocol puts around it. */
const BYTES = 128;
/** Different messages; then they come again. */
const MESSAGES = 4096;

/** What is spoken with a server: how a connection begins, and the bytes of each message. */
type Dialect = {
  greet(wire: Wire): Promise<unknown>;
  subscribe(wire: Wire): Promise<unknown>;
  publish(payload: Buffer): Buffer;
  event(payload: Buffer): Buffer;
};

/** The kind of the first message that some bytes hold; `undefined` until it is whole. */
function firstKind(bytes: Buffer): ChannelMessage['kind'] | undefined {
  const size = bytes.length < 4 ? Number.POSITIVE_INFINITY : bytes.readUInt32BE(0);
  return bytes.length < size ? undefined : decode(bytes.subarray(0, size)).kind;
}

const said = (kind: ChannelMessage['kind']) => (bytes: Buffer) => firstKind(bytes) === kind;

const longshore: Dialect = {
  async greet(wire) {
    await wire.ask(Buffer.alloc(0), said('hello'));
    const nonce = randomBytes(16);
    await wire.ask(encode({ kind: 'greeting', version: FORMAT_VERSION, nonce }), said('welcome'));
  },
  subscribe: (wire) =>
    wire.ask(
      Buffer.concat([
        encode({ kind: 'subscribe', name: CHANNEL }),
        encode({ kind: 'sync', id: 1 }),
      ]),
      said('synced'),
    ),
  publish: (payload) => encode({ kind: 'publish', name: CHANNEL, value: encodeValue(payload) }),
  event: (payload) => encode({ kind: 'event', name: CHANNEL, value: encodeValue(payload) }),
};

/** RESP, as every client of Redis speaks it: an array of strings, each behind its length. */
function resp(...parts: readonly (string | Buffer)[]): Buffer {
  const chunks = parts.flatMap((part) => [`$${part.length}\r\n`, part, '\r\n']);
  return Buffer.concat([`*${parts.length}\r\n`, ...chunks].map((each) => Buffer.from(each)));
}

const redis: Dialect = {
  greet: (wire) => wire.ask(resp('PING'), (bytes) => bytes.equals(Buffer.from('+PONG\r\n'))),
  subscribe: (wire) => wire.ask(resp('SUBSCRIBE', CHANNEL), (bytes) => bytes.includes(':1\r\n')),
  publish: (payload) => resp('PUBLISH', CHANNEL, payload),
  event: (payload) => resp('message', CHANNEL, payload),
};

const DIALECTS: Readonly<Record<TopicPlan['dialect'], Dialect>> = { channel: longshore, redis };

const payloadOf = (i: number): Buffer => Buffer.alloc(BYTES, `payload ${i} `);

/** Some messages in one segment, over and over different ones. */
function segments(dialect: Dialect, inFlight: number): Buffer[] {
  return Array.from({ length: Math.ceil(MESSAGES / inFlight) }, (_, i) =>
    Buffer.concat(
      Array.from({ length: inFlight }, (__, j) => dialect.publish(payloadOf(i * inFlight + j))),
    ),
  );
}

async function open(port: number, i: number, { greet }: Dialect): Promise<Wire> {
  const wire = await new Wire(port, source(i)).opened;
  await greet(wire);
  return wire;
}

export class Topic implements Client {
  readonly #publisher: Wire;
  readonly #subscribers: readonly Wire[];
  readonly #segments: readonly Buffer[];
  readonly #eventBytes: number;
  readonly #inFlight: number;
  readonly #watch = new Stopwatch();
  #next = 0;
  #left = 0;
  #answers = 0;
  readonly #round = new Round('events are missing');

  static async open({ port, subscribers, inFlight, dialect }: TopicPlan): Promise<Topic> {
    const spoken = DIALECTS[dialect];
    const [publisher, ...others] = await Promise.all(
      Array.from({ length: subscribers + 1 }, (_, i) => open(port, i, spoken)),
    );
    await Promise.all(others.map(spoken.subscribe));
    const expected = spoken.event(payloadOf(0));
    const heard = (bytes: Buffer) => bytes.length >= expected.length;
    const all = others.map((wire) => wire.ask(Buffer.alloc(0), heard));
    publisher?.write(spoken.publish(payloadOf(0)));
    for (const got of await Promise.all(all))
      if (!got.equals(expected)) throw new Error(`a subscriber got ${got} instead of ${expected}`);
    return new Topic([publisher as Wire, ...others], segments(spoken, inFlight), {
      eventBytes: expected.length,
      inFlight,
    });
  }

  private constructor(
    [publisher, ...subscribers]: [Wire, ...Wire[]],
    segments: readonly Buffer[],
    { eventBytes, inFlight }: { eventBytes: number; inFlight: number },
  ) {
    this.#publisher = publisher;
    this.#subscribers = subscribers;
    this.#segments = segments;
    this.#eventBytes = eventBytes;
    this.#inFlight = inFlight;
    for (const wire of subscribers) wire.receive = (_, size) => this.#received(size);
    for (const wire of [publisher, ...subscribers])
      wire.lost = (error) => this.#round.failed(error);
  }

  #received(size: number): void {
    this.#left -= size;
    // What is cut in the middle counts with its second half, or a moment too early: one in very many.
    this.#watch.stop(Math.round(size / this.#eventBytes));
    if (this.#left > 0) return;
    if (this.#left < 0) this.#round.failed(new Error(`${-this.#left} bytes too many`));
    this.#answers += this.#inFlight * this.#subscribers.length;
    if (this.#round.isOn) this.#publish();
    else this.#round.through();
  }

  #publish(): void {
    this.#left = this.#eventBytes * this.#inFlight * this.#subscribers.length;
    this.#watch.start();
    this.#publisher.write(this.#segments[this.#next] as Buffer);
    this.#next = (this.#next + 1) % this.#segments.length;
  }

  async run(ms: number): Promise<Ran> {
    this.#answers = 0;
    this.#watch.reset();
    const took = await this.#round.run(ms, () => this.#publish());
    return { answers: this.#answers, ms: took, latency: this.#watch.latency };
  }

  close(): void {
    for (const wire of [this.#publisher, ...this.#subscribers]) wire.close();
  }
}
