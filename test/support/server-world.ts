import { complete } from '../../operator/api/defaults.ts';
import type { SocketServer, SocketServerSpec } from '../../operator/api/types.ts';
import { type Decision, decide } from '../../operator/decide/decide.ts';
import type { ClusterFacts } from '../../operator/decide/tuning.ts';
import type { Action, Observed, PeerSources, Peers } from '../../operator/decide/view.ts';
import { pictureOf, wordsOf } from './action-words.ts';
import { act } from './server-hands.ts';
import {
  type Client,
  connect,
  control,
  live,
  viewOf,
  type WorldPod,
  type WorldSet,
} from './server-pods.ts';
import { FACTS, serverOf } from './servers.ts';

const OF_PODS: readonly string[] = ['drain', 'undrain', 'reload', 'adopt', 'config', 'peers'];

/** The fields of a spec that a test sets. */
export type SpecPart = Partial<Record<keyof SocketServerSpec, unknown>>;

/**
 * A cluster of one server without a cluster: ReplicaSets make pods, pods become ready, drain and end, clients come back
 * where the Service sends them. Time goes in steps of a second, and after each the operator decides and is obeyed.
 */
export class ServerWorld {
  now: number = 1_800_000_000_000;
  server: SocketServer;
  readonly sets: Map<string, WorldSet> = new Map();
  readonly pods: Map<string, WorldPod> = new Map();
  /** Every action, with its second. */
  readonly log: string[] = [];
  code: string | undefined = undefined;
  config = 'c1';
  cluster: ClusterFacts = FACTS;
  missing: readonly string[] = [];
  refused: string | undefined = undefined;
  elsewhere: string | undefined = undefined;
  peers: { sources: PeerSources; now: Peers | undefined } | undefined = undefined;
  /** Images whose pods never become ready, with the reason. */
  readonly broken: Map<string, string> = new Map();
  /** Images whose pods' admin ports never answer. */
  readonly silent: Set<string> = new Set();
  /** Pods that the namespace may have. */
  quota: number = Number.POSITIVE_INFINITY;
  /** The Workers that the program has; without it all that the spec names. */
  program: readonly string[] | undefined = undefined;
  /** Code that does not load. */
  readonly badCode: Set<string> = new Set();
  /** How often each client has connected. */
  readonly clients: Client[] = [];
  decision: Decision | undefined = undefined;
  /** The operator's turn. */
  operator: (world: ServerWorld) => void = (world) => world.operate(world.observed());
  /** Called after each step; for laws. */
  check: (world: ServerWorld) => void = () => {};
  readonly random: () => number;
  readonly #startedAt = this.now;
  #names = 0;

  constructor(spec: SpecPart, random: () => number = () => 0.5) {
    this.server = serverOf(spec);
    this.random = random;
  }

  edit(spec: SpecPart): void {
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

  newName(): string {
    this.#names += 1;
    return `p${this.#names}`;
  }

  get seconds(): number {
    return Math.round((this.now - this.#startedAt) / 1000);
  }

  observed(): Observed {
    return {
      server: this.server,
      sets: [...this.sets.values()].map((set) => ({ ...set })),
      pods: [...this.pods.values()].map(viewOf),
      ...(this.code === undefined ? {} : { code: this.code }),
      config: this.config,
      missing: this.missing,
      ...(this.refused === undefined ? {} : { refused: this.refused }),
      ...(this.elsewhere === undefined ? {} : { elsewhere: this.elsewhere }),
      ...(this.peers === undefined ? {} : { peers: this.peers }),
      cluster: this.cluster,
      now: this.now,
    };
  }

  /** One second: the cluster does its part, then the operator. */
  step(): void {
    this.now += 1000;
    for (const pod of [...this.pods.values()]) live(this, pod);
    for (const set of this.sets.values()) control(this, set);
    for (const client of this.clients) connect(this, client);
    this.operator(this);
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
    } while (!this.isSettled);
    return this.seconds - from;
  }

  get isSettled(): boolean {
    const conditions = this.decision?.status.conditions ?? [];
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  }

  /**
   * Decides from a view, does it and says it.
   *
   * @param fails what is not done: a pod that does not listen is passed over, an API server that fails ends the turn
   */
  operate(view: Observed, fails: (action: Action) => boolean = () => false): void {
    this.decision = decide(view);
    for (const action of this.decision.actions) {
      if (fails(action)) {
        if (OF_PODS.includes(action.do)) continue;
        return;
      }
      this.log.push(`${this.seconds} ${wordsOf(action, this)}`);
      act(this, action);
    }
    this.server = { ...this.server, status: this.decision.status };
  }
}
