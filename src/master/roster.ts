import { CHANNEL_SERVER } from '../contract.ts';
import type { Declared } from './messages.ts';
import type { Port, Ports } from './ports.ts';
import { type Override, overridden } from './settings.ts';

/** Which Workers there are, where each listens, and how the processes call that. */
export class Roster {
  declared: readonly Declared[];
  /** Whether the companion is one of them. */
  withChannel = false;
  #overrides: readonly Override[];
  /** What the program says by itself. */
  #program: readonly Declared[];
  readonly #ports: Ports;
  readonly #companion: Declared;
  readonly #listens = new Map<string, Port>();
  /** Addresses as the processes call them: `wss://` instead of `websocket://` where there is TLS. */
  readonly #names = new Map<string, string>();

  /**
   * @param companion the channel server that can be run beside the program's own Workers
   * @throws {TypeError} `OPTION_INVALID` for an override of a Worker that there is not
   */
  constructor(
    program: readonly Declared[],
    overrides: readonly Override[],
    ports: Ports,
    companion: Declared,
  ) {
    this.#overrides = overrides;
    this.#program = program;
    this.#ports = ports;
    this.#companion = companion;
    this.declared = overridden(program, overrides);
  }

  /** Makes sure of every address. @throws {LongshoreError} `PORT_TAKEN` or `START_FAILED` */
  async claim(workers: readonly Declared[] = this.declared): Promise<void> {
    for (const worker of workers) {
      const port = await this.#ports.claim(worker);
      if (port) this.#listens.set(worker.name, port);
    }
  }

  /**
   * Takes over what the program declares now; overrides of Workers that are gone are left out.
   *
   * @returns whether anything is different
   * @throws {LongshoreError} `PORT_TAKEN` or `START_FAILED`; nothing is changed then
   */
  async declare(program: readonly Declared[] = this.#program): Promise<boolean> {
    this.#program = program;
    const own = program.filter(({ name }) => name !== CHANNEL_SERVER || !this.withChannel);
    const known = this.#overrides.filter(({ name }) => own.some((worker) => worker.name === name));
    const all = [...overridden(own, known), ...(this.withChannel ? [this.#companion] : [])];
    if (JSON.stringify(all) === JSON.stringify(this.declared)) return false;
    await this.claim(all);
    this.declared = all;
    return true;
  }

  /** Other overrides from now on; `declare` puts them into effect. */
  override(overrides: readonly Override[]): void {
    this.#overrides = overrides;
  }

  find(worker: string): Declared | undefined {
    return this.declared.find(({ name }) => name === worker);
  }

  isCompanion(worker: string | undefined): boolean {
    return this.withChannel && worker === CHANNEL_SERVER;
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
