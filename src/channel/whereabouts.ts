import { peers } from '../child/peers.ts';
import type { MemberList } from './owners.ts';

/**
 * Tells where the channel servers of this program are: now, if that is known, and at every change. Asks the master to
 * run one if nobody names any.
 *
 * @returns ends it
 * @throws {TypeError} `CHANNEL_INVALID` if nobody names any and this is no process of `Worker.runAll()`
 */
export function whereServersAre(tell: (list: MemberList) => void): () => void {
  const look = () => {
    const list = peers.of('channel');
    // Nobody to go to is no news: the operator names others in a moment.
    if (list && list.members.length > 0) tell(list);
    return list !== undefined;
  };
  if (!look()) peers.want('channel');
  return peers.watch('channel', look);
}
