import { complete } from '../../operator/api/defaults.ts';
import type { SocketServer, SocketServerSpec } from '../../operator/api/types.ts';
import { type Decision, decide } from '../../operator/decide/decide.ts';
import { inputsOf } from '../../operator/decide/inputs.ts';
import type { Action, Observed, PodView, SetView } from '../../operator/decide/view.ts';
import { pictureOf, wordsOf } from './action-words.ts';
import { FACTS, serverOf } from './servers.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Pod = Mutable<PodView> & {
  connections: number;
  code: string | undefined;
  config: string;
  bornAt: number;
};

/** Seconds until a pod is ready, if its image can be. */
const START = 2;

/**
 * A cluster of one server without a cluster: ReplicaSets make pods, pods become ready, drain and end, clients come back
 * where the Service sends them. Time goes in steps of a second, and after each the operator decides and is obeyed.
 */
export class ServerWorld {
  now: number = 1_800_000_000_000;
  server: SocketServer;
  readonly sets: Map<string, Mutable<SetView>> = new Map();
  readonly pods: Map<string, Pod> = new Map();
  readonly events: string[] = [];
  /** Every action, with its second. */
  readonly log: string[] = [];
  code: string | undefined = undefined;
  config = 'c1';
  /** Images whose pods never become ready. */
  readonly broken: Set<string> = new Set();
  /** Code that does not load. */
  readonly badCode: Set<string> = new Set();
  /** How often each client has connected. */
  readonly clients: { pod: string | undefined; connects: number; away: number }[] = [];
  decision: Decision | undefined = undefined;
  /** Called after each step; for laws. */
  check: (world: ServerWorld) => void = () => {};
  readonly #startedAt = this.now;
  #names = 0;
  #random: () => number;

  constructor(
    spec: Partial<Record<keyof SocketServerSpec, unknown>>,
    random: () => number = () => 0.5,
  ) {
    this.server = serverOf(spec);
    this.#random = random;
  }

  edit(spec: Partial<Record<keyof SocketServerSpec, unknown>>): void {
    const generation = (this.server.metadata.generation ?? 0) + 1;
    this.server = complete({
      ...this.server,
      metadata: { ...this.server.metadata, generation },
      spec: { ...this.server.spec, ...spec } as SocketServerSpec,
    });
  }

  annotate(key: string, value: string): void {
    const annotations = { ...this.server.metadata.annotations, [key]: value };
    this.server = { ...this.server, metadata: { ...this.server.metadata, annotations } };
  }

  /** So many clients come, and come back from then on. */
  come(count: number): void {
    for (let i = 0; i < count; i += 1) this.clients.push({ pod: undefined, connects: 0, away: 0 });
  }

  get seconds(): number {
    return Math.round((this.now - this.#startedAt) / 1000);
  }

  observed(): Observed {
    return {
      server: this.server,
      sets: [...this.sets.values()],
      pods: [...this.pods.values()].map((pod) => this.#view(pod)),
      ...(this.code === undefined ? {} : { code: this.code }),
      config: this.config,
      missing: [],
      cluster: FACTS,
      now: this.now,
    };
  }

  #view({ connections, code, config, bornAt: _, ...pod }: Pod): PodView {
    const answer = {
      phase: 'running',
      counts: {},
      sysctls: {},
      ...pod.answer,
      connections,
      config,
      ...(code === undefined ? {} : { code }),
    };
    return { ...pod, answer } as PodView;
  }

  /** One second: the cluster does its part, then the operator. */
  step({ operator = true }: { operator?: boolean } = {}): void {
    this.now += 1000;
    for (const pod of [...this.pods.values()]) this.#live(pod);
    for (const set of this.sets.values()) this.#control(set);
    for (const client of this.clients) this.#connect(client);
    if (operator) this.#decide();
    this.check(this);
  }

  run(seconds: number): void {
    for (let i = 0; i < seconds; i += 1) this.step();
  }

  /** Until nothing is left to do. @throws after so many seconds */
  settle(most = 2000): number {
    const from = this.seconds;
    do {
      this.step();
      if (this.seconds - from > most)
        throw new Error(`not settled after ${most} s:\n${pictureOf(this)}`);
    } while (
      this.decision?.status.conditions.find(({ type }) => type === 'Ready')?.status !== 'True'
    );
    return this.seconds - from;
  }

  #decide(): void {
    const before = this.observed();
    this.decision = decide(before);
    for (const action of this.decision.actions) this.#act(action);
    this.server = { ...this.server, status: this.decision.status };
  }

  #live(pod: Pod): void {
    if (pod.terminating && pod.drainSince === undefined) pod.drainSince = this.now;
    const image = this.sets.get(pod.revision)?.inputs.image ?? '';
    if (
      !pod.ready &&
      pod.answer?.phase !== 'held' &&
      this.now - pod.bornAt >= START * 1000 &&
      !this.broken.has(image)
    ) {
      pod.ready = true;
      pod.since = this.now;
    }
    if (pod.drainSince !== undefined) this.#drain(pod);
    if (pod.terminating && pod.connections === 0) this.pods.delete(pod.name);
  }

