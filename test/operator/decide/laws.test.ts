import { describe, expect, it } from '@jest/globals';
import { budget } from '../../../operator/decide/amounts.ts';
import { decide } from '../../../operator/decide/decide.ts';
import { pictureOf } from '../../support/action-words.ts';
import { Random } from '../../support/random.ts';
import { CALM, Chaos, type Trouble } from '../../support/server-chaos.ts';
import type { WorldPod } from '../../support/server-pods.ts';
import { ServerWorld } from '../../support/server-world.ts';

/** More of them find more: `RUNS=2000 npm test -- laws`. */
const RUNS = Number(process.env['RUNS'] || 15);
const SECONDS = 100;

const isServing = (pod: WorldPod): boolean =>
  pod.ready && !pod.terminating && !pod.going && pod.drainSince === undefined;

/** Stops at the first breach, with what there was. */
function holds(world: ServerWorld, seed: number, law: boolean, text: string): void {
  if (law) return;
  throw new Error(
    `seed ${seed}, second ${world.seconds}: ${text}\n${pictureOf(world)}\n${world.log.slice(-60).join('\n')}`,
  );
}

type Law = (chaos: Chaos, seed: number) => (world: ServerWorld) => void;

/** Runs histories, each watched by laws, and each brought to rest. */
function histories(trouble: Trouble, laws: readonly Law[], runs: number): void {
  for (let seed = 0; seed < runs; seed += 1) {
    const chaos = new Chaos(new Random(seed), trouble);
    const watch = laws.map((law) => law(chaos, seed));
    chaos.world.check = (world) => {
      for (const each of watch) each(world);
    };
    chaos.run(SECONDS);
    chaos.calm();
    atRest(chaos.world, seed);
  }
}

function atRest(world: ServerWorld, seed: number): void {
  world.run(20);
  const pods = [...world.pods.values()].filter((pod) => !pod.over);
  const revision = world.decision?.revision;
  const { replicas } = world.server.spec;
  holds(world, seed, world.isSettled, 'not settled any more');
  holds(world, seed, pods.length === replicas, `not ${replicas} pods`);
  for (const pod of pods) {
    const good = isServing(pod) && pod.open && pod.revision === revision;
    holds(world, seed, good, `${pod.name} is not as it should be`);
  }
  const last = world.log.length;
  world.run(20);
  holds(world, seed, world.log.length === last, 'it goes on doing things');
}

const BAD: Trouble = { lag: 0, fails: 0.2, ends: 0.02, losses: 0.05, edits: 0.05, twice: false };

/** Sets grow only into the budget; pods of other revisions that are still ending are counted. */
const neverTooMany: Law = (chaos, seed) => {
  let before = Number.POSITIVE_INFINITY;
  return (world) => {
    const { replicas, rollout } = world.server.spec;
    const sizes = [...world.sets.values()].reduce((sum, set) => sum + set.replicas, 0);
    const ending = [...world.pods.values()].filter(
      (pod) => pod.terminating && pod.revision !== world.decision?.revision,
    );
    const most = replicas + budget(rollout, replicas).surge;
    const unseen = chaos.lostAt >= world.seconds - chaos.trouble.lag - 1;
    const law = sizes <= before || unseen || sizes + ending.length <= most;
    holds(world, seed, law, `${sizes} pods and ${ending.length} that end, at most ${most}`);
    before = sizes;
  };
};

/** What serves stays enough, unless something is lost from outside or more is asked for. */
const neverTooFew: Law = (chaos, seed) => {
  let enough = false;
  let last = 0;
  return (world) => {
    const { replicas, rollout } = world.server.spec;
    const least = replicas - budget(rollout, replicas).unavailable;
    const serving = [...world.pods.values()].filter(isServing).length;
    if (last !== least || chaos.lostAt >= world.seconds - chaos.trouble.lag - 1) enough = false;
    holds(world, seed, !enough || serving >= least, `${serving} serve, at least ${least}`);
    enough ||= serving >= least;
    last = least;
  };
};

/** Longer than it takes to see that they are, and to be heard. */
const neverAllClosed: Law = (chaos, seed) => {
  let since = 0;
  return (world) => {
    const ready = [...world.pods.values()].filter(isServing);
    if (ready.length === 0 || ready.some(({ open }) => open) || world.seconds < chaos.awayUntil)
      since = world.seconds;
    const longest = 2 * chaos.trouble.lag + (chaos.trouble.fails > 0 ? 3 : 0);
    holds(world, seed, world.seconds - since <= longest, 'all are closed');
  };
};

