import { describe, expect, it } from '@jest/globals';
import type { PlanEvent, WorkerSpec } from '../../src/master/plan-types.ts';
import { PlanWorld } from '../support/plan-world.ts';
import { Random } from '../support/random.ts';

const RUNS = 2000;

const workers = (random: Random): WorkerSpec[] => [
  { name: 'chat', count: random.int(1, 3), reloadable: true },
  ...(random.chance(0.5) ? [{ name: 'push', count: random.int(1, 2), reloadable: false }] : []),
  { name: 'channel', count: 1, reloadable: true, last: true },
];

/** A process of the world, or one that there is not. */
const anyProc = (world: PlanWorld, random: Random): number =>
  random.chance(0.05) || world.live.size === 0
    ? random.int(0, 40)
    : random.pick([...world.live.keys()]);

function anyEvent(world: PlanWorld, random: Random): PlanEvent {
  const proc = anyProc(world, random);
  const dice = random.int(0, 99);
  if (dice < 40) return { is: 'ready', proc };
  if (dice < 60) return { is: 'exited', proc, status: random.pick([0, 9, 256]) };
  if (dice < 70) return { is: 'reload', how: random.pick(['now', 'graceful']) };
  if (dice < 72) return { is: 'recycle', proc };
  if (dice < 78) return { is: 'failed', proc, message: 'no', never: random.chance(0.1) };
  if (dice < 84) {
    const moved = random.chance(0.3) ? ['chat'] : [];
    return { is: 'declare', workers: workers(random), moved };
  }
  if (dice < 88) return { is: 'hold' };
  if (dice < 92) return { is: 'release' };
  if (dice < 93) return { is: 'stop', how: random.pick(['now', 'drain']) };
  return { is: 'tick' };
}

/** A run of up to 40 events by chance, an instant to minutes apart. */
function anyRun(seed: number): { world: PlanWorld; random: Random } {
  const random = new Random(seed);
  const world = new PlanWorld(workers(random));
  for (let i = random.int(1, 40); i > 0; i -= 1)
    world.step(anyEvent(world, random), random.pick([0, 0, 10, 100, 1000, 11_000, 70_000]));
  return { world, random };
}

describe('whatever happens in whatever order', () => {
  it('the invariants of the plan hold, and left alone all slots are filled and no reload hangs', () => {
    let calmed = 0;
    for (let seed = 0; seed < RUNS; seed += 1) {
      const { world } = anyRun(seed);
      if (world.plan.phase === 'draining' || world.plan.phase === 'stopping') continue;
      world.step({ is: 'release' });
      world.calm();
      world.expectRest();
      calmed += 1;
    }
    expect(calmed).toBeGreaterThan(RUNS / 2);
  });

  it('a stop comes to its end, once, as soon as the last process is gone', () => {
    for (let seed = 0; seed < RUNS; seed += 1) {
      const { world, random } = anyRun(seed);
      world.step({ is: 'stop', how: random.pick(['now', 'drain']) });
      world.calm();
      world.expectEnd();
    }
  });

  it('a stop comes to its end also when nobody obeys and all have to be killed', () => {
    for (let seed = 0; seed < RUNS / 4; seed += 1) {
      const { world } = anyRun(seed);
      world.step({ is: 'stop', how: 'drain' });
      for (let round = 0; round < 20 && world.ended === 0; round += 1) {
        world.step({ is: 'tick' }, 60_000);
        for (const [proc, { killed }] of [...world.live])
          if (killed) world.step({ is: 'exited', proc, status: 9 });
      }
      world.expectEnd();
    }
  });
});
