import type { Bounds, Position } from './engine.ts';

/** An event that is kept: its offset, when it came, and the message that tells it. */
export type Entry = { readonly offset: number; readonly at: number; readonly event: Buffer };

/** What a channel's log is when it changes hands. Ages instead of moments: clocks differ. */
export type Transfer = {
  readonly position: Position;
  readonly bounds: Bounds;
  /** A channel without history that is kept for a moment only; milliseconds, 0 for the others. */
  readonly passingMs: number;
  readonly entries: readonly {
    readonly offset: number;
    readonly ageMs: number;
    readonly event: Buffer;
  }[];
};

/** The answer to somebody who was away. */
export type Since = {
  readonly recovered: boolean;
  /** Every event after the asked position, in order; none if it is not recovered. */
  readonly missed: readonly Entry[];
  /** Where the channel stands before `missed`. */
  readonly position: Position;
};

/** What an entry and a log cost beside their bytes, roughly. */
const ENTRY_BYTES = 100;
const LOG_BYTES = 400;
/** A log that nobody has touched goes this long after its last event has. */
const IDLE_MS = 3_600_000;

/**
 * The events of one channel. Invariants: offsets have no gaps; the last entry has the offset `last`, unless there is
 * none; entries are ordered by age.
 */
type Log = {
  readonly epoch: string;
  bounds: Bounds;
  last: number;
  entries: Entry[];
  /** Where the entries begin: those before are gone. */
  head: number;
  bytes: number;
  usedAt: number;
  /** When a log that is kept for a moment only goes; Infinity for the others. */
  until: number;
};

/**
 * What was published on channels with history, within three bounds: events and age for each channel, bytes for all.
 * Beyond the last one whole logs go, the one first that was used longest ago, and their epochs with them. Pure: `now` is
 * in milliseconds on any clock that never goes back.
 */
export class History {
  readonly #maxBytes: number;
  readonly #newEpoch: () => string;
  /** The one used longest ago first. */
  readonly #logs = new Map<string, Log>();
  bytes = 0;
  entries = 0;

  /**
   * @param maxBytes of all logs together
   * @param newEpoch 16 hexadecimal digits that were never used before
   */
  constructor(maxBytes: number, newEpoch: () => string) {
    this.#maxBytes = maxBytes;
    this.#newEpoch = newEpoch;
  }

  /** Channels that have a log. */
  get size(): number {
    return this.#logs.size;
  }

  /** Channels that have a log. */
  names(): Iterable<string> {
    return this.#logs.keys();
  }

  /** Whether what is published on a channel is kept now. */
  has(channel: string, now: number): boolean {
    return this.#find(channel, now) !== undefined;
  }

  /**
   * Keeps an event.
   *
   * @param bounds what the publisher asks for; without it those that the channel has already
   * @param eventAt makes the message, once it is known where it stands
   * @returns the message; `undefined` if the channel has no history
   */
  append(
    channel: string,
    bounds: Bounds | undefined,
    now: number,
    eventAt: (position: Position) => Buffer,
  ): Buffer | undefined {
    const log = this.#find(channel, now) ?? (bounds && this.#begin(channel, bounds, now));
    if (!log) return undefined;
    if (bounds) Object.assign(log, { bounds, until: Number.POSITIVE_INFINITY });
    this.#touch(channel, log, now);
    log.last += 1;
    const event = eventAt({ offset: log.last, epoch: log.epoch });
    log.entries.push({ offset: log.last, at: now, event });
    this.entries += 1;
    this.#weigh(log, event.length + ENTRY_BYTES);
    this.#trim(log, now);
    this.#makeRoom(channel, log);
    return event;
  }

  /**
   * What somebody has missed who has seen everything up to `position`. All or nothing.
   *
   * @param position `undefined`: begins now, and is never behind
   * @param bounds of a log that is begun if there is none
   */
  since(
    channel: string,
    position: Position | undefined,
    bounds: Bounds | undefined,
    now: number,
  ): Since | undefined {
    const log = this.#find(channel, now) ?? (bounds && this.#begin(channel, bounds, now));
    if (!log) return undefined;
    this.#touch(channel, log, now);
    this.#trim(log, now);
    const here = { offset: log.last, epoch: log.epoch };
    if (!position) return { recovered: true, missed: [], position: here };
    const behind = log.last - position.offset;
    const recovered =
      position.epoch === log.epoch && behind >= 0 && behind <= log.entries.length - log.head;
    if (!recovered) return { recovered, missed: [], position: here };
    return { recovered, missed: log.entries.slice(log.entries.length - behind), position };
  }