/** What `kubectl wait`, helm and Argo CD go by. */
const alwaysConsistent: Law = (_, seed) => (world) => {
  const status = world.decision?.status;
  if (!status) return;
  const is = Object.fromEntries(status.conditions.map((each) => [each.type, each.status]));
  const text = JSON.stringify(is);
  const old = status.conditions.some(
    ({ observedGeneration: of }) => of !== status.observedGeneration,
  );
  holds(world, seed, !old, 'a condition of another generation');
  if (is['Ready'] === 'True')
    holds(world, seed, is['Reconciling'] === 'False' && is['Stalled'] === 'False', text);
  if (is['Stalled'] === 'True')
    holds(world, seed, is['Reconciling'] === 'False' && is['Ready'] === 'False', text);
  if (is['Ready'] === 'False')
    holds(world, seed, (is['Reconciling'] === 'True') !== (is['Stalled'] === 'True'), text);
  const { phase, replicas, readyReplicas, updatedReplicas } = status;
  holds(world, seed, (phase === 'Running') === (is['Ready'] === 'True'), `${phase} ${text}`);
  holds(world, seed, replicas >= readyReplicas, 'more ready than there are');
  holds(world, seed, readyReplicas >= updatedReplicas, 'more updated than ready');
};

const sameAgain: Law = (_, seed) => (world) => {
  const view = world.observed();
  const [one, two] = [JSON.stringify(decide(view)), JSON.stringify(decide(view))];
  holds(world, seed, one === two, 'two decisions from one view');
};

const LAWS = [neverTooMany, neverTooFew, neverAllClosed, alwaysConsistent];

describe('pods are neither too many nor too few, never all closed, and come to rest', () => {
  it.each([
    ['edits alone', { ...CALM, edits: 0.05 }],
    ['an operator that ends, and calls that fail', { ...BAD, losses: 0 }],
    ['lost pods too', BAD],
    ['everything done twice', { ...BAD, twice: true }],
    ['views that are up to 5 s old', { ...BAD, lag: 5 }],
  ])('with %s', (_, trouble) => {
    histories(trouble, LAWS, RUNS);
  });

  it('and the same view gives the same decision', () => {
    histories(BAD, [sameAgain], RUNS / 4);
  });
});

/** A rollout of another image, with 30 clients for each pod. */
function rollout(replicas: number, windowSeconds: number, seed: number): ServerWorld {
  const drain = { propagationSeconds: 5, windowSeconds };
  const world = new ServerWorld({ replicas, drain }, new Random(seed).next);
  world.settle();
  world.come(30 * replicas);
  world.run(10);
  for (const client of world.clients) client.connects = 0;
  world.edit({ image: 'app:2' });
  world.settle(replicas * (windowSeconds + 60));
  world.run(20);
  return world;
}

describe('a rollout', () => {
  const table = [3, 4, 10, 20].flatMap((replicas) =>
    [5, 15, 30, 60].map((windowSeconds) => [replicas, windowSeconds] as const),
  );

  it.each(table)(
    'of %d pods over %d s each: clients come back once, evenly',
    (replicas, window) => {
      for (const seed of replicas > 4 ? [1] : [1, 2, 3]) {
        const { clients, pods } = rollout(replicas, window, seed);
        const connects = clients.reduce((sum, client) => sum + client.connects, 0);
        const counts = [...pods.values()].map(({ answer }) => answer.connections);
        expect(clients.every(({ pod }) => pod !== undefined)).toBe(true);
        expect(connects / clients.length).toBeLessThanOrEqual(1.05);
        expect(connects / clients.length).toBeGreaterThanOrEqual(1);
        expect(Math.max(...counts) / 30).toBeLessThanOrEqual(1.3);
      }
    },
  );
});

describe('quick edits', () => {
  it.each([
    [2, 8, 1.05],
    [2, 20, 1.7],
    [4, 8, 1.05],
    [4, 20, 1.4],
  ])(
    'of %d pods, 4 with %d s in between: a client comes back %d times in the mean',
    (replicas, every, most) => {
      const means = [1, 2, 3, 4].map((seed) => {
        const drain = { propagationSeconds: 5, windowSeconds: 30 };
        const world = new ServerWorld({ replicas, drain }, new Random(seed).next);
        world.settle();
        world.come(30 * replicas);
        world.run(10);
        for (const client of world.clients) client.connects = 0;
        for (const image of ['app:2', 'app:3', 'app:4', 'app:5']) {
          world.edit({ image });
          world.run(every);
        }
        world.settle();
        return (
          world.clients.reduce((sum, { connects }) => sum + connects, 0) / world.clients.length
        );
      });
      expect(means.reduce((sum, mean) => sum + mean, 0) / means.length).toBeLessThanOrEqual(most);
    },
  );
});
