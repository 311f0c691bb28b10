import { CHANNEL_PORT } from '../../src/contract.ts';
import { conditionOf, type Finding, no, yes } from '../api/conditions.ts';
import { canonical } from './inputs.ts';
import type { Action, Member, Observed, PeerPod, PeerSource, PeerSources, Peers } from './view.ts';

/**
 * Where the servers are that a server's programs may use. Pure.
 *
 * A list is a function of what is seen, and has a version that only grows: a pod keeps the newest that it was given. It
 * is written into a ConfigMap before any pod gets it, so that no two lists ever have the same version.
 */

/**
 * The list as it should be now.
 *
 * @param before the newest known one
 * @param heard the greatest version that a pod has; greater than ours where somebody has removed the ConfigMap
 * @returns `before` itself if nothing has changed; `undefined` if the server has no use for peers and never had
 */
export function nextPeers(
  before: Peers | undefined,
  sources: PeerSources,
  heard: number,
): Peers | undefined {
  const { channel, gateway } = sources;
  if (!channel && !gateway && !before) return undefined;
  const lists = {
    ...(channel ? { channel: membersOf(channel, channelMember) } : {}),
    ...(gateway ? { gateway: membersOf(gateway, gatewayMembers(before?.gateway ?? [])) } : {}),
  };
  const { version = 0, ...old } = before ?? {};
  if (before && version >= heard && canonical(old) === canonical(lists)) return before;
  return { version: Math.max(version, heard) + 1, ...lists };
}

/** In the order of their ids, so that the same members are the same list. */
function membersOf(source: PeerSource, of: (pod: PeerPod) => Member[]): Member[] {
  if (source.is === 'missing') return [];
  const members =
    source.is === 'addresses'
      ? source.addresses.map((address) => ({ id: address, address }))
      : source.pods.flatMap(of);
  return members.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** One that takes connections, and will. */
function channelMember({ name, ip, ready, leaving, over }: PeerPod): Member[] {
  if (ip === undefined || !ready || leaving || over) return [];
  return [{ id: name, address: `${hostOf(ip)}:${CHANNEL_PORT}` }];
}

/**
 * All gateways of a pod that runs, also while it drains: they have clients until the end. A pod that this operator has
 * not heard yet has those that it had.
 */
const gatewayMembers =
  (before: readonly Member[]) =>
  ({ name, ip, over, gateways }: PeerPod): Member[] => {
    if (ip === undefined || over) return [];
    if (!gateways) return before.filter(({ id }) => id.startsWith(`${name}/`));
    return [...new Set(gateways)].flatMap((address) => {
      const [, host = '', port] = /^(?:tcp:\/\/)?(.*):(\d+)$/.exec(address) ?? [];
      if (port === undefined) return [];
      const real = ANYWHERE.includes(host) ? hostOf(ip) : host;
      return [{ id: `${name}/${port}`, address: `${real}:${port}` }];
    });
  };

const ANYWHERE: readonly string[] = ['0.0.0.0', '[::]', '::', '*', ''];

const hostOf = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);

/** Pods that have an older list than there is. */
export function peerActions({ peers, pods }: Observed): Action[] {
  const { now } = peers ?? {};
  if (!now) return [];
  return pods
    .filter(({ over, answer }) => !over && answer && (answer.peers ?? -1) < now.version)
    .map(({ name }) => ({ do: 'peers', pod: name }));
}

/**
 * Whether it is known where the referenced servers are; nothing for a server that refers to none.
 *
 * An object that is not there is `Missing` as long as it was never there, and `Gone` afterwards: only the first keeps the
 * server from being Ready.
 */
export function peersKnown({ peers, server }: Observed): Finding[] {
  const { channel, gateway } = peers?.sources ?? {};
  const sources = [channel, gateway].filter((each) => each !== undefined);
  if (!peers || sources.length === 0) return [];
  const missing = sources.find(({ is }) => is === 'missing');
  if (missing) {
    const before = conditionOf(server.status?.conditions, 'PeersKnown');
    const message = `${missing.what} does not exist; it is looked for again when it is made`;
    return before && before.reason !== 'Missing'
      ? [no('PeersKnown', 'Gone', message)]
      : [no('PeersKnown', 'Missing', message)];
  }
  const { now } = peers;
  if (channel && now?.channel?.length === 0)
    return [no('PeersKnown', 'NoMembers', `${channel.what} has no pod that takes connections`)];
  if (gateway && now?.gateway?.length === 0)
    return [no('PeersKnown', 'NoMembers', `no pod of ${gateway.what} says that it has gateways`)];
  const words = [
    ...(channel ? [`${now?.channel?.length} of ${channel.what}`] : []),
    ...(gateway ? [`${now?.gateway?.length} gateways of ${gateway.what}`] : []),
  ];
  return [yes('PeersKnown', 'Known', words.join(', '))];
}
