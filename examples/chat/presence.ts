import { type ChannelClient, Timer } from 'longshore';

/** How often a process says who is with it, and when one that has gone silent is forgotten. Seconds. */
const TELL = 3;
const FORGET = 10;

type Crowd = { readonly rooms: Record<string, string[]>; heardAt: number };
type Told = {
  readonly process: string;
  readonly rooms: Record<string, string[]>;
  readonly ask?: boolean;
};

/**
 * Who is in which room, over all processes. Each process tells its own people at every change and every few seconds,
 * and keeps what the others tell; so a process that was killed is forgotten, and one that starts knows all at once.
 */
export class Presence {
  readonly #channel: ChannelClient;
  readonly #changed: (room: string) => void;
  readonly #own = new Map<string, string[]>();
  readonly #others = new Map<string, Crowd>();
  #process = '';

  /** @param changed called with a room whose people are others than before */
  constructor(channel: ChannelClient, changed: (room: string) => void) {
    this.#channel = channel;
    this.#changed = changed;
  }

  /** @param process a name that no other process has */
  start(process: string): void {
    this.#process = process;
    this.#channel.on('presence', (told) => this.#hear(told as Told));
    this.#tell(true);
    Timer.add(TELL, () => {
      this.#tell();
      this.#forget();
    });
  }

  /** Says goodbye for everybody here. */
  stop(): void {
    this.#own.clear();
    this.#tell();
  }

  join(room: string, name: string): void {
    this.#own.set(room, [...(this.#own.get(room) ?? []), name]);
    this.#tell();
    this.#changed(room);
  }

  leave(room: string, name: string): void {
    const names = this.#own.get(room) ?? [];
    const at = names.indexOf(name);
    if (at !== -1) names.splice(at, 1);
    if (names.length === 0) this.#own.delete(room);
    this.#tell();
    this.#changed(room);
  }

  /** Everybody in a room, sorted. */
  in(room: string): string[] {
    const others = [...this.#others.values()].flatMap(({ rooms }) => rooms[room] ?? []);
    return [...(this.#own.get(room) ?? []), ...others].sort((a, b) => a.localeCompare(b));
  }

  #tell(ask = false): void {
    this.#channel.publish('presence', {
      process: this.#process,
      rooms: Object.fromEntries(this.#own),
      ask,
    });
  }

  #hear({ process, rooms, ask }: Told): void {
    if (process === this.#process) return;
    const before = this.#others.get(process)?.rooms ?? {};
    this.#others.set(process, { rooms, heardAt: Date.now() });
    if (ask) this.#tell();
    this.#compare(before, rooms);
  }

  #forget(): void {
    for (const [process, { rooms, heardAt }] of this.#others) {
      if (Date.now() - heardAt < FORGET * 1000) continue;
      this.#others.delete(process);
      this.#compare(rooms, {});
    }
  }

  #compare(before: Record<string, string[]>, after: Record<string, string[]>): void {
    for (const room of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (String(before[room]) !== String(after[room])) this.#changed(room);
    }
  }
}
