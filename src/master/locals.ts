import type { LocalPeers, Service } from './messages.ts';

/**
 * Which services run beside a program's processes: what the master runs for it, and what its own processes announce.
 * Pure.
 */
export class Locals {
  readonly #companions = new Map<Service, string>();
  readonly #announced = new Map<number, Map<string, Service>>();
  #version = 0;

  /** The master runs a service, or knows where the program's own is. */
  set(service: Service, address: string): void {
    if (this.#companions.get(service) === address) return;
    this.#companions.set(service, address);
    this.#version += 1;
  }

  companion(service: Service): string | undefined {
    return this.#companions.get(service);
  }

  /** A process serves something. */
  announce(proc: number, service: Service, address: string): void {
    const known = this.#announced.get(proc) ?? new Map();
    this.#announced.set(proc, known.set(address, service));
    this.#version += 1;
  }

  /**
   * A process is gone, and what it served.
   *
   * @returns whether that changes anything
   */
  drop(proc: number): boolean {
    if (!this.#announced.delete(proc)) return false;
    this.#version += 1;
    return true;
  }

  /** Addresses of a service, in the order in which they were announced. */
  addresses(service: Service): string[] {
    const announced = [...this.#announced.values()].flatMap((each) =>
      [...each].filter(([, of]) => of === service).map(([address]) => address),
    );
    const companion = this.#companions.get(service);
    return companion === undefined ? announced : [companion, ...announced];
  }

  /** `undefined` while there is nothing. */
  get value(): LocalPeers | undefined {
    if (this.#version === 0) return undefined;
    const list = (service: Service) =>
      this.addresses(service).map((address) => ({ id: address, address }));
    return {
      version: this.#version,
      channel: list('channel'),
      gateway: list('gateway'),
      globaldata: list('globaldata'),
    };
  }
}
