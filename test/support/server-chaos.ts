import type { Action, Observed } from '../../operator/decide/view.ts';
import type { Random } from './random.ts';
import { end, lose, restart, type WorldPod } from './server-pods.ts';
import { ServerWorld, type SpecPart } from './server-world.ts';

/** What may go wrong in a history; shares are per second or per action. */
export type Trouble = {
  /** The view is up to so many seconds old. */
  readonly lag: number;
  /** An action is not done. */
  readonly fails: number;
  /** The operator ends, and is back after up to 20 s. */
  readonly ends: number;
  /** A pod is lost, evicted, restarted or mute. */
  readonly losses: number;
  readonly edits: number;
  /** All actions are done twice. */
  readonly twice: boolean;
};

export const CALM: Trouble = { lag: 0, fails: 0, ends: 0, losses: 0, edits: 0, twice: false };

/** A history of a server by chance. */
export class Chaos {
  readonly world: ServerWorld;
  readonly #random: Random;
  readonly trouble: Trouble;
  readonly #views: Observed[] = [];
  #lag = 0;
  awayUntil = 0;
  /** When something came from outside that the operator could not help. */
  lostAt: number = Number.NEGATIVE_INFINITY;
  editedAt: number = Number.NEGATIVE_INFINITY;

  constructor(random: Random, trouble: Trouble) {
    this.#random = random;
    this.trouble = trouble;
    this.world = new ServerWorld(anySpec(random), random.next);
    this.world.operator = () => this.#operate();
    this.world.come(random.int(0, 40));
  }

  /** So many seconds of trouble. */
  run(seconds: number): void {
    for (let i = 0; i < seconds; i += 1) {
      this.#happen();
      this.world.step();
    }
  }

  /** No more trouble, until nothing is left to do. */
  calm(): void {
    const { world } = this;
    world.broken.clear();
    for (const pod of world.pods.values()) pod.mute = false;
    for (const pod of world.pods.values()) pod.stays = false;
    if (world.server.spec.rollout.paused) this.#edit({ paused: false });
    world.operator = () => world.operate(world.observed());
    world.settle();
  }

  #happen(): void {
    const { world } = this;
    const random = this.#random;
    const pods = [...world.pods.values()];
    if (pods.length > 0 && random.chance(this.trouble.losses)) this.#hit(random.pick(pods));
    if (random.chance(this.trouble.edits) && world.seconds - this.editedAt > this.trouble.lag + 1)
      this.#edit({});
    if (random.chance(this.trouble.ends)) this.awayUntil = world.seconds + random.int(1, 20);
  }

  #hit(pod: WorldPod): void {
    const { world } = this;
    const random = this.#random;
    this.lostAt = world.seconds;
    const dice = random.int(0, 5);
    if (dice === 0) lose(world, pod);
    else if (dice === 1 && !pod.terminating) end(world, pod);
    else if (dice === 2) restart(world, pod);
    else if (dice === 3) pod.mute = !pod.mute;
    else if (dice === 4) pod.stays = !pod.stays;
    else if (!world.broken.delete('app:2')) world.broken.set('app:2', 'ErrImagePull');
  }

  #edit({ paused }: { paused?: boolean }): void {
    const { world } = this;
    const random = this.#random;
    this.editedAt = world.seconds;
    const { rollout, replicas } = world.server.spec;
    const dice = paused === undefined ? random.int(0, 9) : 9;
    if (dice < 5) world.edit({ image: `app:${random.int(1, 3)}` });
    else if (dice < 7) world.edit({ replicas: random.int(1, 6) });
    else if (dice < 8) world.config = `c${random.int(1, 3)}`;
    else if (dice < 9) world.annotate('longshore.dev/reload', String(random.int(1, 9)));
    else world.edit({ rollout: { ...rollout, paused: paused ?? !rollout.paused }, replicas });
  }

  #operate(): void {
    const { world } = this;
    const { lag, fails, twice } = this.trouble;
    this.#views.push(world.observed());
    // It never goes back: a later view is not older than one before.
    this.#lag = Math.min(this.#lag + 1, this.#random.int(0, lag));
    while (this.#views.length > this.#lag + 1) this.#views.shift();
    if (world.seconds < this.awayUntil) return;
    const seen = this.#views[0] as Observed;
    const server = {
      ...seen.server,
      ...(world.server.status ? { status: world.server.status } : {}),
    };
    const view = deepFrozen({ ...seen, server, now: world.now });
    const isLost = (_: Action) => this.#random.chance(fails);
    world.operate(view, isLost);
    if (twice) world.operate(view, isLost);
  }
}

function anySpec(random: Random): SpecPart {
  const [maxSurge, maxUnavailable] = random.pick([
    [1, 0],
    [2, 0],
    [0, 1],
    [1, 1],
    ['50%', '25%'],
    ['100%', 0],
  ] as const);
  return {
    replicas: random.int(1, 6),
    drain: { propagationSeconds: random.int(0, 4), windowSeconds: random.int(0, 12) },
    rollout: { maxSurge, maxUnavailable, minReadySeconds: random.int(0, 6) },
  };
}

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const each of Object.values(value)) deepFrozen(each);
  }
  return value;
}
