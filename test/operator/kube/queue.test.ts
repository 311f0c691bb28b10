import { describe, expect, it } from '@jest/globals';
import { Queue } from '../../../operator/kube/queue.ts';

/** Work whose pieces end when told; `begun` gives the next key that is begun. */
class Bench {
  readonly #begun: string[] = [];
  #told: (() => void) | undefined;
  readonly #open = new Map<string, PromiseWithResolvers<void>>();

  readonly work = (key: string): Promise<void> => {
    if (this.#open.has(key)) throw new Error(`${key} is in work twice`);
    const piece = Promise.withResolvers<void>();
    this.#open.set(key, piece);
    this.#begun.push(key);
    this.#told?.();
    return piece.promise.finally(() => this.#open.delete(key));
  };

  async begun(): Promise<string> {
    while (this.#begun.length === 0) {
      await new Promise<void>((done) => {
        this.#told = done;
      });
    }
    return this.#begun.shift() as string;
  }

  get keys(): string[] {
    return [...this.#open.keys()];
  }

  end(key: string, error?: Error): void {
    if (error) this.#open.get(key)?.reject(error);
    else this.#open.get(key)?.resolve();
  }
}

describe('Queue', () => {
  it('works on as many keys at once as it has workers, in their order', async () => {
    const bench = new Bench();
    const queue = new Queue({ workers: 2, work: bench.work });
    for (const key of ['a', 'b', 'c', 'a']) queue.add(key);
    expect([await bench.begun(), await bench.begun()]).toEqual(['a', 'b']);
    expect([queue.working, queue.depth]).toEqual([2, 1]);
    bench.end('b');
    expect(await bench.begun()).toBe('c');
    queue.add('a');
    bench.end('a');
    expect(await bench.begun()).toBe('a');
    for (const key of ['a', 'c']) bench.end(key);
    await queue.stop();
    expect([queue.processed, queue.failed, queue.waiting]).toEqual([4, 0, 0]);
  });

  it('tries again what failed, and says so', async () => {
    const bench = new Bench();
    const told: unknown[] = [];
    const queue = new Queue({
      workers: 1,
      work: bench.work,
      onDone: (key, seconds, error) => told.push([key, seconds >= 0, (error as Error)?.message]),
    });
    queue.add('a');
    bench.end(await bench.begun(), new Error('not yet'));
    const startedAt = performance.now();
    bench.end(await bench.begun());
    expect(performance.now() - startedAt).toBeGreaterThan(90);
    await queue.stop();
    expect(told).toEqual([
      ['a', true, 'not yet'],
      ['a', true, undefined],
    ]);
    expect([queue.processed, queue.failed]).toEqual([2, 1]);
  });

  it('counts work that throws before it begins as failed', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const queue = new Queue({
      workers: 1,
      work: () => {
        throw new Error('at once');
      },
      onDone: (_key, _seconds, error) => resolve(error),
    });
    queue.add('a');
    expect(await promise).toEqual(new Error('at once'));
    await queue.stop();
  });

  it('does what is due earlier first, and waits for nothing later when it stops', async () => {
    const bench = new Bench();
    const queue = new Queue({ workers: 1, work: bench.work });
    queue.addAfter('later', 2 ** 40);
    queue.addAfter('soon', 30);
    queue.addAfter('soon', 20);
    expect(await bench.begun()).toBe('soon');
    queue.add('more');
    const stopped = queue.stop();
    queue.add('after the end');
    bench.end('soon');
    await stopped;
    expect(bench.keys).toEqual([]);
    expect([queue.processed, queue.waiting]).toEqual([1, 2]);
  });
});
