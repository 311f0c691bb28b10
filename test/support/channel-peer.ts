import {
  type ChannelMessage,
  channelProtocol,
  encode,
  FORMAT_VERSION,
} from '../../src/channel/format.ts';
import { answerTo } from '../../src/inner/handshake.ts';
import type { AnyWorker } from '../../src/worker.ts';
import { peerOf } from './in-process.ts';
import type { Peer } from './peer.ts';

/** A channel client that says just what a test wants, once it is welcome. */
export class ChannelPeer {
  readonly peer: Peer;

  private constructor(peer: Peer) {
    this.peer = peer;
  }

  static async to(server: AnyWorker, secret?: string, member?: string): Promise<ChannelPeer> {
    const made = new ChannelPeer(await peerOf(server));
    const [hello] = await made.hear(1);
    const answer = answerTo(hello as never, FORMAT_VERSION, secret, member);
    if (typeof answer === 'string') throw new Error(answer);
    made.say(answer.greeting);
    const [welcome] = await made.hear(1);
    if (welcome?.kind !== 'welcome') throw new Error(JSON.stringify(welcome));
    return made;
  }

  say(...messages: ChannelMessage[]): this {
    this.peer.send(Buffer.concat(messages.map(encode)));
    return this;
  }

  /** Waits for so many messages, and takes them. */
  async hear(count: number): Promise<ChannelMessage[]> {
    const bytes = await this.peer.until((all) => lengthOf(all, count) !== undefined);
    const length = lengthOf(bytes, count) as number;
    // What is behind them is for later.
    this.peer.unread(bytes.subarray(length));
    const decoder = channelProtocol.decoder({ maxPackageSize: 2 ** 31 });
    return [...decoder.push(Buffer.from(bytes.subarray(0, length)))];
  }
}

/** Bytes of the first `count` messages; `undefined` if they are not all there. */
function lengthOf(bytes: Buffer, count: number): number | undefined {
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (at + 4 > bytes.length) return undefined;
    at += bytes.readUInt32BE(at);
  }
  return at <= bytes.length ? at : undefined;
}
