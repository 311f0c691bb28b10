import type { KubeObject, Pod } from '../api/meta.ts';
import { ANNOTATION, GOING, LABEL } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { graceSeconds } from '../decide/amounts.ts';
import { inputsOf } from '../decide/inputs.ts';
import { tuningOf } from '../decide/tuning.ts';
import type { Action, ObjectAction, Observed, PodAction } from '../decide/view.ts';
import { overridesOf } from '../desired/config-maps.ts';
import { replicaSet } from '../desired/replica-set.ts';
import { isAlreadyExists, isNotFound } from '../kube/api-error.ts';
import type { Client } from '../kube/client.ts';
import type { Recorder } from '../kube/events.ts';
import { type PodAdmin, PodError } from '../kube/pods.ts';
import { resources } from '../kube/resources.ts';
import { log } from './log.ts';
import { Foreign } from './objects.ts';
import type { Tokens } from './tokens.ts';

/** Does what was decided. What a pod does not do now is decided again next time. */

export type Hands = {
  readonly client: Client;
  readonly admin: PodAdmin;
  readonly tokens: Tokens;
  readonly recorder: Recorder;
};

type On<D extends Action['do']> = Extract<Action, { do: D }>;

export class Act {
  readonly #hands: Hands;
  readonly #observed: Observed;
  readonly #pods: ReadonlyMap<string, Pod>;

  /** @param pods by name */
  constructor(hands: Hands, observed: Observed, pods: ReadonlyMap<string, Pod>) {
    this.#hands = hands;
    this.#observed = observed;
    this.#pods = pods;
  }

