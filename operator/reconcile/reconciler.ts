import { API_VERSION } from '../api/crd.ts';
import { isOf } from '../api/names.ts';
import type { SocketServer, SocketServerStatus } from '../api/types.ts';
import { decide } from '../decide/decide.ts';
import { canonical } from '../decide/inputs.ts';
import type { Action } from '../decide/view.ts';
import { isNotFound, isUnacceptable } from '../kube/api-error.ts';
import { refOf } from '../kube/resources.ts';
import { Act, type Hands } from './act.ts';
import type { InnerSecrets } from './inner-secrets.ts';
import { log } from './log.ts';
import { ensureObjects, Foreign, type Marks } from './objects.ts';
import { type Eyes, observe, podsOf } from './observe.ts';
import { setView } from './pod-views.ts';
import { serverAt } from './servers.ts';
import { undoOf } from './undo.ts';

/** A status in which only numbers of connections are different is written this seldom. */
const COUNTS_MS = 15_000;

/** What the API server has refused is tried again after so long: a quota may have been raised. */
const REFUSED_MS = 60_000;

type Refusal = { readonly generation: number; readonly message: string; readonly at: number };

type Written = { readonly status: SocketServerStatus; readonly at: number };

/** Brings one server in order: look, decide, do, say. */
export class Reconciler {
  readonly #eyes: Eyes;
  readonly #hands: Hands;
  readonly #inner: InnerSecrets;
  /** What we have said last, by uid: our own copy of the objects may not have it yet. */
  readonly #said = new Map<string, Written>();
  readonly #uids = new Map<string, string>();
  /** By uid of the server. */
  readonly #marks = new Map<string, Marks>();
  /** What the API server said against a ReplicaSet, by uid of the server. */
  readonly #refusals = new Map<string, Refusal>();

  constructor(eyes: Eyes, hands: Hands, inner: InnerSecrets) {
    this.#eyes = eyes;
    this.#hands = hands;
    this.#inner = inner;
  }

  /**
   * @param key as of `keyOfServer`
   * @returns milliseconds until it wants to be looked at again, if nothing happens before
   * @throws {ApiError} if it should be tried again soon
   */
  async reconcile(key: string): Promise<number | undefined> {
    const found = serverAt(this.#eyes.watches, key);
    if (!found) {
      this.#forget(key);
      return undefined;
    }
    const server = this.#remembered(key, found);
    if (await this.#undo(server)) return undefined;
    const refused = (await this.#ensure(server)) ?? this.#refusedBefore(server);
    const observed = await observe(this.#eyes, server, refused);
    const decision = decide(observed);
    const pods = new Map(podsOf(this.#eyes.watches, server).map((pod) => [pod.metadata.name, pod]));
    const act = new Act(this.#hands, observed, pods);
    for (const action of decision.actions) {
      if (!(await this.#perform(act, action, server))) return 0;
    }
    await this.#say(server, decision.status);
    return refused === undefined
      ? decision.lookAgainMs
      : Math.min(decision.lookAgainMs, REFUSED_MS);
  }

  /** @returns false if the API server will not have it: then that is what there is to say of the server */
  async #perform(act: Act, action: Action, { metadata }: SocketServer): Promise<boolean> {
    try {
      await act.perform(action);
      return true;
    } catch (error) {
      if (action.do !== 'create-set' || !isRefusal(error)) throw error;
      const { uid = '', generation = 0 } = metadata;
      const { message } = error as Error;
      this.#refusals.set(uid, { generation, message, at: Date.now() });
      return false;
    }
  }

  #refusedBefore({ metadata }: SocketServer): string | undefined {
    const refusal = this.#refusals.get(metadata.uid ?? '');
    if (!refusal || refusal.generation !== metadata.generation) return undefined;
    return Date.now() - refusal.at < REFUSED_MS ? refusal.message : undefined;
  }

  /** With the status that we wrote last. */
  #remembered(key: string, server: SocketServer): SocketServer {
    const uid = server.metadata.uid ?? '';
    if (this.#uids.get(key) !== uid) this.#forget(key);
    this.#uids.set(key, uid);
    const said = this.#said.get(uid);
    return said ? { ...server, status: said.status } : server;
  }

  #forget(key: string): void {
    const uid = this.#uids.get(key);
    if (uid === undefined) return;
    this.#uids.delete(key);
    this.#said.delete(uid);
    this.#refusals.delete(uid);
    this.#marks.delete(uid);
    this.#hands.tokens.forget(uid);
    this.#eyes.peers.forget(uid);
  }

  #marksOf({ metadata: { uid = '' } }: SocketServer): Marks {
    const marks = this.#marks.get(uid) ?? new Map<string, string>();
    this.#marks.set(uid, marks);
    return marks;
  }

  async #ensure(server: SocketServer): Promise<string | undefined> {
    if (server.metadata.deletionTimestamp !== undefined) return undefined;
    try {
      // Pods mount these, so they are there before the pods are.
      await this.#hands.tokens.ensure(server, Date.now());
      await this.#ensureInner(server);
      await this.#eyes.peers.bring(server);
      return await ensureObjects(
        this.#hands.client,
        this.#eyes.watches,
        server,
        this.#marksOf(server),
      );
    } catch (error) {
      if (error instanceof Foreign) return error.message;
      throw error;
    }
  }

  #ensureInner(server: SocketServer): Promise<void> {
    const pods = podsOf(this.#eyes.watches, server);
    const waiting = pods.some(({ status }) => status?.phase === 'Pending');
    return this.#inner.ensure(server.metadata.namespace ?? '', Date.now(), waiting);
  }

  /** @returns whether the server was changed: then its next version is on its way */
  async #undo(server: SocketServer): Promise<boolean> {
    const sets = [...this.#eyes.watches.sets.store.values()]
      .filter((set) => isOf(set, server))
      .map(setView);
    const undo = undoOf(server, sets);
    if (undo.is === 'nothing') return false;
    await this.#hands.client.patch(refOf(server), undo.patch);
    const type = undo.is === 'patch' ? 'Normal' : 'Warning';
    this.#hands.recorder.note(server, type, 'Undo', undo.message, 'Undo');
    return true;
  }

  async #say(server: SocketServer, status: SocketServerStatus): Promise<void> {
    const uid = server.metadata.uid ?? '';
    const said = this.#said.get(uid);
    const before = said?.status ?? server.status;
    const now = Date.now();
    if (before && canonical(before) === canonical(status)) return;
    if (said && now - said.at < COUNTS_MS && sameBesideCounts(said.status, status)) return;
    const { name, namespace, uid: id } = server.metadata;
    const object = {
      apiVersion: API_VERSION,
      kind: server.kind,
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(id === undefined ? {} : { uid: id }),
      },
      status,
    };
    try {
      await this.#hands.client.apply(object, { subresource: 'status' });
      this.#said.set(uid, { status, at: now });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      log.info('gone before its status was written', { server: refOf(object).name });
    }
  }
}

const isRefusal = (error: unknown): boolean => error instanceof Foreign || isUnacceptable(error);

function sameBesideCounts(a: SocketServerStatus, b: SocketServerStatus): boolean {
  const plain = ({ connections: _, pods, conditions, ...rest }: SocketServerStatus) =>
    canonical([
      rest,
      pods.map(({ connections: __, ...pod }) => pod),
      conditions.map(({ type, status, reason }) => [type, status, reason]),
    ]);
  return plain(a) === plain(b);
}
