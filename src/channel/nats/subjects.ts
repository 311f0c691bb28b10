import { createHash } from 'node:crypto';
import type { Bounds } from '../engine.ts';

/**
 * How channels and queues are called in NATS. Pure.
 *
 *     PREFIX.c.0.TOKEN                 a channel without history
 *     PREFIX.c.SIZE-SECONDS.TOKEN      a channel with history; in the stream PREFIX_SIZE_SECONDS
 *     PREFIX.q.TOKEN                   a queue; in the stream PREFIX_QUEUES
 *
 * TOKEN is the name in UTF-8: letters, digits, `_` and `-` as they are, each other byte as `=` and two hex digits.
 */

const PLAIN = /[A-Za-z0-9_-]/;

/** A name of a channel or queue as one token of a subject. */
export function tokenOf(name: string): string {
  let token = '';
  for (const byte of Buffer.from(name)) {
    const char = String.fromCharCode(byte);
    token += PLAIN.test(char) ? char : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return token;
}

/** The name again, for every token that `tokenOf` gives. */
export function nameOf(token: string): string {
  const bytes = token.replaceAll(/=(..)/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}

const boundsToken = (bounds: Bounds | undefined) =>
  bounds ? `${bounds.size}-${bounds.seconds}` : '0';

/** Where a channel's messages are published. */
export function channelSubject(prefix: string, channel: string, bounds?: Bounds): string {
  return `${prefix}.c.${boundsToken(bounds)}.${tokenOf(channel)}`;
}

/** What gets everything of a channel, with whatever bounds it was published. */
export function everySubject(prefix: string, channel: string): string {
  return `${prefix}.c.*.${tokenOf(channel)}`;
}

/** Where a queue's jobs are published. */
export function queueSubject(prefix: string, queue: string): string {
  return `${prefix}.q.${tokenOf(queue)}`;
}

/** All subjects of a stream of history. */
export function historySubjects(prefix: string, bounds: Bounds): string {
  return `${prefix}.c.${boundsToken(bounds)}.*`;
}

/** The stream that keeps the channels with these bounds. */
export function historyStream(prefix: string, { size, seconds }: Bounds): string {
  return `${prefix.toUpperCase()}_${size}_${seconds}`;
}

/** The stream that keeps the jobs of all queues. */
export function queueStream(prefix: string): string {
  return `${prefix.toUpperCase()}_QUEUES`;
}

/** What the consumers of one queue have in common. Names are bounded there, so it is a hash. */
export function queueConsumer(queue: string): string {
  return `q-${createHash('sha256').update(queue).digest('hex').slice(0, 32)}`;
}

/** What a message of a JetStream consumer says of itself in its reply subject. */
export type Delivery = {
  /** In its stream. */
  readonly sequence: number;
  /** 1, 2, 3 … of what this consumer was sent. */
  readonly delivered: number;
  /** How many more there were for this consumer when it was sent. */
  readonly pending: number;
};

/** @returns `undefined` if that is no message of a consumer */
export function deliveryOf(reply: string | undefined): Delivery | undefined {
  const parts = (reply ?? '').split('.');
  if (parts[0] !== '$JS' || parts[1] !== 'ACK' || parts.length < 9) return undefined;
  // Newer servers put domain and account in front: $JS.ACK.D.A.STREAM.CONSUMER.TIMES.SEQUENCE.DELIVERED.TIME.PENDING.
  const at = parts.length === 9 ? 5 : 7;
  const [sequence, delivered, pending] = [at, at + 1, at + 3].map((each) => Number(parts[each]));
  const numbers = [sequence, delivered, pending] as [number, number, number];
  if (!numbers.every(Number.isSafeInteger)) return undefined;
  return { sequence: numbers[0], delivered: numbers[1], pending: numbers[2] };
}