  get #server(): SocketServer {
    return this.#observed.server;
  }

  /** @throws {ApiError} */
  async perform(action: Action): Promise<void> {
    const { name, namespace } = this.#server.metadata;
    if (action.do !== 'event') log.info('action', { server: `${namespace}/${name}`, ...action });
    try {
      await this.#perform(action);
    } catch (error) {
      if (error instanceof PodError)
        log.warn('pod did not', {
          server: `${namespace}/${name}`,
          ...action,
          error: error.message,
        });
      // What is gone needs nothing done to it.
      else if (!isNotFound(error)) throw error;
    }
  }

  #perform(action: Action): Promise<unknown> {
    return isPodAction(action) ? this.#onPod(action) : this.#onObject(action);
  }

  #onObject(action: ObjectAction): Promise<unknown> {
    switch (action.do) {
      case 'create-set':
        return this.#createSet(action);
      case 'scale-set':
        return this.#patch('ReplicaSet', action.set, { spec: { replicas: action.replicas } });
      case 'number-set':
        return this.#patch('ReplicaSet', action.set, {
          metadata: { annotations: { [ANNOTATION.number]: String(action.number) } },
        });
      case 'delete-set':
        return this.#hands.client.remove(this.#ref('ReplicaSet', action.set), {
          propagation: 'Background',
        });
      case 'open':
      case 'close':
        return this.#patch('Pod', action.pod, {
          metadata: { labels: { [LABEL.open]: String(action.do === 'open') } },
        });
      case 'mark':
        return this.#annotate(action.pod, {
          [ANNOTATION.cost]: action.going ? String(GOING) : null,
        });
      case 'event':
        return Promise.resolve(this.#note(action));
    }
  }

  #onPod(action: PodAction): Promise<unknown> {
    switch (action.do) {
      case 'drain':
        return this.#drain(action.pod);
      case 'undrain':
        return this.#undrain(action.pod);
      case 'reload':
        return this.#reload(action);
      case 'adopt':
        return this.#annotate(action.pod, { [ANNOTATION.reloaded]: action.want });
      case 'peers':
        return this.#peers(action.pod);
      case 'config':
        return this.#ask(action.pod, (ip, tokens) =>
          this.#hands.admin.config(ip, tokens, this.#server.spec.config),
        );
    }
  }

  async #createSet({ revision, number, replicas }: On<'create-set'>): Promise<void> {
    const { spec } = this.#server;
    const tuning = tuningOf(spec.tuning, this.#observed.cluster);
    const set = replicaSet(this.#server, {
      revision,
      number,
      replicas,
      inputs: inputsOf(spec),
      skipped: tuning.skipped,
      tuning,
      graceSeconds: graceSeconds(spec.drain),
    });
    await this.#hands.client.create(set as KubeObject).catch(async (error) => {
      // Our own copy may not have it yet.
      if (!isAlreadyExists(error) || !(await this.#isOurs(set))) throw error;
    });
  }

  /** @throws {Foreign} if it is somebody else's, and here to stay */
  async #isOurs(set: KubeObject): Promise<boolean> {
    const { client } = this.#hands;
    const real = await client.get<KubeObject>(this.#ref('ReplicaSet', set.metadata.name));
    const { ownerReferences, deletionTimestamp } = real.metadata;
    if (ownerReferences?.some(({ uid }) => uid === this.#server.metadata.uid)) return true;
    if (deletionTimestamp === undefined) throw new Foreign(set);
    return false;
  }

  /** Written down first: whoever takes over after a crash knows that it has begun, and when. */
  async #drain(pod: string): Promise<void> {
    const begun = this.#pods.get(pod)?.metadata.annotations?.[ANNOTATION.drain];
    if (begun === undefined)
      await this.#annotate(pod, { [ANNOTATION.drain]: new Date().toISOString() });
    const { propagationSeconds, windowSeconds } = this.#server.spec.drain;
    await this.#ask(pod, (ip, tokens) =>
      this.#hands.admin.drain(ip, tokens, { propagationSeconds, windowSeconds }),
    );
  }

  async #undrain(pod: string): Promise<void> {
    await this.#ask(pod, (ip, tokens) => this.#hands.admin.undrain(ip, tokens));
    await this.#annotate(pod, { [ANNOTATION.drain]: null, [ANNOTATION.cost]: null });
  }

  /**
   * The kubelet looks at a pod at once when an annotation of it changes, and with that brings mounted files up to date.
   * Until then the pod answers that it has other code, and is asked again.
   */
  async #reload({ pod, want }: On<'reload'>): Promise<void> {
    const { code } = this.#observed;
    const told = this.#pods.get(pod)?.metadata.annotations?.[ANNOTATION.code];
    if (code !== undefined && told !== code) await this.#annotate(pod, { [ANNOTATION.code]: code });
    await this.#ask(pod, (ip, tokens) =>
      this.#hands.admin.reload(ip, tokens, {
        ...(code === undefined ? {} : { code }),
        workers: overridesOf(this.#server),
      }),
    );
    await this.#annotate(pod, { [ANNOTATION.reloaded]: want });
  }

  async #peers(pod: string): Promise<void> {
    const { now } = this.#observed.peers ?? {};
    if (now) await this.#ask(pod, (ip, tokens) => this.#hands.admin.peers(ip, tokens, now));
  }

  #note({ type, reason, message }: On<'event'>): void {
    this.#hands.recorder.note(this.#server, type, reason, message, 'Reconcile');
  }

  async #ask(
    name: string,
    call: (ip: string, tokens: readonly string[]) => Promise<unknown>,
  ): Promise<void> {
    const ip = this.#pods.get(name)?.status?.podIP;
    if (ip === undefined) throw new PodError('unreachable', 'it has no address');
    await call(ip, await this.#hands.tokens.of(this.#server, Date.now()));
  }

  #annotate(pod: string, annotations: Readonly<Record<string, string | null>>): Promise<unknown> {
    return this.#patch('Pod', pod, { metadata: { annotations } });
  }

  #patch(kind: 'Pod' | 'ReplicaSet', name: string, patch: object): Promise<unknown> {
    return this.#hands.client.patch(this.#ref(kind, name), patch);
  }

  #ref(kind: 'Pod' | 'ReplicaSet', name: string) {
    return { resource: resources[kind], namespace: this.#server.metadata.namespace, name };
  }
}

const POD_ACTIONS: readonly string[] = ['drain', 'undrain', 'reload', 'adopt', 'config', 'peers'];

function isPodAction(action: Action): action is PodAction {
  return POD_ACTIONS.includes(action.do);
}
