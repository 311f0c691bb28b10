import { CHANNEL_SERVER, GLOBALDATA_SERVER } from '../contract.ts';
import { Locals } from './locals.ts';
import type { LocalPeers, Service } from './messages.ts';
import type { Change, Roster } from './roster.ts';

/** Services that the master can run for a program, and what their Workers are called. */
export const COMPANIONS: Readonly<Record<CompanionService, string>> = {
  channel: CHANNEL_SERVER,
  globaldata: GLOBALDATA_SERVER,
};

export type CompanionService = Exclude<Service, 'gateway'>;

export type NeighbourEvents = {
  /** All processes, also those that start later, are to know this. */
  changed(locals: LocalPeers): void;
  declare(change: Change, failed: (why: string) => void): void;
  /** A companion that a process needs can never start. */
  failed(proc: number, message: string): void;
};

/** Introduces the processes of this machine to each other, and runs the servers that they ask for. */
export class Neighbours {
  readonly locals: Locals = new Locals();
  readonly #roster: Roster;
  readonly #events: NeighbourEvents;

  constructor(roster: Roster, events: NeighbourEvents) {
    this.#roster = roster;
    this.#events = events;
  }

  /** A process asks for a server of a service. */
  wants(proc: number, service: CompanionService): void {
    const worker = COMPANIONS[service];
    if (this.#roster.isCompanion(worker) || this.locals.companion(service) !== undefined) return;
    // A program with such a server of its own means that one.
    const own = this.#roster.find(worker) && this.#roster.port(worker);
    if (own) {
      this.#set(service, own.listen);
      return;
    }
    this.#roster.companions.add(worker);
    this.#events.declare({}, (why) => {
      this.#roster.companions.delete(worker);
      // For a program that is still starting that is the end: it would serve, and its messages would go nowhere.
      this.#events.failed(proc, `its ${worker}, ${why}; see LONGSHORE_RUNTIME_DIR`);
    });
  }

  /** A Worker listens; it may be one that somebody waits for. */
  ready(worker: string, listening: string): void {
    if (!this.#roster.isCompanion(worker)) return;
    for (const [service, name] of Object.entries(COMPANIONS))
      if (name === worker) this.#set(service as CompanionService, listening);
  }

  #set(service: CompanionService, address: string): void {
    this.locals.set(service, address);
    this.#tell();
  }

  /** A process announces what it serves. */
  serves(proc: number, service: Service, address: string): void {
    this.locals.announce(proc, service, address);
    this.#tell();
  }

  /** A process is gone. */
  gone(proc: number): void {
    if (this.locals.drop(proc)) this.#tell();
  }

  #tell(): void {
    if (this.locals.value) this.#events.changed(this.locals.value);
  }
}
