import type { Pod } from '../api/meta.ts';
import { isOf } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import type { Observed } from '../decide/view.ts';
import { type PodAdmin, PodError } from '../kube/pods.ts';
import { factsOf } from './cluster-facts.ts';
import { digest } from './digest.ts';
import type { PeerBook } from './peer-book.ts';
import { sourcesOf } from './peer-sources.ts';
import { type Asked, podView, setView } from './pod-views.ts';
import type { Reports } from './reports.ts';
import { elsewhereOf } from './servers.ts';
import type { Tokens } from './tokens.ts';
import type { Watches } from './watches.ts';

/** Everything there is to see of a server, at this moment. */

export type Eyes = {
  readonly watches: Watches;
  readonly admin: PodAdmin;
  readonly tokens: Tokens;
  readonly reports: Reports;
  readonly peers: PeerBook;
  /** 36 for Kubernetes 1.36. */
  readonly serverMinor: number;
};

/** @param refused what the API server said against the server's objects */
export async function observe(
  eyes: Eyes,
  server: SocketServer,
  refused: string | undefined,
): Promise<Observed> {
  const { watches } = eyes;
  const namespace = server.metadata.namespace ?? '';
  const pods = podsOf(watches, server);
  const now = Date.now();
  const waiting = pods.some(({ status }) => status?.phase === 'Pending');
  const tokens = pods.length > 0 ? await eyes.tokens.of(server, now, waiting) : [];
  const views = await Promise.all(
    pods.map(async (pod) => {
      const node = watches.nodes.store.get(`/${pod.spec?.nodeName}`);
      return podView(pod, await ask(eyes, server, pod, tokens), node);
    }),
  );
  const { code: from } = server.spec;
  const code = from && watches.codeOf(namespace, from.configMap);
  const missing = from && code === undefined ? [`ConfigMap ${from.configMap}`] : [];
  const elsewhere = elsewhereOf(watches, server);
  const place = watches.namespaces.store.get(`/${namespace}`);
  return {
    server,
    sets: [...watches.sets.store.values()].filter((set) => isOf(set, server)).map(setView),
    pods: views,
    ...(code === undefined ? {} : { code }),
    config: digest(server.spec.config),
    missing,
    ...(refused === undefined ? {} : { refused }),
    ...(elsewhere === undefined ? {} : { elsewhere }),
    peers: { sources: sourcesOf(eyes, server), now: eyes.peers.of(server) },
    cluster: factsOf(eyes.serverMinor, watches.nodes.store.values(), place),
    now: Date.now(),
  };
}

/** The pods of a server, those that are on their way out included. */
export function podsOf(watches: Watches, server: SocketServer): Pod[] {
  return [...watches.pods.store.values()].filter((pod) => isOf(pod, server));
}

async function ask(
  { admin, tokens: all, reports }: Eyes,
  server: SocketServer,
  { metadata, status }: Pod,
  tokens: readonly string[],
): Promise<Asked> {
  if (status?.podIP === undefined || status.phase !== 'Running') return {};
  const uid = metadata.uid ?? '';
  try {
    return { report: reports.keep(uid, await admin.status(status.podIP, tokens)) };
  } catch (error) {
    if (!(error instanceof PodError)) throw error;
    if (error.kind === 'unauthorized') all.doubt(server);
    return { ...reports.last(uid), silence: `admin port ${error.kind}: ${error.message}` };
  }
}
