import { setTimeout as pause } from 'node:timers/promises';
import type { KubeObject } from '../api/meta.ts';
import { isConflict, isNotFound } from './api-error.ts';
import { jittered } from './back-off.ts';
import type { Client } from './client.ts';
import { DEADLINE_MS, decide, LEASE_SECONDS, type Seen } from './election.ts';
import { microTime } from './micro-time.ts';
import { type Ref, resources } from './resources.ts';

/** Time for one request: so that a second one fits before the deadline. */
const TIMEOUT_MS = 3000;
/** After a request that failed. */
const RETRY_MS = 1000;

export type ElectorOptions = {
  readonly client: Client;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Of this process; no two that may run at the same time have the same. A pod's name is right. */
  readonly identity: string;
  /** We led, and another may begin soon: nothing may be done any more. Called once, then all is over. */
  readonly onLost: (why: string) => void;
  /** A request that failed and is tried again. */
  readonly onError?: ((error: unknown) => void) | undefined;
};

type Lease = KubeObject & {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly acquireTime?: string;
    readonly leaseDurationSeconds?: number;
    readonly leaseTransitions?: number;
  };
};

/**
 * Takes part in the election of one leader, by a Lease of coordination.k8s.io, the way client-go does: clocks of
 * different machines are never compared.
 */
export class Elector {
  /** Resolves when we lead; never rejects, and not at all after an early `stop`. */
  readonly elected: Promise<void>;
  readonly #options: ElectorOptions;
  readonly #ref: Ref;
  readonly #stopping = new AbortController();
  readonly #over: Promise<void>;
  readonly #elected = Promise.withResolvers<void>();
  #lease: Lease | undefined = undefined;
  /** Whether `#lease` is what we read or wrote last, with nothing unknown after it. */
  #fresh = false;
  #changedAt = performance.now();
  #renewedAt: number | undefined = undefined;
  #isLost = false;
  #deadline: NodeJS.Timeout | undefined = undefined;

  /** Takes part at once. */
  constructor(options: ElectorOptions) {
    this.#options = options;
    const { namespace, name } = options;
    this.#ref = { resource: resources.Lease, namespace, name };
    this.elected = this.#elected.promise;
    this.#over = this.#run();
  }

  /** Whether we lead at this moment; also right in a process that was stopped for a while and goes on. */
  get leads(): boolean {
    return this.#renewedAt !== undefined && performance.now() - this.#renewedAt < DEADLINE_MS;
  }

  /** Gives the lease back if we have it, so that another can lead at once. `onLost` is not called any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#over;
    if (!this.leads) return;
    this.#forget();
    try {
      if (!this.#fresh) await this.#look();
      if (this.#lease?.spec?.holderIdentity !== this.#options.identity) return;
      await this.#write({ holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() });
    } catch (error) {
      this.#options.onError?.(error);
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let ms = RETRY_MS;
      try {
        ms = await this.#step();
      } catch (error) {
        this.#fresh = false;
        if (!isConflict(error)) this.#options.onError?.(error);
      }
      await pause(ms, undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns milliseconds until the next one */
  async #step(): Promise<number> {
    // A leader needs not read what it has written itself: if it is out of date, the renewal is refused.
    if (!this.leads || !this.#fresh) await this.#look();
    const own = {
      identity: this.#options.identity,
      changedAt: this.#changedAt,
      renewedAt: this.#renewedAt,
    };
    const decision = decide(seenOf(this.#lease), own, performance.now());
    if (this.#stopping.signal.aborted) return 0;
    switch (decision.is) {
      case 'wait':
        return this.#renewedAt !== undefined
          ? decision.ms
          : jittered(decision.ms, 0.1, Math.random());
      case 'lost':
        this.#lost(decision.why);
        return 0;
      case 'acquire':
      case 'renew':
        await this.#hold(decision.is);
        return 0;
    }
  }

  async #look(): Promise<void> {
    const { client } = this.#options;
    const lease = await client.get<Lease>(this.#ref, { timeoutMs: TIMEOUT_MS }).catch((error) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    this.#remember(lease);
  }

  /** What the API server has now. */
  #remember(lease: Lease | undefined): void {
    const [before, now] = [seenOf(this.#lease), seenOf(lease)];
    if (before?.holder !== now?.holder || before?.renewTime !== now?.renewTime)
      this.#changedAt = performance.now();
    this.#lease = lease;
    this.#fresh = true;
  }

  async #hold(how: 'acquire' | 'renew'): Promise<void> {
    const { client, identity } = this.#options;
    // What counts is when it was sent: another may count from the moment when it was taken.
    const sentAt = performance.now();
    const now = microTime();
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: LEASE_SECONDS,
      renewTime: now,
      ...(how === 'acquire' ? { acquireTime: now, leaseTransitions: this.#transitions() } : {}),
    };
    if (this.#lease) await this.#write(spec);
    else {
      const { namespace, name } = this.#ref;
      const metadata = { namespace: namespace ?? '', name };
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
      this.#remember(await client.create<Lease>(lease, { timeoutMs: TIMEOUT_MS }));
    }
    this.#renewed(sentAt);
  }

  /** How often the holder has changed; a first one is no change. */
  #transitions(): number {
    const { holderIdentity, leaseTransitions = 0 } = this.#lease?.spec ?? {};
    const same = !this.#lease || holderIdentity === this.#options.identity;
    return same ? leaseTransitions : leaseTransitions + 1;
  }

  /** Refused if anybody else has written since we read. */
  async #write(spec: NonNullable<Lease['spec']>): Promise<void> {
    const resourceVersion = this.#lease?.metadata.resourceVersion;
    const patch = { metadata: { resourceVersion }, spec };
    const { client } = this.#options;
    this.#remember(await client.patch<Lease>(this.#ref, patch, { timeoutMs: TIMEOUT_MS }));
  }

  #renewed(sentAt: number): void {
    // It came after the deadline: whoever was told so must not find us in office again.
    if (this.#isLost) return;
    this.#renewedAt = sentAt;
    clearTimeout(this.#deadline);
    const left = sentAt + DEADLINE_MS - performance.now();
    // A request that hangs must not keep us in office.
    this.#deadline = setTimeout(
      () => this.#lost(`the lease was not renewed for ${DEADLINE_MS / 1000} s`),
      left,
    );
    if (!this.#stopping.signal.aborted) this.#elected.resolve();
  }

  #lost(why: string): void {
    const wanted = this.#stopping.signal.aborted;
    this.#isLost = true;
    this.#forget();
    this.#stopping.abort();
    if (!wanted) this.#options.onLost(why);
  }

  #forget(): void {
    clearTimeout(this.#deadline);
    this.#renewedAt = undefined;
  }
}

function seenOf(lease: Lease | undefined): Seen | undefined {
  if (!lease) return undefined;
  const { holderIdentity, renewTime, leaseDurationSeconds } = lease.spec ?? {};
  return {
    holder: holderIdentity,
    renewTime,
    seconds: leaseDurationSeconds ?? LEASE_SECONDS,
  };
}
