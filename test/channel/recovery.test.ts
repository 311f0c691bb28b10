import { afterEach, describe, expect, it } from '@jest/globals';
import { ChannelClient, type ChannelClientOptions } from '../../src/channel/client.ts';
import { ChannelServer, type ChannelServerOptions } from '../../src/channel/server.ts';
import { channelStats, zeroChannelStats } from '../../src/channel/stats.ts';
import { newCertificate } from '../support/certificate.ts';
import { ChannelPeer } from '../support/channel-peer.ts';
import { CutPoint } from '../support/cut-point.ts';
import { cleanUp, listening } from '../support/in-process.ts';
import { authority, eventually, whereIs } from '../support/peer.ts';

const clients: ChannelClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  CutPoint.closeAll();
  await cleanUp();
});

const HISTORY = [{ channels: 'kept:*', size: 100, seconds: 60 }];

async function server(options: ChannelServerOptions = {}): Promise<ChannelServer> {
  const made = await listening(new ChannelServer('127.0.0.1:0', options));
  channelStats.current = zeroChannelStats();
  return made;
}

async function clientOf(address: string, more: ChannelClientOptions = {}): Promise<ChannelClient> {
  const client = new ChannelClient(address, { history: HISTORY, ...more });
  clients.push(client);
  client.connect();
  await eventually(() => client.connected, 'connected');
  return client;
}

/** What a client hears of a channel, and what it is told about gaps. */
function hearing(client: ChannelClient, channel: string): unknown[] {
  const heard: unknown[] = [];
  client.on(channel, (data, _, position) => heard.push(position ? [data, position.offset] : data));
  client.onRecovery = (answer) => heard.push(answer);
  return heard;
}

const subscribed = (count: number) =>
  eventually(() => channelStats.current?.subscriptions === count, `${count} subscriptions`);

describe('a channel with history', () => {
  it('gives a client that was away all it has missed, once and in order', async () => {
    const made = await server();
    const proxy = await CutPoint.before(made);
    const [away, source] = [await clientOf(proxy.address), await clientOf(authority(made))];
    const heard = hearing(away, 'kept:1');
    await subscribed(1);
    source.publish('kept:1', 'a');
    await eventually(() => heard.length === 1);
    proxy.refuses = true;
    proxy.cut();
    await eventually(() => !away.connected);
    await subscribed(0);
    for (const each of ['b', 'c']) source.publish('kept:1', each);
    await eventually(() => channelStats.current?.published === 3);
    proxy.refuses = false;
    await eventually(() => heard.length === 4);
    expect(heard).toEqual([
      ['a', 1],
      { channel: 'kept:1', recovered: true, missed: 2 },
      ['b', 2],
      ['c', 3],
    ]);
    expect(channelStats.current).toMatchObject({ recovered: 1, unrecovered: 0 });
  });

  it('tells of a gap when the history is another one', async () => {
    const made = await server();
    const { port } = whereIs(made) as { port: number };
    const away = await clientOf(`127.0.0.1:${port}`);
    const heard = hearing(away, 'kept:1');
    await subscribed(1);
    away.publish('kept:1', 'a');
    await eventually(() => heard.length === 1);
    await made.unlisten();
    for (const connection of made.connections.values()) connection.destroy();
    await eventually(() => !away.connected);
    await listening(new ChannelServer(`127.0.0.1:${port}`));
    await eventually(() => heard.length === 2);
    away.publish('kept:1', 'b');
    await eventually(() => heard.length === 3);
    expect(heard).toEqual([['a', 1], { channel: 'kept:1', recovered: false, missed: 0 }, ['b', 1]]);
  });

  it('fills the gap of a subscriber that was too slow', async () => {
    const made = await server({ subscriberBytes: 100_000 });
    const slow = await ChannelPeer.to(made);
    slow.say({ kind: 'subscribe', name: 'kept:1', bounds: { size: 100, seconds: 60 } });
    const [first] = await slow.hear(1);
    expect(first).toMatchObject({ kind: 'recovery', flag: true, count: 0 });
    slow.peer.socket.pause();
    const source = await clientOf(authority(made));
    for (let i = 1; i <= 60; i += 1) {
      source.publish('kept:1', Buffer.alloc(100_000, i));
      await eventually(() => channelStats.current?.published === i);
    }
    const sent = channelStats.current?.delivered ?? 0;
    // It gets nothing more after the first event that was dropped, so it can be no more than one.
    expect(channelStats.current).toMatchObject({ dropped: 1, subscriptions: 0 });
    slow.peer.socket.resume();
    const events = await slow.hear(sent);
    expect(await slow.hear(1)).toEqual([{ kind: 'lost', name: 'kept:1', count: 1 }]);
    const { position } = events.at(-1) as never as { position: { offset: number; epoch: string } };
    expect(position.offset).toBe(sent);
    slow.say({ kind: 'subscribe', name: 'kept:1', bounds: { size: 100, seconds: 60 }, position });
    const [answer, ...missed] = await slow.hear(1 + 60 - sent);
    expect(answer).toMatchObject({ kind: 'recovery', flag: true, count: 60 - sent });
    expect(missed.at(-1)).toMatchObject({ kind: 'event', position: { offset: 60 } });
  }, 20_000);

  it('does not care for the hour: it has no clock that can be set', async () => {
    const made = await server();
    const client = await clientOf(authority(made));
    const heard = hearing(client, 'kept:1');
    await subscribed(1);
    const real = Date.now;
    try {
      for (const jump of [1e10, -1e10]) {
        Date.now = () => real() + jump;
        client.publish('kept:1', jump);
      }
      await eventually(() => heard.length === 2);
    } finally {
      Date.now = real;
    }
    const late = await ChannelPeer.to(made);
    const { epoch } = await positionOf(late);
    const position = { offset: 0, epoch };
    late.say({ kind: 'subscribe', name: 'kept:1', position });
    expect(await late.hear(1)).toMatchObject([{ flag: true, count: 2 }]);
  });
});