  /** Drops what is too old, in all logs, and logs that nobody uses. Once in a while is enough. */
  sweep(now: number): void {
    for (const [channel, log] of this.#logs) {
      this.#trim(log, now);
      const idle = now - log.usedAt > log.bounds.seconds * 1000 + IDLE_MS;
      if (now >= log.until || idle) this.#drop(channel, log);
    }
  }

  /**
   * Takes a log out, to be given to another server.
   *
   * @param passingMs for a channel without history: begins one that the receiver keeps this long, so that subscribers
   *                  miss nothing while they change servers
   */
  take(channel: string, now: number, passingMs: number): Transfer | undefined {
    const bounds = { size: 10_000, seconds: Math.ceil(passingMs / 1000) };
    const found = this.#find(channel, now);
    const log = found ?? (passingMs > 0 ? this.#begin(channel, bounds, now) : undefined);
    if (!log) return undefined;
    this.#trim(log, now);
    this.#drop(channel, log);
    const passing = !found || log.until !== Number.POSITIVE_INFINITY;
    return {
      position: { offset: log.last, epoch: log.epoch },
      bounds: log.bounds,
      passingMs: passing ? passingMs : 0,
      entries: log.entries
        .slice(log.head)
        .map(({ offset, at, event }) => ({ offset, ageMs: Math.max(0, now - at), event })),
    };
  }

  /** Puts a log in that another server had; whatever was here before is gone. */
  put(channel: string, transfer: Transfer, now: number): void {
    const { position, bounds, passingMs, entries } = transfer;
    const before = this.#logs.get(channel);
    if (before) this.#drop(channel, before);
    const log: Log = {
      epoch: position.epoch,
      bounds,
      last: position.offset,
      entries: entries.map(({ offset, ageMs, event }) => ({ offset, at: now - ageMs, event })),
      head: 0,
      bytes: 0,
      usedAt: now,
      until: passingMs > 0 ? now + passingMs : Number.POSITIVE_INFINITY,
    };
    this.#logs.set(channel, log);
    this.entries += log.entries.length;
    this.#weigh(log, costOf(channel));
    for (const { event } of log.entries) this.#weigh(log, event.length + ENTRY_BYTES);
    this.#makeRoom(channel, log);
  }

  /** Where a channel stands, if it has a log. */
  positionOf(channel: string): Position | undefined {
    const log = this.#logs.get(channel);
    return log && { offset: log.last, epoch: log.epoch };
  }

  #find(channel: string, now: number): Log | undefined {
    const log = this.#logs.get(channel);
    if (!log || now < log.until) return log;
    this.#drop(channel, log);
    return undefined;
  }

  #begin(channel: string, bounds: Bounds, now: number): Log {
    const log: Log = {
      epoch: this.#newEpoch(),
      bounds,
      last: 0,
      entries: [],
      head: 0,
      bytes: 0,
      usedAt: now,
      until: Number.POSITIVE_INFINITY,
    };
    this.#logs.set(channel, log);
    this.#weigh(log, costOf(channel));
    return log;
  }

  #touch(channel: string, log: Log, now: number): void {
    log.usedAt = now;
    this.#logs.delete(channel);
    this.#logs.set(channel, log);
  }

  #weigh(log: Log, bytes: number): void {
    log.bytes += bytes;
    this.bytes += bytes;
  }

  #trim(log: Log, now: number): void {
    const oldest = now - log.bounds.seconds * 1000;
    while (log.head < log.entries.length) {
      const kept = log.entries.length - log.head;
      if (kept <= log.bounds.size && (log.entries[log.head] as Entry).at > oldest) break;
      this.#dropFirst(log);
    }
  }

  #dropFirst(log: Log): void {
    const first = log.entries[log.head] as Entry;
    log.head += 1;
    this.entries -= 1;
    this.#weigh(log, -first.event.length - ENTRY_BYTES);
    // Half of it is gone: moving the rest costs no more than what was dropped has.
    if (log.head < 32 || log.head * 2 < log.entries.length) return;
    log.entries = log.entries.slice(log.head);
    log.head = 0;
  }

  #makeRoom(channel: string, log: Log): void {
    if (this.bytes <= this.#maxBytes) return;
    for (const [other, oldest] of this.#logs) {
      if (this.bytes <= this.#maxBytes) return;
      if (other !== channel) this.#drop(other, oldest);
    }
    while (this.bytes > this.#maxBytes && log.head < log.entries.length) this.#dropFirst(log);
  }

  #drop(channel: string, log: Log): void {
    this.#logs.delete(channel);
    this.bytes -= log.bytes;
    this.entries -= log.entries.length - log.head;
  }
}

const costOf = (channel: string): number => LOG_BYTES + channel.length;