  /** Its connections go evenly over the window. */
  #drain(pod: Pod): void {
    const { propagationSeconds, windowSeconds } = this.server.spec.drain;
    const passed = (this.now - (pod.drainSince ?? 0)) / 1000 - propagationSeconds;
    const left = Math.max(0, windowSeconds - passed);
    if (passed < 0) return;
    if (pod.ready) {
      pod.ready = false;
      pod.since = this.now;
    }
    const closes = left <= 0 ? pod.connections : Math.ceil(pod.connections / (left + 1));
    const own = this.clients.filter(({ pod: name }) => name === pod.name);
    for (const client of own.slice(0, closes)) {
      client.pod = undefined;
      client.away = 1 + Math.floor(this.#random() * 3);
      pod.connections -= 1;
    }
  }

  #connect(client: { pod: string | undefined; connects: number; away: number }): void {
    if (client.pod !== undefined) return;
    client.away -= 1;
    if (client.away > 0) return;
    const open = [...this.pods.values()].filter((pod) => pod.open && pod.ready && !pod.terminating);
    const pod = open[Math.floor(this.#random() * open.length)];
    if (!pod) return;
    client.pod = pod.name;
    client.connects += 1;
    pod.connections += 1;
  }

  /** A ReplicaSet controller: unready ones go first, then by cost. */
  #control(set: Mutable<SetView>): void {
    const own = [...this.pods.values()].filter(
      (pod) => pod.revision === set.revision && !pod.terminating,
    );
    for (let i = own.length; i < set.replicas; i += 1) this.#make(set);
    const order = [...own].sort(
      (a, b) => Number(a.ready) - Number(b.ready) || Number(b.going) - Number(a.going),
    );
    for (const pod of order.slice(0, Math.max(0, own.length - set.replicas))) {
      pod.terminating = true;
      if (pod.connections === 0) this.pods.delete(pod.name);
    }
  }

  #make(set: SetView): void {
    this.#names += 1;
    const name = `p${this.#names}`;
    this.pods.set(name, {
      name,
      revision: set.revision,
      ready: false,
      since: this.now,
      createdAt: this.now,
      bornAt: this.now,
      terminating: false,
      open: true,
      going: false,
      over: false,
      connections: 0,
      code: this.code,
      config: this.config,
      answer: { phase: 'running', connections: 0, counts: {}, sysctls: {} },
    });
  }

  #act(action: Action): void {
    this.log.push(`${this.seconds} ${wordsOf(action)}`);
    const pod = 'pod' in action ? this.pods.get(action.pod) : undefined;
    switch (action.do) {
      case 'create-set':
        this.sets.set(action.revision, {
          name: action.revision,
          revision: action.revision,
          number: action.number,
          replicas: action.replicas,
          inputs: inputsOf(this.server.spec),
          skipped: {},
        });
        break;
      case 'scale-set': {
        const set = this.sets.get(action.set);
        if (set) set.replicas = action.replicas;
        break;
      }
      case 'delete-set':
        this.sets.delete(action.set);
        break;
      case 'event':
        this.events.push(`${action.reason}: ${action.message}`);
        break;
      default:
        if (pod) this.#onPod(pod, action);
    }
  }

  #onPod(pod: Pod, action: Action): void {
    const answer = pod.answer ?? { phase: 'running', connections: 0, counts: {}, sysctls: {} };
    switch (action.do) {
      case 'open':
      case 'close':
        pod.open = action.do === 'open';
        break;
      case 'mark':
        pod.going = action.going;
        break;
      case 'drain':
        pod.drainSince ??= this.now;
        pod.answer = { ...answer, phase: 'held' };
        break;
      case 'undrain':
        delete pod.drainSince;
        pod.going = false;
        pod.bornAt = this.now;
        pod.answer = { ...answer, phase: 'running' };
        break;
      case 'adopt':
        pod.reloadedFor = action.want;
        break;
      case 'config':
        pod.config = this.config;
        break;
      case 'reload': {
        const bad = this.code !== undefined && this.badCode.has(this.code);
        pod.reloadedFor = action.want;
        if (!bad) pod.code = this.code;
        pod.answer = {
          ...answer,
          counts: bad ? answer.counts : this.#counts(),
          reload: bad ? { state: 'failed', reason: 'syntax error' } : { state: 'done' },
        };
        break;
      }
      default:
        break;
    }
  }

  #counts(): Record<string, number> {
    return Object.fromEntries(
      this.server.spec.workers.map(({ name, count }) => [name, count ?? 1]),
    );
  }
}
