import { afterEach, describe, expect, it } from '@jest/globals';
import type { ChannelMessage } from '../../src/channel/format.ts';
import { ChannelServer } from '../../src/channel/server.ts';
import { ChannelPeer } from '../support/channel-peer.ts';
import { cleanUp, listening } from '../support/in-process.ts';

afterEach(cleanUp);

const name = 'kept:1';
const position = { offset: 1, epoch: '0123456789abcdef' };
const bounds = { size: 10, seconds: 60 };
const value = Buffer.from('\x001');

/** What servers say to each other, and what servers say to clients. */
const WORDS: readonly ChannelMessage[] = [
  { kind: 'claim', flag: false, name, to: 'x', address: '127.0.0.1:1' },
  { kind: 'take', name, count: 1, bounds, position },
  { kind: 'keep', name, count: 1, position, value },
  { kind: 'keepJob', name, value },
  { kind: 'offer', flag: false, name, found: true },
  { kind: 'taken', flag: false, name },
  { kind: 'forward', count: 1, value },
  { kind: 'giveBack', name, value },
  { kind: 'event', name, value },
  { kind: 'recovery', name, flag: true, count: 0, position },
  { kind: 'moved', flag: false, name, to: 'x', address: '127.0.0.1:1', position },
  { kind: 'leaving' },
  { kind: 'welcome', flag: false },
];

describe('a client that is no server', () => {
  it.each(WORDS.map((word) => [word.kind, word] as const))(
    'and says "%s" is told that it may not, and is gone; the server goes on',
    async (kind, word) => {
      const server = await listening(new ChannelServer('127.0.0.1:0', { member: 'me' }));
      const [wrong, right] = [await ChannelPeer.to(server), await ChannelPeer.to(server)];
      right.say({ kind: 'subscribe', name });
      wrong.say(word);
      expect(await wrong.hear(1)).toEqual([
        { kind: 'refused', reason: `a ${kind} is not for this server` },
      ]);
      await wrong.peer.end();
      right.say({ kind: 'publish', name, value });
      expect(await right.hear(1)).toEqual([{ kind: 'event', name, value }]);
    },
  );

  it('cannot make a server of itself without the secret', async () => {
    const server = await listening(
      new ChannelServer('127.0.0.1:0', { member: 'me', secret: 'ours' }),
    );
    await expect(ChannelPeer.to(server, 'theirs', 'other')).rejects.toThrow('wrong secret');
  });
});