async function positionOf(peer: ChannelPeer): Promise<{ epoch: string }> {
  peer.say({ kind: 'subscribe', name: 'kept:1', bounds: { size: 100, seconds: 60 } });
  const [answer] = await peer.hear(1);
  return (answer as never as { position: { epoch: string } }).position;
}

describe('a queue', () => {
  it('gives each job to one consumer, one after the other, also when a callback throws', async () => {
    const address = authority(await server());
    const [a, b, source] = [
      await clientOf(address),
      await clientOf(address),
      await clientOf(address),
    ];
    const done: unknown[] = [];
    let working = 0;
    const work = (who: string) => async (data: unknown) => {
      working += 1;
      expect(working).toBeLessThanOrEqual(2);
      await new Promise((next) => setImmediate(next));
      working -= 1;
      done.push(data);
      if (data === 3) throw new Error(`planned by ${who}`);
    };
    for (let i = 0; i < 20; i += 1) source.enqueue('work', i);
    a.watch('work', work('a'));
    b.watch('work', work('b'));
    await eventually(() => done.length === 20);
    expect([...done].sort((x, y) => Number(x) - Number(y))).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  it('gives a job again whose consumer went in the middle of it, and watches again after a cut', async () => {
    const made = await server();
    const proxy = await CutPoint.before(made);
    const [a, source] = [await clientOf(proxy.address), await clientOf(authority(made))];
    const seen: unknown[] = [];
    const first = Promise.withResolvers<void>();
    a.watch('work', (data) => {
      seen.push(data);
      if (seen.length === 1) return first.promise;
      return undefined;
    });
    for (const each of [1, 2]) source.enqueue('work', each);
    await eventually(() => seen.length === 1);
    proxy.cut();
    await eventually(() => !a.connected);
    first.resolve();
    await eventually(() => seen.length === 3);
    expect(seen).toEqual([1, 1, 2]);
    source.enqueue('work', 3);
    await eventually(() => seen.length === 4);
  });

  it('waits for reserve() where that is wanted, and for nobody after unwatch', async () => {
    const client = await clientOf(authority(await server()));
    const seen: unknown[] = [];
    client.watch('work', (data) => seen.push(data), false);
    for (const each of [1, 2, 3]) client.enqueue('work', each);
    client.reserve();
    await eventually(() => seen.length === 1);
    client.reserve();
    await eventually(() => seen.length === 2);
    client.unwatch('work');
    client.watch('work', (data) => seen.push(`again ${data}`));
    await eventually(() => seen.length === 3);
    expect(seen).toEqual([1, 2, 'again 3']);
  });

  it('refuses jobs when it is full, and says so', async () => {
    const client = await clientOf(authority(await server({ queueJobs: 2 })));
    let refused = 0;
    client.onRefused = ({ queue, count }) => {
      expect(queue).toBe('work');
      refused += count;
    };
    for (const each of [1, 2, 3, 4]) client.enqueue('work', each);
    await eventually(() => refused === 2);
    expect(channelStats.current).toMatchObject({ enqueued: 2, refused: 2, jobs: 2 });
  });
});

describe('the port', () => {
  it.each([
    ['the right one', 'same', 'same', true],
    ['a wrong one', 'same', 'other', false],
    ['none', 'same', undefined, false],
    ['one where the server has none', undefined, 'same', false],
  ])('with a secret: a client with %s', async (_, theirs, ours, works) => {
    const made = await server(theirs === undefined ? {} : { secret: theirs });
    const client = new ChannelClient(authority(made), ours === undefined ? {} : { secret: ours });
    clients.push(client);
    const errors: string[] = [];
    client.onError = (code, message) => errors.push(`${code} ${message}`);
    client.connect();
    await eventually(() => client.connected || errors.length > 0);
    expect(errors).toEqual(works ? [] : [expect.stringMatching(/^HANDSHAKE_FAILED .*secret/)]);
    expect(client.connected).toBe(works);
  });

  it('speaks TLS where it is told to', async () => {
    await using certificate = newCertificate();
    const made = await server({
      ssl: { cert: certificate.cert, key: certificate.key },
      secret: 'both',
    });
    const client = new ChannelClient(authority(made), {
      tls: { ca: certificate.ca },
      secret: 'both',
    });
    clients.push(client);
    const heard: unknown[] = [];
    client.on('a', (data) => heard.push(data));
    client.publish('a', 1);
    client.connect();
    await eventually(() => heard.length === 1);
  });

  it('and its clients notice a peer that has fallen silent', async () => {
    const made = await server({ heartbeat: 0.1 });
    const proxy = await CutPoint.before(made);
    const client = await clientOf(proxy.address, { heartbeat: 0.1 });
    const heard = hearing(client, 'kept:1');
    await subscribed(1);
    client.publish('kept:1', 'a');
    await eventually(() => heard.length === 1);
    proxy.silence();
    await eventually(() => heard.length === 2, 'the client notices');
    expect(heard[1]).toEqual({ channel: 'kept:1', recovered: true, missed: 0 });
    // A client that gives no sign of life.
    const mute = await ChannelPeer.to(made);
    expect(await mute.peer.end()).toBe('end');
  });
});
