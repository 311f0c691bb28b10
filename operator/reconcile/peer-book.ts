import type { Pod } from '../api/meta.ts';
import { isOf, namesOf, PEERS_KEY } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { nextPeers } from '../decide/peers.ts';
import type { Peers } from '../decide/view.ts';
import { peersMap } from '../desired/peers-map.ts';
import type { Client } from '../kube/client.ts';
import { type PodAdmin, PodError } from '../kube/pods.ts';
import { log } from './log.ts';
import { ensure, type Marks } from './objects.ts';
import { sourcesOf } from './peer-sources.ts';
import type { Reports } from './reports.ts';
import { keyOfServer } from './servers.ts';
import type { Tokens } from './tokens.ts';
import type { Watches } from './watches.ts';

/** After this a pod that did not take its list is tried again. */
const AGAIN_MS = 1000;

type Page = {
  peers: Peers | undefined;
  /** Pods that have not taken the newest list, by uid. */
  owing: ReadonlySet<string>;
  readonly marks: Marks;
  /** One change after the other. */
  turn: Promise<unknown>;
};

export type BookTools = {
  readonly client: Client;
  readonly admin: PodAdmin;
  readonly tokens: Tokens;
  readonly watches: Watches;
  readonly reports: Reports;
};

/**
 * The lists of peers, each as it was written last. A change goes into the ConfigMap first and to all running pods of the
 * server right after; a pod that missed it says so in its status, and gets it with the next look.
 */
export class PeerBook {
  readonly #tools: BookTools;
  /** By uid of the server. */
  readonly #pages = new Map<string, Page>();

  constructor(tools: BookTools) {
    this.#tools = tools;
  }

  /** The newest list; `undefined` for a server that never had one. */
  of({ metadata }: SocketServer): Peers | undefined {
    return this.#pages.get(metadata.uid ?? '')?.peers;
  }

  /**
   * Writes the list if it has changed.
   *
   * @throws {ApiError}
   * @throws {Foreign} if somebody else's ConfigMap has the name
   */
  bring(server: SocketServer): Promise<void> {
    const page = this.#page(server);
    const turn = page.turn.then(() => this.#write(server, page));
    page.turn = turn.catch(() => undefined);
    return turn.then(() => undefined);
  }

  /**
   * Writes the list if it has changed, and gives it to all running pods.
   *
   * @returns milliseconds until it wants to be called again; `undefined` if all have it
   * @throws as `bring`
   */
  push(server: SocketServer): Promise<number | undefined> {
    const page = this.#page(server);
    const turn = page.turn.then(() => this.#spread(server, page));
    page.turn = turn.catch(() => undefined);
    return turn;
  }

  forget(uid: string): void {
    this.#pages.delete(uid);
  }

  #page({ metadata: { uid = '' } }: SocketServer): Page {
    const known = this.#pages.get(uid);
    if (known) return known;
    const page: Page = {
      peers: undefined,
      owing: new Set(),
      marks: new Map(),
      turn: Promise.resolve(),
    };
    this.#pages.set(uid, page);
    return page;
  }

  /** @returns whether it is another list than before */
  async #write(server: SocketServer, page: Page): Promise<boolean> {
    const { client, watches } = this.#tools;
    const before = newest(page.peers, this.#stored(server));
    const heard = Math.max(0, ...this.#pods(server).map((pod) => this.#heard(pod)));
    const next = nextPeers(before, sourcesOf(this.#tools, server), heard);
    if (!next) return false;
    await ensure(client, watches, peersMap(server, next), page.marks);
    page.peers = next;
    return next !== before;
  }

  async #spread(server: SocketServer, page: Page): Promise<number | undefined> {
    const changed = await this.#write(server, page);
    const { peers } = page;
    if (!peers) return undefined;
    const running = this.#pods(server).filter(({ status }) => status?.phase === 'Running');
    const due = changed
      ? running
      : running.filter(({ metadata }) => page.owing.has(metadata.uid ?? ''));
    if (changed)
      log.info('peers', { server: keyOfServer(server), version: peers.version, pods: due.length });
    if (due.length === 0) return undefined;
    const tokens = await this.#tools.tokens.of(server, Date.now());
    const left = await Promise.all(due.map((pod) => this.#give(pod, tokens, peers)));
    page.owing = new Set(left.flatMap((each) => each ?? []));
    return page.owing.size > 0 ? AGAIN_MS : undefined;
  }

  /** @returns the pod's uid if it should be tried again; one that is not ready is left to the next look */
  async #give(
    { metadata, status }: Pod,
    tokens: readonly string[],
    peers: Peers,
  ): Promise<string | undefined> {
    if (status?.podIP === undefined) return undefined;
    try {
      await this.#tools.admin.peers(status.podIP, tokens, peers);
      return undefined;
    } catch (error) {
      if (!(error instanceof PodError)) throw error;
      const ready = status.conditions?.some(
        ({ type, status: is }) => type === 'Ready' && is === 'True',
      );
      return ready && error.kind === 'unreachable' ? metadata.uid : undefined;
    }
  }

  #pods(server: SocketServer): Pod[] {
    return [...this.#tools.watches.pods.store.values()].filter((pod) => isOf(pod, server));
  }

  #heard({ metadata }: Pod): number {
    return this.#tools.reports.last(metadata.uid ?? '').report?.peers ?? 0;
  }

  #stored(server: SocketServer): Peers | undefined {
    const { namespace } = server.metadata;
    const text = this.#tools.watches.configMaps.store.get(`${namespace}/${namesOf(server).peers}`)
      ?.data?.[PEERS_KEY];
    return text === undefined ? undefined : read(text);
  }
}

/** Somebody may have edited it. */
function read(text: string): Peers | undefined {
  try {
    const value = JSON.parse(text) as Peers;
    const isList = (each: unknown) => each === undefined || Array.isArray(each);
    const good =
      Number.isSafeInteger(value.version) && isList(value.channel) && isList(value.gateway);
    return good ? value : undefined;
  } catch {
    return undefined;
  }
}

function newest(a: Peers | undefined, b: Peers | undefined): Peers | undefined {
  return a && b ? (b.version > a.version ? b : a) : (a ?? b);
}
