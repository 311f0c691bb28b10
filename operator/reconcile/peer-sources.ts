import type { Pod } from '../api/meta.ts';
import { ANNOTATION, GOING, isOf } from '../api/names.ts';
import type { SocketServer } from '../api/types.ts';
import { canonical } from '../decide/inputs.ts';
import type { PeerPod, PeerSource, PeerSources } from '../decide/view.ts';
import type { Reports } from './reports.ts';
import type { Watches } from './watches.ts';

/** What the references of a server lead to, in the copies of what is watched. Nothing is asked for it. */

export type Seen = {
  readonly watches: Pick<Watches, 'servers' | 'channels' | 'pods'>;
  readonly reports: Pick<Reports, 'gatewaysOf'>;
};

export function sourcesOf(seen: Seen, { metadata, spec }: SocketServer): PeerSources {
  const { channelRef, gatewayRef } = spec;
  const { namespace = '' } = metadata;
  return {
    ...(channelRef ? { channel: channelSource(seen, namespace, channelRef.name) } : {}),
    ...(gatewayRef ? { gateway: gatewaySource(seen, namespace, gatewayRef.name) } : {}),
  };
}

function channelSource(seen: Seen, namespace: string, name: string): PeerSource {
  const what = `ChannelServer ${name}`;
  const found = seen.watches.channels.store.get(`${namespace}/${name}`);
  if (!found) return { is: 'missing', what };
  if (found.spec.engine === 'nats')
    return { is: 'addresses', what, addresses: found.spec.nats?.servers ?? [] };
  return { is: 'pods', what, pods: podsOf(seen, found) };
}

function gatewaySource(seen: Seen, namespace: string, name: string): PeerSource {
  const what = `SocketServer ${name}`;
  const found = seen.watches.servers.store.get(`${namespace}/${name}`);
  return found ? { is: 'pods', what, pods: podsOf(seen, found) } : { is: 'missing', what };
}

function podsOf({ watches, reports }: Seen, server: Parameters<typeof isOf>[1]): PeerPod[] {
  return [...watches.pods.store.values()]
    .filter((pod) => isOf(pod, server))
    .map((pod) => {
      const gateways = reports.gatewaysOf(pod.metadata.uid ?? '');
      return { ...standingOf(pod), ...(gateways ? { gateways } : {}) };
    });
}

function standingOf({ metadata, status }: Pod): PeerPod {
  const { annotations = {} } = metadata;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
  return {
    name: metadata.name,
    ...(status?.podIP === undefined ? {} : { ip: status.podIP }),
    ready,
    leaving:
      metadata.deletionTimestamp !== undefined ||
      annotations[ANNOTATION.drain] !== undefined ||
      annotations[ANNOTATION.cost] === String(GOING),
    over: status?.phase === 'Failed' || status?.phase === 'Succeeded',
  };
}

/** Whether a change of a pod may change anybody's list. */
export function isMove(now: Pod | undefined, before: Pod | undefined): boolean {
  return canonical(now && standingOf(now)) !== canonical(before && standingOf(before));
}
