import { afterEach, describe, expect, it } from '@jest/globals';
import type { ChannelClient } from '../../src/channel/client.ts';
import type { Position } from '../../src/channel/engine.ts';
import { endPlaces, NATIVE, NATS, subscribed } from '../support/channel-engines.ts';
import { eventually } from '../support/peer.ts';

// What an application sees of channels, whatever carries them.

afterEach(endPlaces);

const HISTORY = { history: [{ channels: 'room:*', size: 10, seconds: 60 }] };

/** What comes on a channel. */
function heardBy(client: ChannelClient, channel: string): unknown[] {
  const heard: unknown[] = [];
  client.on(channel, (data) => heard.push(data));
  return heard;
}

describe.each([NATIVE, NATS])('channels on $name', ({ place, whyNot }) => {
  if (whyNot) {
    it.skip(`are not tested: ${whyNot}`, () => {});
    return;
  }

  it('carry every value to all who are subscribed, the publisher too, in order', async () => {
    const here = await place();
    const [a, b, c] = [await here.client(), await here.client(), await here.client()];
    const heard = [heardBy(a, 'news'), heardBy(b, 'news'), heardBy(c, 'weather')];
    for (const each of [a, b, c]) await subscribed(each, 'news');
    const values = [1, 'two', { three: [3] }, null, true, 'ü😀', Buffer.from([0, 1, 255])];
    for (const value of values) a.publish('news', value);
    b.publish('weather', 'fine');
    await eventually(() => heard[0]?.length === 7 && heard[1]?.length === 7);
    await eventually(() => heard[2]?.length === 1);
    expect(heard).toEqual([values, values, ['fine']]);
  });

  it('have any name', async () => {
    const client = await (await place()).client();
    const names = ['a.b', '*', '>', 'a b', 'ü😀', '\n', '=3D', 'x'.repeat(255), '€'.repeat(85)];
    const heard = new Map(names.map((name) => [name, heardBy(client, name)]));
    for (const name of names) client.publish(name, name);
    await eventually(() => [...heard.values()].every(({ length }) => length > 0));
    expect([...heard]).toEqual(names.map((name) => [name, [name]]));
  });

  it('end with unsubscribe, and go to onMessage where there is no callback of their own', async () => {
    const here = await place();
    const [a, b] = [await here.client(), await here.client()];
    const heard: string[] = [];
    a.onMessage = (channel, data) => heard.push(`${channel} ${data}`);
    a.subscribe('x', 'y', 'x');
    a.publish('x', 0);
    await eventually(() => heard.length === 1);
    b.publish('x', 1);
    b.publish('y', 2);
    await eventually(() => heard.length === 3);
    a.unsubscribe('x');
    a.publish('y', 3);
    await eventually(() => heard.length === 4);
    b.publish('x', 4);
    b.publish('y', 5);
    await eventually(() => heard.length === 5);
    expect(heard).toEqual(['x 0', 'x 1', 'y 2', 'y 3', 'y 5']);
  });

  it('take what was published before the connection was there', async () => {
    const client = (await place()).unconnected(HISTORY);
    const heard = [heardBy(client, 'early'), heardBy(client, 'room:early')];
    client.publish('early', 'bird');
    client.publish('room:early', 'bird');
    client.connect();
    client.publish('early', 'worm');
    client.publish('room:early', 'worm');
    await eventually(() => heard.every(({ length }) => length === 2));
    expect(heard).toEqual([
      ['bird', 'worm'],
      ['bird', 'worm'],
    ]);
  });

  it('are subscribed to again when the connection was lost; it is told', async () => {
    const here = await place();
    const { client, cable } = await here.distant();
    const other = await here.client();
    const heard = heardBy(client, 'news');
    await subscribed(client, 'news');
    const told: string[] = [];
    client.onClose = () => told.push('close');
    client.onConnect = () => told.push('connect');
    cable.pull();
    await eventually(() => told.length === 1 && !client.connected);
    other.publish('news', 'lost');
    expect(client.publish('news', 'waits')).toBeNull();
    cable.plug();
    await eventually(() => told.length === 2 && client.connected);
    await subscribed(client, 'news');
    other.publish('news', 'after');
    await eventually(() => heard.includes('after'));
    expect(told).toEqual(['close', 'connect']);
    expect(heard).not.toContain('lost');
  });

  it('publish nothing more when too much waits', async () => {
    const client = (await place()).unconnected(HISTORY);
    const large = 'x'.repeat(500_000);
    const results = Array.from({ length: 40 }, (_, i) => client.publish(`room:${i % 2}`, large));
    expect(new Set(results)).toEqual(new Set([null, false]));
    expect(results.at(-1)).toBe(false);
  });

  it('do not care for names and values that cannot travel', async () => {
    const client = await (await place()).client();
    expect(() => client.on('', () => {})).toThrow(/1 to 255 bytes/);
    expect(() => client.publish('x'.repeat(256), 1)).toThrow(/has 256/);
    for (const wrong of [
      () => client.publish('x', () => {}),
      () => client.publish('x', 1n),
      () => client.enqueue('x', Symbol('s')),
      () => client.publish('x', Buffer.alloc(10_484_736)),
      () => client.publish(5 as never, 1),
      () => client.on(undefined as never, () => {}),
      () => client.on('x', 5 as never),
      () => client.watch('x', undefined as never),
      () => client.subscribe('good', null as never),
    ])
      expect(wrong).toThrow(expect.objectContaining({ code: 'CHANNEL_INVALID' }));
  });
});

