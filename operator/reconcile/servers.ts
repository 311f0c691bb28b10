import { complete } from '../api/defaults.ts';
import type { KubeObject } from '../api/meta.ts';
import { CHANNEL_SUFFIX, isChannel, LABEL } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { channelAsServer } from '../desired/channel.ts';
import type { Watches } from './watches.ts';

/** The servers of both kinds, as one. Their keys in the queues are `namespace/name` and `namespace/ChannelServer:name`. */

const CHANNEL = 'ChannelServer:';

type Stores = {
  readonly servers: Pick<Watches['servers'], 'store'>;
  readonly channels: Pick<Watches['channels'], 'store'>;
};

export function keyOfServer({ kind, metadata }: Pick<KubeObject, 'kind' | 'metadata'>): string {
  return `${metadata.namespace}/${isChannel({ kind }) ? CHANNEL : ''}${metadata.name}`;
}

/** Key of the server that an object belongs to, by its labels. */
export function keyOfOwner({ metadata }: Pick<KubeObject, 'metadata'>): string | undefined {
  const { [LABEL.server]: server, [LABEL.kind]: kind } = metadata.labels ?? {};
  if (server === undefined) return undefined;
  if (kind === undefined) return `${metadata.namespace}/${server}`;
  return `${metadata.namespace}/${CHANNEL}${server.slice(0, -CHANNEL_SUFFIX.length)}`;
}

/** With a full spec; `undefined` if there is none. */
export function serverAt({ servers, channels }: Stores, key: string): SocketServer | undefined {
  if (!key.includes(`/${CHANNEL}`)) {
    const found = servers.store.get(key);
    return found && complete(found);
  }
  const found = channels.store.get(key.replace(CHANNEL, ''));
  return found && channelAsServer(found);
}

/** Who does the work of a server that has no pods, for a sentence; `undefined`: its pods do. */
export function elsewhereOf(
  { channels }: Pick<Stores, 'channels'>,
  server: SocketServer,
): string | undefined {
  if (!isChannel(server)) return undefined;
  const { namespace, name } = server.metadata;
  const { engine, nats } = channels.store.get(`${namespace}/${name}`)?.spec ?? {};
  if (engine !== 'nats') return undefined;
  const count = nats?.servers.length ?? 0;
  return `the ${count} NATS ${count === 1 ? 'server' : 'servers'} in spec.nats.servers`;
}

export function keysOf({ servers, channels }: Stores): string[] {
  return [...servers.store.values(), ...channels.store.values()].map(keyOfServer);
}

export function allServers(stores: Stores): SocketServer[] {
  return keysOf(stores).flatMap((key) => serverAt(stores, key) ?? []);
}

/** Keys of the servers whose peers are the pods of a server, by the key of that one. */
export function consumersOf({ servers, channels }: Stores, key: string): string[] {
  const [namespace = '', name = ''] = key.split('/');
  const refersTo = ({ metadata, spec }: SocketServer) =>
    metadata.namespace === namespace &&
    (name.startsWith(CHANNEL)
      ? spec.channelRef?.name === name.slice(CHANNEL.length)
      : spec.gatewayRef?.name === name);
  const others = [...servers.store.values()].filter(refersTo).map(keyOfServer);
  // Channel servers know each other.
  return name.startsWith(CHANNEL) && channels.store.has(key.replace(CHANNEL, ''))
    ? [key, ...others]
    : others;
}
