import type { ChannelEngine, EngineEvents, EngineOptions } from './engine.ts';
import { NativeEngine } from './native.ts';
import { isNatsAddress } from './nats/address.ts';
import type { MemberList } from './owners.ts';

/** Whether a list of servers is for the NATS engine. */
export function isNats({ members }: MemberList): boolean {
  return isNatsAddress(members[0]?.address ?? '');
}

/**
 * The engine for these servers. Ours is there at once; one that needs another package is loaded first.
 *
 * @throws {TypeError} `CHANNEL_INVALID` for addresses that no engine speaks, or whose package is missing
 */
export function engineFor(
  list: MemberList,
  events: EngineEvents,
  options: EngineOptions,
): ChannelEngine | Promise<ChannelEngine> {
  if (isNats(list))
    return import('./nats.ts').then(({ NatsEngine }) => new NatsEngine(list, events, options));
  return new NativeEngine(list, events, options);
}