describe.each([NATIVE, NATS])('channels with history on $name', ({ place, whyNot }) => {
  if (whyNot) {
    it.skip(`are not tested: ${whyNot}`, () => {});
    return;
  }

  /** A subscriber behind a cable that has seen one event, and a publisher. */
  async function scene() {
    const here = await place();
    const { client, cable } = await here.distant(HISTORY);
    const source = await here.client(HISTORY);
    const heard: [unknown, Position | undefined][] = [];
    const recoveries: unknown[] = [];
    client.onRecovery = (each) => recoveries.push(each);
    client.on('room:1', (data, _, position) => heard.push([data, position]));
    client.publish('room:1', 0);
    await eventually(() => heard.length === 1);
    return { client, cable, source, heard, recoveries, values: () => heard.map(([data]) => data) };
  }

  /** Events that surely are where they belong. */
  async function published(by: ChannelClient, values: number[]): Promise<void> {
    const own = heardBy(by, 'room:1');
    for (const value of values) by.publish('room:1', value);
    await eventually(() => own.at(-1) === values.at(-1));
    by.unsubscribe('room:1');
  }

  it('say where each event stands', async () => {
    const { source, heard } = await scene();
    await published(source, [1, 2]);
    await eventually(() => heard.length === 3);
    const positions = heard.map(([, position]) => position as Position);
    expect(new Set(positions.map(({ epoch }) => epoch)).size).toBe(1);
    const offsets = positions.map(({ offset }) => offset);
    expect(offsets.toSorted((a, b) => a - b)).toEqual(offsets);
  });

  it('give a subscriber who was away all that he missed, in order', async () => {
    const { client, cable, source, values, recoveries } = await scene();
    cable.pull();
    await eventually(() => !client.connected);
    await published(source, [1, 2, 3]);
    cable.plug();
    await eventually(() => values().length === 4);
    expect(values()).toEqual([0, 1, 2, 3]);
    expect(recoveries).toEqual([{ channel: 'room:1', recovered: true, missed: 3 }]);
    await published(source, [4]);
    await eventually(() => values().length === 5);
  });

  it('tell a subscriber who was away too long that there is a gap, and go on behind it', async () => {
    const { client, cable, source, values, recoveries } = await scene();
    cable.pull();
    await eventually(() => !client.connected);
    await published(
      source,
      Array.from({ length: 11 }, (_, i) => i + 1),
    );
    cable.plug();
    await eventually(() => recoveries.length === 1);
    expect(recoveries).toEqual([{ channel: 'room:1', recovered: false, missed: 0 }]);
    source.publish('room:1', 'next');
    await eventually(() => values().length === 2);
    expect(values()).toEqual([0, 'next']);
  });

  it('tell a subscriber who was away and missed nothing so', async () => {
    const { client, cable, values, recoveries } = await scene();
    cable.pull();
    await eventually(() => !client.connected);
    cable.plug();
    await eventually(() => recoveries.length === 1);
    expect(recoveries).toEqual([{ channel: 'room:1', recovered: true, missed: 0 }]);
    expect(values()).toEqual([0]);
  });

  it('are heard by subscribers who declare none, live', async () => {
    const here = await place();
    const [with_, without] = [await here.client(HISTORY), await here.client()];
    const heard = [heardBy(with_, 'room:1'), heardBy(without, 'room:1')];
    await subscribed(without, 'room:1');
    with_.publish('room:1', 'kept');
    await eventually(() => heard.every(({ length }) => length === 1));
    without.publish('room:1', 'not kept');
    await eventually(() => heard.every(({ length }) => length === 2));
  });
});

