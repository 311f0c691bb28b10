/** A job that goes to a consumer now. */
export type Delivery<C> = {
  readonly consumer: C;
  readonly queue: string;
  readonly id: number;
  readonly value: Buffer;
};

/** A job that comes back and has no queue here any more: its queue has been taken. */
export type Homeless = { readonly queue: string; readonly value: Buffer };

type Job = { readonly id: number; readonly value: Buffer };

type Queue<C> = {
  /** Those that wait for a consumer; `back` are the ones in front of them that came back, the next one last. */
  jobs: Job[];
  head: number;
  readonly back: Job[];
  readonly watchers: Set<C>;
  /** Consumers that wait for a job, the one that has waited longest first. */
  readonly waiting: Set<C>;
  readonly underWay: Map<number, { readonly consumer: C; readonly value: Buffer }>;
  /** Another server has it; what is under way here is finished here. */
  taken: boolean;
};

/** How much all queues may hold. */
export type QueueBounds = {
  /** Jobs that wait in one queue. */
  readonly maxJobs: number;
  /** Bytes of all jobs that wait or are under way. */
  readonly maxBytes: number;
};

const JOB_BYTES = 100;

/**
 * Queues of jobs: each goes to exactly one consumer, the one that has waited longest. Pure; `C` stands for a consumer.
 *
 * A consumer gets one job for each `reserve`. A job is under way until `done`; if its consumer goes before, it returns to
 * the head of its queue, so each is done at least once. A queue exists while it has a watcher or a job.
 */
