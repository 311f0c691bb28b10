import type { ConnectionOptions } from 'node:tls';
import type { SendResult } from '../connections/connection.ts';
import type { MemberList } from './owners.ts';

/** How much of a channel is kept for those who were away. */
export type Bounds = {
  /** Events, the newest ones. */
  readonly size: number;
  /** Age of the oldest one. */
  readonly seconds: number;
};

/** Where in a channel's history somebody stands. */
export type Position = {
  /** Of the last event that was seen: 0 before the first, then 1, 2, 3 … An engine may leave numbers out. */
  readonly offset: number;
  /** Names the history that the offset belongs to. With another epoch the offset means nothing. */
  readonly epoch: string;
};

/** The answer to a subscription of a channel with history. */
export type Recovery = {
  readonly channel: string;
  /** Whether every event since the asked position follows, in order. False: there is a gap. */
  readonly recovered: boolean;
  /** How many events follow that were missed. 0 if it is not recovered. */
  readonly missed: number;
};

/** What an engine tells its client. None of it is called after `close`, and none from inside a method of the engine. */
export type EngineEvents = {
  /**
   * Something was published on a channel that is subscribed to.
   *
   * @param position only for channels with history
   */
  event(channel: string, value: Buffer, position?: Position): void;
  /**
   * Answers each subscription with `history`, also those that the engine renews by itself; what was missed comes right
   * behind it, as events.
   *
   * @param position where the channel stood before what was missed; where it stands now if it is not recovered
   */
  recovery(answer: Recovery, position: Position): void;
  /** So many events of a channel without history were dropped because we read too slowly. */
  lost(channel: string, count: number): void;
  /**
   * A job of a watched queue.
   *
   * @param done to be called once when the work is over, however it ended; without it the job goes to another consumer
   *             when this client is gone
   */
  job(queue: string, value: Buffer, done: () => void): void;
  /** So many jobs of ours were not taken, because the queue is full. */
  refused(queue: string, count: number): void;
  /** Messages go out; subscriptions and watches are under way. Again after each reconnect. */
  connect(): void;
  /** The connection is lost; the engine tries again by itself, with jitter. */
  close(): void;
  /** Something that a person should know. The engine goes on trying. */
  error(code: string, message: string): void;
  /**
   * Asked when the engine renews a subscription: the position of the last event that the program has seen.
   *
   * @returns `undefined` if it has seen none and had no answer to its subscription
   */
  positionOf(channel: string): Position | undefined;
};

/** What an engine is told besides the address. */
export type EngineOptions = {
  /** What both ends must know. Default: `LONGSHORE_SECRET_FILE` or `LONGSHORE_SECRET`. */
  readonly secret?: string;
  /** TLS to the servers. `true`: with the certificates that Node trusts. */
  readonly tls?: ConnectionOptions | true;
  /** Seconds between signs of life; a server that was silent for three of them is gone. Default 10. */
  readonly heartbeat?: number;
};

/**
 * What carries a `ChannelClient`: our own servers, or NATS. Names are checked before they come here, values are encoded
 * (`format.ts`). No method throws or waits.
 *
 * It renews subscriptions, watches and unanswered reservations by itself whenever it has to connect again, and bounds
 * what waits while it is not connected (8 MiB).
 */
export interface ChannelEngine {
  /** Begins to connect and stays connected. Called once. */
  connect(): void;
  /** Ends it for good; what can still be sent is. */
  close(): void;
  /** Whether messages go out at once. */
  readonly connected: boolean;
  /** Idempotent. A later call with `history` takes the position and asks for what was missed since. */
  subscribe(channel: string, history?: Bounds, position?: Position): void;
  unsubscribe(channel: string): void;
  /** @param history with it the event is kept, within these bounds */
  publish(channel: string, value: Buffer, history?: Bounds): SendResult;
  /** Becomes a consumer of a queue; jobs come only after `reserve`. */
  watch(queue: string): void;
  unwatch(queue: string): void;
  /** Adds a job at the end of a queue. */
  enqueue(queue: string, value: Buffer): SendResult;
  /** Asks for one job of a watched queue. A second call before it came changes nothing. */
  reserve(queue: string): void;
  /** The list of servers has changed. An engine that cannot take another one has no such method and is made anew. */
  setMembers?(list: MemberList): void;
}