describe.each([NATIVE, NATS])('queues on $name', ({ place, whyNot }) => {
  if (whyNot) {
    it.skip(`are not tested: ${whyNot}`, () => {});
    return;
  }

  it('give each job to one consumer, one at a time, in order', async () => {
    const here = await place();
    const [a, b, source] = [await here.client(), await here.client(), await here.client()];
    const done: unknown[] = [];
    let [atOnce, most] = [0, 0];
    const work = async (data: unknown) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((next) => setImmediate(next));
      atOnce -= 1;
      done.push(data);
    };
    for (let i = 0; i < 20; i += 1) source.enqueue('jobs', i);
    a.watch('jobs', work);
    await eventually(() => done.length === 20);
    expect(done).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(most).toBe(1);
    b.watch('jobs', work);
    for (let i = 20; i < 60; i += 1) source.enqueue('jobs', i);
    await eventually(() => done.length === 60);
    expect(new Set(done).size).toBe(60);
  });

  it('wait until they are asked', async () => {
    const here = await place();
    const client = await here.client();
    const done: unknown[] = [];
    client.watch('jobs', (data) => done.push(data), false);
    for (const job of ['a', 'b']) client.enqueue('jobs', job);
    client.reserve();
    client.reserve();
    await eventually(() => done.length === 1);
    await subscribed(client, 'a while');
    expect(done).toEqual(['a']);
    client.reserve();
    await eventually(() => done.length === 2);
  });

  it('give a job to another consumer when the first one is gone, and not when it has failed', async () => {
    const here = await place();
    const [a, b] = [await here.client(), await here.client()];
    const begun: string[] = [];
    a.watch('jobs', () => {
      begun.push('a');
      return new Promise(() => {});
    });
    a.enqueue('jobs', 'hard');
    await eventually(() => begun.length === 1);
    b.watch('jobs', (data) => {
      begun.push(`b ${data}`);
      throw new Error('the test makes it fail');
    });
    a.close();
    await eventually(() => begun.length === 2);
    b.enqueue('jobs', 'next');
    await eventually(() => begun.length === 3);
    expect(begun).toEqual(['a', 'b hard', 'b next']);
  });

  it('end with unwatch; what comes then waits for others', async () => {
    const here = await place();
    const [a, b] = [await here.client(), await here.client()];
    const [first, second]: unknown[][] = [[], []];
    a.watch('jobs', (data) => first?.push(data));
    a.enqueue('jobs', 1);
    await eventually(() => first?.length === 1);
    a.unwatch('jobs');
    a.enqueue('jobs', 2);
    b.watch('jobs', (data) => second?.push(data));
    await eventually(() => second?.length === 1);
    expect([first, second]).toEqual([[1], [2]]);
  });
});
