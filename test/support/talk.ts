import type { Fixture } from './fixture.ts';
import { Peer } from './peer.ts';

/** One question to the talker, over a connection of its own. */
export async function ask(fixture: Pick<Fixture, 'port'>, line: string): Promise<string> {
  const peer = await Peer.to({ host: '127.0.0.1', port: fixture.port });
  try {
    return await peer.send(`${line}\n`).line();
  } finally {
    peer.destroy();
  }
}

/** A connection to the process in a given slot: the kernel spreads connections, so it takes a few. */
export async function toSlot(fixture: Pick<Fixture, 'port'>, slot: number): Promise<Peer> {
  for (;;) {
    const peer = await Peer.to({ host: '127.0.0.1', port: fixture.port });
    if ((await peer.send('id\n').line()) === String(slot)) return peer;
    peer.destroy();
  }
}

/** Every answer to a question that the processes give, asked until that many different ones have come. */
export async function answers(
  fixture: Pick<Fixture, 'port'>,
  line: string,
  different: number,
): Promise<Set<string>> {
  const seen = new Set<string>();
  while (seen.size < different) seen.add(await ask(fixture, line));
  return seen;
}