export class Queues<C> {
  readonly #bounds: QueueBounds;
  readonly #queues = new Map<string, Queue<C>>();
  /** Queues in which a consumer watches or has a job. */
  readonly #of = new Map<C, Set<string>>();
  #lastId = 0;
  bytes = 0;
  jobs = 0;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#queues.size;
  }

  /** Whether there is such a queue here; one that was taken and has jobs under way is not. */
  has(queue: string): boolean {
    return this.#queues.get(queue)?.taken === false;
  }

  /** Every queue that is here. */
  *names(): Iterable<string> {
    for (const [name, { taken }] of this.#queues) if (!taken) yield name;
  }

  /** How many queues a consumer has to do with. */
  countOf(consumer: C): number {
    return this.#of.get(consumer)?.size ?? 0;
  }

  /**
   * Adds a job at the end.
   *
   * @returns who gets a job now; `undefined` if the queue is full and the job was not taken
   */
  enqueue(name: string, value: Buffer): Delivery<C>[] | undefined {
    const queue = this.#queueOf(name);
    const waits = queue.jobs.length - queue.head + queue.back.length;
    if (
      queue.waiting.size === 0 &&
      (waits >= this.#bounds.maxJobs || this.bytes + value.length > this.#bounds.maxBytes)
    ) {
      this.#tidy(name, queue);
      return undefined;
    }
    queue.jobs.push(this.#newJob(value));
    return this.#match(name, queue);
  }

  /** A job that came from another server, for the head of the queue; bounds do not count. */
  giveBack(name: string, value: Buffer): Delivery<C>[] {
    const queue = this.#queueOf(name);
    queue.back.push(this.#newJob(value));
    return this.#match(name, queue);
  }

  watch(name: string, consumer: C): void {
    this.#queueOf(name).watchers.add(consumer);
    this.#of.set(consumer, (this.#of.get(consumer) ?? new Set()).add(name));
  }

  unwatch(name: string, consumer: C): void {
    const queue = this.#queues.get(name);
    if (!queue) return;
    queue.watchers.delete(consumer);
    queue.waiting.delete(consumer);
    this.#tidy(name, queue);
    this.#leave(name, consumer);
  }

  /** A consumer of the queue wants a job. Whoever does not watch it gets none. */
  reserve(name: string, consumer: C): Delivery<C>[] {
    const queue = this.#queues.get(name);
    if (!queue?.watchers.has(consumer) || queue.taken) return [];
    queue.waiting.add(consumer);
    return this.#match(name, queue);
  }

  /** A job is over. */
  done(name: string, id: number, consumer: C): void {
    const queue = this.#queues.get(name);
    const job = queue?.underWay.get(id);
    if (!queue || job?.consumer !== consumer) return;
    queue.underWay.delete(id);
    this.#forget(job.value);
    this.#tidy(name, queue);
    this.#leave(name, consumer);
  }

  /** A consumer has gone: what it had under way returns to the head, in its order. */
  drop(consumer: C): { readonly deliveries: Delivery<C>[]; readonly homeless: Homeless[] } {
    const deliveries: Delivery<C>[] = [];
    const homeless: Homeless[] = [];
    for (const name of this.#of.get(consumer) ?? []) {
      const queue = this.#queues.get(name);
      if (!queue) continue;
      queue.watchers.delete(consumer);
      queue.waiting.delete(consumer);
      for (const value of this.#returned(queue, consumer)) homeless.push({ queue: name, value });
      deliveries.push(...this.#match(name, queue));
    }
    this.#of.delete(consumer);
    return { deliveries, homeless };
  }

  /** Puts a consumer's jobs back to the head; gives those that are at home elsewhere. */
  #returned(queue: Queue<C>, consumer: C): Buffer[] {
    const own = [...queue.underWay].filter(([, job]) => job.consumer === consumer);
    for (const [id, { value }] of own.reverse()) {
      queue.underWay.delete(id);
      if (queue.taken) this.#forget(value);
      else queue.back.push({ id, value });
    }
    return queue.taken ? own.map(([, { value }]) => value) : [];
  }

  /** Who watches a queue. */
  watchers(name: string): Iterable<C> {
    return this.#queues.get(name)?.watchers ?? [];
  }

  /**
   * Takes all waiting jobs out, in order, to be given to another server, and forgets the watchers. What is under way
   * stays until it is done.
   */
  take(name: string): Buffer[] {
    const queue = this.#queues.get(name);
    if (!queue) return [];
    const values = [...[...queue.back].reverse(), ...queue.jobs.slice(queue.head)].map(
      ({ value }) => value,
    );
    for (const value of values) this.#forget(value);
    Object.assign(queue, { jobs: [], head: 0, taken: true });
    queue.back.length = 0;
    const { watchers } = queue;
    const all = [...watchers];
    watchers.clear();
    queue.waiting.clear();
    this.#tidy(name, queue);
    for (const consumer of all) this.#leave(name, consumer);
    return values;
  }

  /** Puts jobs in that another server had, in front of those that are here; bounds do not count. */
  put(name: string, values: readonly Buffer[]): Delivery<C>[] {
    const queue = this.#queueOf(name);
    for (const value of [...values].reverse()) queue.back.push(this.#newJob(value));
    return this.#match(name, queue);
  }

  #queueOf(name: string): Queue<C> {
    const known = this.#queues.get(name);
    if (known) {
      known.taken = false;
      return known;
    }
    const queue: Queue<C> = {
      jobs: [],
      head: 0,
      back: [],
      watchers: new Set(),
      waiting: new Set(),
      underWay: new Map(),
      taken: false,
    };
    this.#queues.set(name, queue);
    return queue;
  }

  #newJob(value: Buffer): Job {
    this.#lastId = this.#lastId === 0xffffffff ? 1 : this.#lastId + 1;
    this.bytes += value.length + JOB_BYTES;
    this.jobs += 1;
    return { id: this.#lastId, value };
  }

  #forget(value: Buffer): void {
    this.bytes -= value.length + JOB_BYTES;
    this.jobs -= 1;
  }

  #match(name: string, queue: Queue<C>): Delivery<C>[] {
    const deliveries: Delivery<C>[] = [];
    for (const consumer of queue.waiting) {
      const job = next(queue);
      if (!job) break;
      queue.waiting.delete(consumer);
      queue.underWay.set(job.id, { consumer, value: job.value });
      deliveries.push({ consumer, queue: name, ...job });
    }
    this.#tidy(name, queue);
    return deliveries;
  }

  #tidy(name: string, queue: Queue<C>): void {
    const used = queue.watchers.size + queue.underWay.size + queue.back.length;
    if (used === 0 && queue.jobs.length === queue.head) this.#queues.delete(name);
  }

  /** A consumer may have nothing to do with a queue any more. */
  #leave(name: string, consumer: C): void {
    const queue = this.#queues.get(name);
    if (queue?.watchers.has(consumer)) return;
    if (queue && [...queue.underWay.values()].some((each) => each.consumer === consumer)) return;
    const names = this.#of.get(consumer);
    names?.delete(name);
    if (names?.size === 0) this.#of.delete(consumer);
  }
}

function next<C>(queue: Queue<C>): Job | undefined {
  const back = queue.back.pop();
  if (back) return back;
  const job = queue.jobs[queue.head];
  if (!job) return undefined;
  queue.head += 1;
  if (queue.head >= 32 && queue.head * 2 >= queue.jobs.length) {
    queue.jobs = queue.jobs.slice(queue.head);
    queue.head = 0;
  }
  return job;
}
