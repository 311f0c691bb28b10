import { messageOf } from '../../errors.ts';

/** A message that is kept until JetStream has it. */
export type Parcel = { readonly id: string; readonly subject: string; readonly value: Buffer };

/** What became of one attempt to deliver it. */
export type Outcome = 'stored' | 'refused' | 'again';

/** What `Lanes` need of their surroundings. */
export type Carrier = {
  /** Waits until an attempt makes sense. @throws when there will be none */
  ready(): Promise<unknown>;
  /** One attempt. @throws what is to be told if it was the last one */
  carry(parcel: Parcel): Promise<Outcome>;
  /** @throws when nothing is to be tried any more */
  pause(ms: number): Promise<void>;
  /** It was not taken, or given up. */
  dropped(parcel: Parcel, reason: string | undefined): void;
};

/**
 * Longest that a message is tried, in ms. Shorter than the time in which JetStream knows a message again: tried later, it
 * might be there twice.
 */
const PATIENCE_MS = 90_000;
/** What a message costs beside its value, roughly. */
const PARCEL_BYTES = 300;
const FIRST_PAUSE_MS = 50;
const MOST_PAUSE_MS = 2_000;

/**
 * Messages under way to JetStream: of each subject one after the other, so that their order stays whatever fails; of
 * different subjects at the same time.
 */
export class Lanes {
  /** Of everything that waits or is under way. */
  bytes = 0;
  readonly #carrier: Carrier;
  readonly #lanes = new Map<string, Parcel[]>();
  #idle = Promise.withResolvers<void>();

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  /** @returns whether it goes out at once, as far as its own subject is concerned */
  add(parcel: Parcel): boolean {
    this.bytes += PARCEL_BYTES + parcel.value.length;
    const lane = this.#lanes.get(parcel.subject);
    if (lane) {
      lane.push(parcel);
      return false;
    }
    const made = [parcel];
    this.#lanes.set(parcel.subject, made);
    void this.#work(parcel.subject, made);
    return true;
  }

  /** Settles when nothing waits. */
  get idle(): Promise<void> {
    return this.#lanes.size === 0 ? Promise.resolve() : this.#idle.promise;
  }

  async #work(subject: string, lane: Parcel[]): Promise<void> {
    for (let i = 0; i < lane.length; i += 1) {
      const parcel = lane[i] as Parcel;
      try {
        await this.#deliver(parcel);
      } catch (error) {
        this.#carrier.dropped(parcel, messageOf(error));
      }
      this.bytes -= PARCEL_BYTES + parcel.value.length;
      // What is through is let go of now and then, not each time: that would move all others.
      if (i >= 1_000) {
        lane.splice(0, i + 1);
        i = -1;
      }
    }
    this.#lanes.delete(subject);
    if (this.#lanes.size > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }

  async #deliver(parcel: Parcel): Promise<void> {
    await this.#carrier.ready();
    const began = performance.now();
    for (let attempt = 0; ; attempt += 1) {
      try {
        const outcome = await this.#carrier.carry(parcel);
        if (outcome === 'stored') return;
        if (outcome === 'refused') return this.#carrier.dropped(parcel, undefined);
      } catch (error) {
        if (performance.now() - began > PATIENCE_MS) throw error;
      }
      await this.#carrier.pause(
        Math.min(MOST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 9)),
      );
      await this.#carrier.ready();
      if (performance.now() - began > PATIENCE_MS) throw new Error('no answer for 90 s');
    }
  }
}
