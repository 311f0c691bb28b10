import { describe, expect, it } from '@jest/globals';
import { type Delivery, Queues } from '../../src/channel/queue.ts';
import { Random } from '../support/random.ts';

const LARGE = { maxJobs: 1000, maxBytes: 1e9 };
const job = (text: string | number) => Buffer.from(String(text));
const told = (deliveries: readonly Delivery<string>[] | undefined) =>
  deliveries?.map(({ consumer, value }) => `${consumer} ${value}`);

describe('Queues', () => {
  it('give each job to one consumer, the one that has waited longest', () => {
    const queues = new Queues<string>(LARGE);
    for (const who of ['ann', 'bob']) queues.watch('q', who);
    expect(queues.reserve('q', 'bob')).toEqual([]);
    expect(queues.reserve('q', 'ann')).toEqual([]);
    expect(told(queues.enqueue('q', job(1)))).toEqual(['bob 1']);
    expect(told(queues.enqueue('q', job(2)))).toEqual(['ann 2']);
    expect(told(queues.enqueue('q', job(3)))).toEqual([]);
    expect(told(queues.reserve('q', 'ann'))).toEqual(['ann 3']);
  });

  it('keep jobs for whoever watches later, in order, and give one for each reservation', () => {
    const queues = new Queues<string>(LARGE);
    for (const each of [1, 2, 3]) queues.enqueue('q', job(each));
    expect(queues.reserve('q', 'ann')).toEqual([]);
    queues.watch('q', 'ann');
    expect(told(queues.reserve('q', 'ann'))).toEqual(['ann 1']);
    expect(told(queues.reserve('q', 'ann'))).toEqual(['ann 2']);
    queues.unwatch('q', 'ann');
    expect(queues.reserve('q', 'ann')).toEqual([]);
  });

  it('take back what a consumer had under way, to the head and in its order', () => {
    const queues = new Queues<string>(LARGE);
    queues.watch('q', 'ann');
    for (const each of [1, 2, 3, 4]) queues.enqueue('q', job(each));
    const [first] = queues.reserve('q', 'ann');
    queues.reserve('q', 'ann');
    queues.reserve('q', 'ann');
    queues.done('q', first?.id ?? 0, 'bob');
    queues.done('q', first?.id ?? 0, 'ann');
    queues.watch('q', 'bob');
    queues.reserve('q', 'bob');
    expect(queues.drop('ann').deliveries).toEqual([]);
    const got = [1, 2, 3].flatMap(() => told(queues.reserve('q', 'bob')) ?? []);
    expect(got).toEqual(['bob 2', 'bob 3']);
  });

  it('give what comes back to a consumer that waits', () => {
    const queues = new Queues<string>(LARGE);
    for (const who of ['ann', 'bob']) {
      queues.watch('q', who);
      queues.reserve('q', who);
    }
    queues.enqueue('q', job(1));
    expect(told(queues.drop('ann').deliveries)).toEqual(['bob 1']);
  });

  it('refuse jobs beyond their bounds, unless somebody waits for one', () => {
    const queues = new Queues<string>({ maxJobs: 2, maxBytes: 500 });
    expect(queues.enqueue('q', job(1))).toEqual([]);
    expect(queues.enqueue('q', job(2))).toEqual([]);
    expect(queues.enqueue('q', job(3))).toBeUndefined();
    expect(queues.enqueue('other', Buffer.alloc(500))).toBeUndefined();
    expect(queues.has('other')).toBe(false);
    queues.watch('other', 'ann');
    queues.reserve('other', 'ann');
    expect(queues.enqueue('other', Buffer.alloc(500))).toHaveLength(1);
  });

  it('exist while they have a watcher or a job', () => {
    const queues = new Queues<string>(LARGE);
    queues.watch('q', 'ann');
    queues.enqueue('q', job(1));
    const [given] = queues.reserve('q', 'ann');
    queues.unwatch('q', 'ann');
    expect([queues.size, queues.jobs, queues.countOf('ann')]).toEqual([1, 1, 1]);
    queues.done('q', given?.id ?? 0, 'ann');
    expect([queues.size, queues.jobs, queues.bytes, queues.countOf('ann')]).toEqual([0, 0, 0, 0]);
  });

  it('go to another server without what is under way, which follows if its consumer goes', () => {
    const queues = new Queues<string>(LARGE);
    queues.watch('q', 'ann');
    for (const each of [1, 2, 3]) queues.enqueue('q', job(each));
    queues.reserve('q', 'ann');
    expect(queues.take('q').map(String)).toEqual(['2', '3']);
    expect(queues.drop('ann').homeless.map(({ value }) => String(value))).toEqual(['1']);
    expect([queues.size, queues.jobs, queues.bytes]).toEqual([0, 0, 0]);

    const next = new Queues<string>(LARGE);
    next.enqueue('q', job(4));
    expect(next.put('q', [job(2), job(3)])).toEqual([]);
    next.giveBack('q', job(1));
    next.watch('q', 'bob');
    const got = [1, 2, 3, 4].flatMap(() => told(next.reserve('q', 'bob')) ?? []);
    expect(got).toEqual(['bob 1', 'bob 2', 'bob 3', 'bob 4']);
  });

  it('lose no job and finish none twice, whoever comes and goes', () => {
    const random = new Random(21);
    for (let round = 0; round < 100; round += 1) {
      const world = new World(random);
      for (let step = 0; step < 120; step += 1) world.step();
      world.finish();
    }
  });
});

/** Consumers that come, go and work as chance will have it. */
class World {
  readonly #random: Random;
  readonly #queues = new Queues<number>(LARGE);
  readonly #working: Delivery<number>[] = [];
  readonly #finished: string[] = [];
  #made = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  step(): void {
    const random = this.#random;
    const who = random.int(1, 3);
    const queue = random.pick(['a', 'b']);
    const what = random.pick(['job', 'job', 'watch', 'reserve', 'reserve', 'done', 'drop', 'take']);
    if (what === 'job') this.#enqueue(queue);
    else if (what === 'watch') this.#queues.watch(queue, who);
    else if (what === 'reserve') this.#take(this.#queues.reserve(queue, who));
    else if (what === 'done') this.#done();
    else if (what === 'drop') this.#drop(who);
    else this.#take(this.#queues.put(queue, this.#queues.take(queue)));
    expect(this.#queues.jobs).toBe(this.#made - this.#finished.length);
  }

  #enqueue(queue: string): void {
    this.#made += 1;
    this.#take(this.#queues.enqueue(queue, job(this.#made)) ?? []);
  }

  #take(deliveries: readonly Delivery<number>[]): void {
    this.#working.push(...deliveries);
  }

  #done(): void {
    const [done] = this.#working.splice(this.#random.int(0, this.#working.length), 1);
    if (!done) return;
    this.#queues.done(done.queue, done.id, done.consumer);
    this.#finished.push(String(done.value));
  }

  #drop(who: number): void {
    const { deliveries, homeless } = this.#queues.drop(who);
    const left = this.#working.filter(({ consumer }) => consumer !== who);
    this.#working.splice(0, this.#working.length, ...left);
    this.#take(deliveries);
    for (const { queue, value } of homeless) this.#take(this.#queues.giveBack(queue, value));
  }

  finish(): void {
    for (const queue of ['a', 'b']) this.#queues.watch(queue, 9);
    for (;;) {
      for (const queue of ['a', 'b']) this.#take(this.#queues.reserve(queue, 9));
      if (this.#working.length === 0) break;
      while (this.#working.length > 0) this.#done();
    }
    expect(this.#finished.map(Number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: this.#made }, (_, i) => i + 1),
    );
  }
}
