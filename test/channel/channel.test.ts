import { afterEach, describe, expect, it } from '@jest/globals';
import { ChannelClient } from '../../src/channel/client.ts';
import { encodeValue } from '../../src/channel/format.ts';
import { ChannelServer } from '../../src/channel/server.ts';
import { channelStats, zeroChannelStats } from '../../src/channel/stats.ts';
import { ChannelPeer } from '../support/channel-peer.ts';
import { cleanUp, listening, peerOf } from '../support/in-process.ts';
import { authority, eventually, whereIs } from '../support/peer.ts';

const clients: ChannelClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await cleanUp();
});

async function server(port = 0): Promise<ChannelServer> {
  const made = await listening(new ChannelServer(`127.0.0.1:${port}`));
  channelStats.current = zeroChannelStats();
  return made;
}

async function clientOf(address: string): Promise<ChannelClient> {
  const client = new ChannelClient(address);
  clients.push(client);
  client.connect();
  await eventually(() => client.connected);
  return client;
}

/** Subscriptions are under way for an instant; this waits until the server has them all. */
const subscribed = (count: number) =>
  eventually(() => channelStats.current?.subscriptions === count, `${count} subscriptions`);

describe('channels', () => {
  it('carry what is published to all who are subscribed, the publisher too, in order', async () => {
    const address = authority(await server());
    const [a, b, c] = [await clientOf(address), await clientOf(address), await clientOf(address)];
    const heard: Record<string, unknown[]> = { a: [], b: [], c: [] };
    a.on('news', (data) => heard['a']?.push(data));
    b.on('news', (data) => heard['b']?.push(data));
    c.on('weather', (data) => heard['c']?.push(data));
    await subscribed(3);
    const values = [1, 'two', { three: [3] }, null, true, 'ü😀'];
    for (const value of values) a.publish('news', value);
    b.publish('weather', Buffer.from([0, 1, 255]));
    await eventually(() => heard['b']?.length === values.length && heard['c']?.length === 1);
    expect(heard).toEqual({ a: values, b: values, c: [Buffer.from([0, 1, 255])] });
    await eventually(() => channelStats.current?.delivered === values.length * 2 + 1);
    expect(channelStats.current).toMatchObject({
      published: values.length + 1,
      dropped: 0,
      channels: 2,
    });
  });

  it('end with unsubscribe, and go to onMessage where there is no callback of their own', async () => {
    const address = authority(await server());
    const [a, b] = [await clientOf(address), await clientOf(address)];
    const heard: string[] = [];
    a.onMessage = (channel, data) => heard.push(`${channel} ${data}`);
    a.subscribe('x', 'y', 'x');
    await subscribed(2);
    b.publish('x', 1);
    b.publish('y', 2);
    await eventually(() => heard.length === 2);
    a.unsubscribe('x');
    await subscribed(1);
    b.publish('x', 3);
    b.publish('y', 4);
    await eventually(() => heard.length === 3);
    expect(heard).toEqual(['x 1', 'y 2', 'y 4']);
  });

  it('are subscribed to again after the server was away, and what is published then arrives', async () => {
    const first = await server();
    const { port } = whereIs(first) as { port: number };
    const [a, b] = [await clientOf(`127.0.0.1:${port}`), await clientOf(`127.0.0.1:${port}`)];
    const heard: unknown[] = [];
    a.on('news', (data) => heard.push(data));
    await subscribed(1);
    let lost = 0;
    a.onClose = () => {
      lost += 1;
    };
    await first.unlisten();
    for (const connection of first.connections.values()) connection.destroy();
    await eventually(() => lost === 1 && !a.connected && !b.connected);
    b.publish('news', 'while nobody was there');
    await server(port);
    await eventually(() => a.connected && b.connected, 'both are back');
    await subscribed(1);
    b.publish('news', 'after');
    await eventually(() => heard.includes('after'));
  });

  it('take what was published before the connection was there', async () => {
    const made = await server();
    const listener = await clientOf(authority(made));
    const heard: unknown[] = [];
    listener.on('early', (data) => heard.push(data));
    await subscribed(1);
    const client = new ChannelClient(authority(made));
    clients.push(client);
    client.publish('early', 'bird');
    client.connect();
    client.publish('early', 'worm');
    await eventually(() => heard.length === 2);
    expect(heard).toEqual(['bird', 'worm']);
  });

  it('drop whole events for a subscriber that does not read, count them, and serve the others', async () => {
    const made = await server();
    const slow = await ChannelPeer.to(made);
    slow.peer.socket.pause();
    slow.say({ kind: 'subscribe', name: 'flood' });
    const [good, source] = [await clientOf(authority(made)), await clientOf(authority(made))];
    let heard = 0;
    good.on('flood', () => {
      heard += 1;
    });
    await subscribed(2);
    const event = Buffer.alloc(500_000, 'x');
    for (let i = 0; i < 60; i += 1) {
      source.publish('flood', event);
      await eventually(() => heard === i + 1);
    }
    expect(channelStats.current?.dropped).toBeGreaterThan(10);
    const dropped = channelStats.current?.dropped ?? 0;
    slow.peer.socket.resume();
    const told = await slow.hear(60 - dropped + 1);
    expect(told.at(-1)).toEqual({ kind: 'lost', name: 'flood', count: dropped });
    expect((channelStats.current?.delivered ?? 0) + (channelStats.current?.dropped ?? 0)).toBe(120);
  }, 20_000);

  it.each([
    ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['an undefined kind', Buffer.from('00000005ff', 'hex')],
    ['a length of 2 GiB', Buffer.from('7fffffff07', 'hex')],
    ['a length of 0', Buffer.from('0000000007', 'hex')],
    ['a name longer than the message', Buffer.from('0000000706ff61', 'hex')],
    ['a subscription before its greeting', Buffer.from('00000007060161', 'hex')],
  ])('cut off a client that sends %s, and only that one', async (_, bytes) => {
    const made = await server();
    const bad = await peerOf(made);
    bad.send(bytes);
    await bad.end();
    const good = await clientOf(authority(made));
    const heard: unknown[] = [];
    good.on('still', (data) => heard.push(data));
    await subscribed(1);
    good.publish('still', 'here');
    await eventually(() => heard.length === 1);
  });

  it('refuse names and values that cannot travel', async () => {
    const client = await clientOf(authority(await server()));
    expect(() => client.on('', () => {})).toThrow(/1 to 255 bytes, this one has 0/);
    expect(() => client.publish('x'.repeat(256), 1)).toThrow(/has 256/);
    expect(() => client.publish('x', () => {})).toThrow(/a function cannot be published/);
    expect(encodeValue(undefined).toString()).toBe('\0null');
  });

  it('carry the longest message that they take, and none that is longer', async () => {
    const client = await clientOf(authority(await server()));
    const heard: number[] = [];
    client.on('long', (data) => heard.push((data as Buffer).length));
    await subscribed(1);
    const longest = Buffer.alloc(10_484_735, 'x');
    client.publish('long', longest);
    expect(() => client.publish('long', Buffer.concat([longest, longest.subarray(0, 1)]))).toThrow(
      'the message has 10484737 bytes, at most 10484736: keep large data elsewhere',
    );
    await eventually(() => heard.length === 1);
    expect([heard, client.connected]).toEqual([[10_484_735], true]);
  });

  it('are not asked for at no address', () => {
    expect(() => new ChannelClient([])).toThrow('the list of addresses is empty');
  });

  it('need an address or a master', () => {
    expect(() => new ChannelClient().connect()).toThrow(
      expect.objectContaining({ code: 'CHANNEL_INVALID' }),
    );
  });
});
