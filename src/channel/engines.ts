import { misuse } from '../errors.ts';
import type { ChannelEngine, EngineEvents, EngineOptions } from './engine.ts';
import { NativeEngine } from './native.ts';
import type { MemberList } from './owners.ts';

/** Whether a list of servers is for the NATS engine. */
export function isNats({ members }: MemberList): boolean {
  return members[0]?.address.startsWith('nats://') === true;
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
  // Here comes: import('./nats.ts').then(({ NatsEngine }) => new NativeEngine(list, events, options))
  if (isNats(list)) throw misuse('CHANNEL_INVALID', 'nats:// is not there yet');
  return new NativeEngine(list, events, options);
}
