import type { PodAnswer, PodView, SetView } from '../../operator/decide/view.ts';
import type { ServerWorld } from './server-world.ts';

/** The part of a `ServerWorld` that a cluster does by itself: pods that start, drain and end, and their clients. */

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type WorldSet = Mutable<SetView>;
export type Client = { pod: string | undefined; connects: number; away: number };

export type WorldPod = Omit<Mutable<PodView>, 'answer' | 'silence'> & {
  answer: Mutable<PodAnswer>;
  /** When it was made, or taken back from a drain. */
  bornAt: number;
  /** Since when it closes connections: it was told to, or it is being ended. */
  closesAt?: number;
  /** Since when it is terminating. */
  endsAt?: number;
  /** Its admin port does not answer. */
  mute: boolean;
  /** Its clients do not leave while it drains. */
  stays: boolean;
};

/** Seconds until a pod is ready, if its image can be. */
const START = 2;

const graceOf = ({ server }: ServerWorld): number =>
  server.spec.drain.propagationSeconds + server.spec.drain.windowSeconds + 15;

/** Processes of each Worker that the program has. */
export function countsOf({ server, program }: ServerWorld): Record<string, number> {
  const own = server.spec.workers.filter(({ name }) => program?.includes(name) ?? true);
  return Object.fromEntries(own.map(({ name, count }) => [name, count ?? 2]));
}

export function viewOf({
  mute,
  bornAt: _,
  closesAt: __,
  endsAt: ___,
  stays: ____,
  ...pod
}: WorldPod): PodView {
  const { answer, ...rest } = pod;
  if (mute) return { ...rest, silence: 'admin port unreachable: timeout' };
  // The operator does not ask what does not run.
  if (!pod.ready && (pod.over || pod.problem !== undefined)) return rest;
  return { ...rest, answer: { ...answer, counts: { ...answer.counts } } };
}

/** What happens to a pod in a second. */
export function live(world: ServerWorld, pod: WorldPod): void {
  const image = world.sets.get(pod.revision)?.inputs.image ?? '';
  const trouble = world.broken.get(image);
  if (pod.over) return;
  if (trouble !== undefined && !pod.ready) {
    pod.problem = trouble;
    crash(pod, trouble);
    pod.over = trouble.startsWith('SysctlForbidden');
  } else if (!pod.ready && pod.closesAt === undefined && world.now - pod.bornAt >= START * 1000) {
    delete pod.problem;
    becomes(world, pod, true);
  }
  if (pod.terminating) pod.closesAt ??= world.now;
  if (pod.closesAt !== undefined) drain(world, pod, pod.closesAt);
  const late = pod.endsAt !== undefined && world.now - pod.endsAt >= graceOf(world) * 1000;
  if (late) close(world, pod, pod.answer.connections);
  if (pod.terminating && pod.answer.connections === 0) world.pods.delete(pod.name);
}

/** As its problem says: how it ended, and how often it was started again. */
function crash(pod: WorldPod, trouble: string): void {
  const [, code, again] = /exit code (\d+)(?:, restarted (\d+) times)?/.exec(trouble) ?? [];
  if (code !== undefined) pod.crash = { exitCode: Number(code), times: Number(again ?? 0) + 1 };
}

function becomes(world: ServerWorld, pod: WorldPod, ready: boolean): void {
  if (pod.ready !== ready) pod.since = world.now;
  pod.ready = ready;
}

/** Its connections go evenly over the window, after the propagation delay. */
function drain(world: ServerWorld, pod: WorldPod, since: number): void {
  const { propagationSeconds, windowSeconds } = world.server.spec.drain;
  const passed = (world.now - since) / 1000 - propagationSeconds;
  if (passed < 0) return;
  becomes(world, pod, false);
  if (pod.stays) return;
  const left = Math.max(0, windowSeconds - passed);
  const { connections } = pod.answer;
  close(world, pod, left <= 0 ? connections : Math.ceil(connections / (left + 1)));
}

function close(world: ServerWorld, pod: WorldPod, count: number): void {
  const own = world.clients.filter(({ pod: name }) => name === pod.name);
  for (const client of own.slice(0, count)) {
    client.pod = undefined;
    client.away = 1 + Math.floor(world.random() * 3);
    pod.answer.connections -= 1;
  }
}

/** It is gone at once, as with its node. */
export function lose(world: ServerWorld, pod: WorldPod): void {
  close(world, pod, pod.answer.connections);
  world.pods.delete(pod.name);
}

/** The Service: a client that has none gets a pod by chance. */
export function connect(world: ServerWorld, client: Client): void {
  if (client.pod !== undefined) return;
  client.away -= 1;
  if (client.away > 0) return;
  const open = [...world.pods.values()].filter(
    (each) => each.open && each.ready && !each.terminating,
  );
  const pod = open[Math.floor(world.random() * open.length)];
  if (!pod) return;
  client.pod = pod.name;
  client.connects += 1;
  pod.answer.connections += 1;
}

/** A ReplicaSet controller within a quota: what is over does not count, unready ones go first, then by cost, then the newest. */
export function control(world: ServerWorld, set: WorldSet): void {
  const own = [...world.pods.values()].filter(
    (pod) => pod.revision === set.revision && !pod.terminating && !pod.over,
  );
  delete set.failure;
  for (let i = own.length; i < set.replicas; i += 1) {
    if (world.pods.size < world.quota) make(world, set);
    else set.failure = `exceeded quota: most, used: pods=${world.pods.size}`;
  }
  const order = [...own].sort(
    (a, b) =>
      Number(a.ready) - Number(b.ready) ||
      Number(b.going) - Number(a.going) ||
      b.createdAt - a.createdAt,
  );
  for (const pod of order.slice(0, Math.max(0, own.length - set.replicas))) end(world, pod);
}

/** Its container begins anew: its clients have lost it, and it does not know that it was told to drain. */
export function restart(world: ServerWorld, pod: WorldPod): void {
  close(world, pod, pod.answer.connections);
  delete pod.closesAt;
  pod.bornAt = world.now;
  pod.answer.phase = 'running';
  becomes(world, pod, false);
}

export function end(world: ServerWorld, pod: WorldPod): void {
  pod.terminating = true;
  pod.endsAt = world.now;
  pod.ready = false;
  if (pod.answer.connections === 0) world.pods.delete(pod.name);
}

function make(world: ServerWorld, set: WorldSet): void {
  const name = world.newName();
  world.pods.set(name, {
    name,
    revision: set.revision,
    ready: false,
    since: world.now,
    createdAt: world.now,
    bornAt: world.now,
    terminating: false,
    open: true,
    going: false,
    over: false,
    mute: world.silent.has(set.inputs.image ?? ''),
    stays: false,
    answer: {
      phase: 'running',
      connections: 0,
      counts: countsOf(world),
      sysctls: {},
      config: world.config,
      ...(world.code === undefined ? {} : { code: world.code }),
    },
  });
}
