import type { Declared } from './messages.ts';
import type { Port, Ports } from './ports.ts';
import { type Override, overridden } from './settings.ts';

/** What is to be different: what is left out stays. */
export type Change = {
  readonly program?: readonly Declared[];
  readonly overrides?: readonly Override[];
};

/** Which Workers there are, where each listens, and how the processes call that. */
export class Roster {
  declared: readonly Declared[];
  /** Names of the companions that are among them. */
  readonly companions: Set<string> = new Set();
  #overrides: readonly Override[];
  /** What the program says by itself. */
  #program: readonly Declared[];
  readonly #ports: Ports;
  readonly #companions: readonly Declared[];
  #listens: ReadonlyMap<string, Port> = new Map();
  /** Addresses as the processes call them: `wss://` instead of `websocket://` where there is TLS. */
  readonly #names = new Map<string, string>();

  /**
   * @param companions servers that can be run beside the program's own Workers
   * @throws {TypeError} `OPTION_INVALID` for an override of a Worker that there is not
   */
  constructor(
    program: readonly Declared[],
    overrides: readonly Override[],
    ports: Ports,
    companions: readonly Declared[],
  ) {
    this.#overrides = overrides;
    this.#program = program;
    this.#ports = ports;
    this.#companions = companions;
    this.declared = overridden(program, overrides);
  }

  /**
   * Makes sure of every address.
   *
   * @returns Workers that had another one
   * @throws {LongshoreError} `PORT_TAKEN` or `START_FAILED`; nothing is changed then
   */
  async claim(workers: readonly Declared[] = this.declared): Promise<string[]> {
    const before = new Map(this.#listens);
    const claimed = new Map<string, Port>();
    for (const worker of workers) {
      const port = await this.#ports.claim(worker);
      if (port) claimed.set(worker.name, port);
    }
    this.#listens = claimed;
    return [...before.keys()].filter((name) => before.get(name) !== claimed.get(name));
  }

  /** Gives back the addresses that were left: their last processes are gone. */
  settle(): void {
    this.#ports.keep(this.declared);
  }

  /**
   * Takes over what the program declares now, or other overrides; those of Workers that are gone are left out.
   *
   * @returns Workers that have another address now; `undefined` if nothing at all is different
   * @throws {LongshoreError} `PORT_TAKEN` or `START_FAILED`; nothing is changed then
   */
  async declare(change: Change): Promise<string[] | undefined> {
    const { program = this.#program, overrides = this.#overrides } = change;
    const own = program.filter(({ name }) => !this.companions.has(name));
    const known = overrides.filter(({ name }) => own.some((worker) => worker.name === name));
    const all = [
      ...overridden(own, known).map((worker) => this.#rooted(worker)),
      ...this.#companions.filter(({ name }) => this.companions.has(name)),
    ];
    const isSame = JSON.stringify(all) === JSON.stringify(this.declared);
    const moved = isSame ? undefined : await this.claim(all);
    this.#program = program;
    this.#overrides = overrides;
    this.declared = all;
    return moved;
  }

  /** A Worker whose processes stay through a reload stays where it is, too. */
  #rooted(worker: Declared): Declared {
    const known = this.find(worker.name);
    if (worker.reloadable || known?.reloadable !== false) return worker;
    const { address: _, ...rest } = worker;
    return known.address === undefined ? rest : { ...rest, address: known.address };
  }

  find(worker: string): Declared | undefined {
    return this.declared.find(({ name }) => name === worker);
  }

  /** Whether the master runs it for the program. */
  isCompanion(worker: string): boolean {
    return this.companions.has(worker);
  }

  port(worker: string): Port | undefined {
    return this.#listens.get(worker);
  }

  /** A process says how it calls its address. */
  named(worker: string, listening: string): void {
    this.#names.set(worker, listening);
  }

  /** What a Worker listens on, as people write it. */
  listening(worker: string): string {
    return this.#names.get(worker) ?? this.#listens.get(worker)?.listen ?? 'none';
  }

  /** Whether each process of a Worker has a listening socket of its own. */
  ownSockets(worker: string): boolean {
    return this.#listens.get(worker)?.shared === undefined;
  }
}
