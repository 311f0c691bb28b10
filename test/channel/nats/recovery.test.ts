import { afterEach, describe, expect, it } from '@jest/globals';
import type { Recovery } from '../../../src/channel/engine.ts';
import { Cable } from '../../support/cable.ts';
import { endPlaces } from '../../support/channel-engines.ts';
import { natsServer, WHY_NOT } from '../../support/nats.ts';
import { Manager } from '../../support/nats-manager.ts';
import { endEngines, Recorder } from '../../support/nats-recorder.ts';
import { eventually } from '../../support/peer.ts';

const BOUNDS = { size: 5, seconds: 60 };
const STREAM = 'LONGSHORE_5_60';
const SECOND = 1_000_000_000;

const made: { close(): void }[] = [];

afterEach(async () => {
  endEngines();
  for (const each of made.splice(0)) each.close();
  await endPlaces();
});

/** A server whose stream is already there, set up by somebody else; a subscriber on a cable who has seen one event. */
async function scene(config: Record<string, unknown> = {}) {
  const server = await natsServer();
  const manager = await Manager.of(server.address);
  made.push({ close: () => void manager.connection.close() });
  await manager.jetstream.streams.add({
    name: STREAM,
    subjects: ['longshore.c.5-60.*'],
    max_msgs_per_subject: 100,
    ...config,
  });
  const cable = await Cable.to(server.port);
  made.push({ close: () => cable.remove() });
  const away = new Recorder(`nats://127.0.0.1:${cable.port}`);
  const source = new Recorder(server.address);
  away.engine.subscribe('a', BOUNDS);
  await eventually(() => away.recoveries.length === 1);
  source.engine.publish('a', Buffer.from('1'), BOUNDS);
  await eventually(() => away.events.length === 1);
  return { server, manager, cable, away, source };
}

type Scene = Awaited<ReturnType<typeof scene>>;

async function pull({ cable, away }: Scene): Promise<void> {
  cable.pull();
  await eventually(() => !away.engine.connected);
}

/** The subscriber comes back; what he is told. */
async function plug({ cable, away }: Scene): Promise<Recovery | undefined> {
  const before = away.recoveries.length;
  cable.plug();
  await eventually(() => away.recoveries.length > before, 'an answer to the subscription');
  return away.recoveries.at(-1);
}

const stored = ({ manager }: Scene, last: number) =>
  manager.until(
    ({ streams }) => streams.info(STREAM),
    ({ state }) => state.last_seq === last,
  );
const emptied = ({ manager }: Scene) =>
  manager.until(
    ({ streams }) => streams.info(STREAM),
    ({ state }) => state.messages === 0,
  );
const SHORT = { max_age: SECOND, duplicate_window: SECOND };

describe('history on NATS', () => {
  if (WHY_NOT) {
    it.skip(`is not tested: ${WHY_NOT}`, () => {});
    return;
  }

  it('tells of a gap when what was missed has grown too old', async () => {
    const here = await scene(SHORT);
    await pull(here);
    here.source.engine.publish('a', Buffer.from('2'), BOUNDS);
    await stored(here, 2);
    await emptied(here);
    expect(await plug(here)).toMatchObject({ recovered: false, missed: 0 });
    here.source.engine.publish('a', Buffer.from('3'), BOUNDS);
    await eventually(() => here.away.events.length === 2);
    expect(here.away.values).toEqual(['1', '3']);
  });

  it('tells of none when only what was seen has grown too old', async () => {
    const here = await scene(SHORT);
    await pull(here);
    await emptied(here);
    expect(await plug(here)).toMatchObject({ recovered: true, missed: 0 });
  });

  it('tells of a gap when the stream was deleted, and goes on in a new one', async () => {
    const here = await scene();
    await here.manager.jetstream.streams.delete(STREAM);
    await eventually(() => here.away.recoveries.length === 2, 'news of the new stream');
    expect(here.away.recoveries[1]).toMatchObject({ recovered: false });
    here.source.engine.publish('a', Buffer.from('2'), BOUNDS);
    await eventually(() => here.away.events.length === 2);
    expect(here.away.events.map(([, , offset]) => offset)).toEqual([1, 1]);
    const { config } = await here.manager.jetstream.streams.info(STREAM);
    expect(config).toMatchObject({ max_msgs_per_subject: 261, max_age: 130 * SECOND });
  });

  it('misses nothing when its consumer is taken away', async () => {
    const here = await scene();
    const { consumers } = here.manager.jetstream;
    const [consumer] = await consumers.list(STREAM).next();
    await pull(here);
    await consumers.delete(STREAM, consumer?.name ?? '');
    here.source.engine.publish('a', Buffer.from('2'), BOUNDS);
    await stored(here, 2);
    expect(await plug(here)).toMatchObject({ recovered: true, missed: 1 });
    await eventually(() => here.away.events.length === 2);
    const [next] = await consumers.list(STREAM).next();
    await consumers.delete(STREAM, next?.name ?? '');
    here.source.engine.publish('a', Buffer.from('3'), BOUNDS);
    await eventually(() => here.away.events.length === 3, 'what came after that');
    expect(here.away.values).toEqual(['1', '2', '3']);
  });
});
