import type { KubeObject } from '../api/meta.ts';
import { isMove } from './peer-sources.ts';
import type { Reports } from './reports.ts';
import { consumersOf, keyOfOwner, keyOfServer, keysOf } from './servers.ts';
import type { Watches } from './watches.ts';

/** Who has to be looked at because of what has changed. */

export type Wake = {
  /** A server is looked at. */
  readonly look: (key: string) => void;
  /** A server's peers may have changed. */
  readonly push: (key: string) => void;
};

/** From now on every change of a server, and of what belongs to one, has it looked at; each of them is looked at now. */
export function follow(watches: Watches, reports: Reports, wake: Wake): void {
  const consumers = (key: string) => {
    for (const each of consumersOf(watches, key)) {
      wake.push(each);
      wake.look(each);
    }
  };
  followServers(watches, wake, consumers);
  followPods(watches, reports, wake, consumers);
  for (const reflector of [watches.sets, watches.services, watches.budgets])
    reflector.onChange((_, now, before) => ofServer(wake, now ?? before));
  watches.configMaps.onChange((_, now, before) => {
    const map = now ?? before;
    ofServer(wake, map);
    for (const server of watches.servers.store.values()) {
      const { metadata, spec } = server;
      const isCode = spec.code?.configMap === map?.metadata.name;
      if (isCode && metadata.namespace === map?.metadata.namespace) wake.look(keyOfServer(server));
    }
  });
  for (const key of keysOf(watches)) wake.look(key);
}

function followServers(watches: Watches, wake: Wake, consumers: (key: string) => void): void {
  for (const reflector of [watches.servers, watches.channels]) {
    reflector.onChange((_, now, before) => {
      const server = now ?? before;
      if (!server) return;
      const key = keyOfServer(server);
      wake.look(key);
      // Its status changes often, and leads nowhere else.
      if (now?.metadata.generation === before?.metadata.generation) return;
      wake.push(key);
      consumers(key);
    });
  }
}

function followPods(
  watches: Watches,
  reports: Reports,
  wake: Wake,
  consumers: (key: string) => void,
): void {
  watches.pods.onChange((_, now, before) => {
    const pod = now ?? before;
    const key = pod && keyOfOwner(pod);
    if (key !== undefined && isMove(now, before)) consumers(key);
    if (!now) reports.forget(before?.metadata.uid ?? '');
    ofServer(wake, pod);
  });
  reports.onGateways = (uid) => {
    const pod = [...watches.pods.store.values()].find(({ metadata }) => metadata.uid === uid);
    const key = pod && keyOfOwner(pod);
    if (key !== undefined) consumers(key);
  };
}

function ofServer({ look }: Wake, object: KubeObject | undefined): void {
  const key = object && keyOfOwner(object);
  if (key !== undefined) look(key);
}
