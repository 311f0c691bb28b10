import { describe, expect, it } from '@jest/globals';
import { nextPeers } from '../../../operator/decide/peers.ts';
import type { PeerPod, PeerSource, Peers } from '../../../operator/decide/view.ts';
import { ServerWorld } from '../../support/server-world.ts';

const pod = (name: string, part: Partial<PeerPod> = {}): PeerPod => ({
  name,
  ip: `10.0.0.${name.slice(1)}`,
  ready: true,
  leaving: false,
  over: false,
  ...part,
});
const pods = (...all: PeerPod[]): PeerSource => ({
  is: 'pods',
  what: 'ChannelServer events',
  pods: all,
});
const missing: PeerSource = { is: 'missing', what: 'ChannelServer events' };

/** A list in a few words. */
function said(peers: Peers | undefined): string {
  if (!peers) return 'none';
  const words = (['channel', 'gateway'] as const).flatMap((service) => {
    const list = peers[service];
    return list
      ? [`${service} ${list.map(({ id, address }) => `${id}=${address}`).join(' ')}`]
      : [];
  });
  return [`${peers.version}:`, ...words].join(' ').trim();
}

/** Lists one after the other, each with the one before. */
function story(service: 'channel' | 'gateway', ...steps: readonly PeerSource[]): string[] {
  let peers: Peers | undefined;
  return steps.map((source) => {
    peers = nextPeers(peers, { [service]: source }, 0);
    return said(peers);
  });
}

describe('channel members', () => {
  it('are pods that are ready, in the order of their names', () => {
    const steps = [pods(), pods(pod('p2')), pods(pod('p2'), pod('p1')), pods(pod('p1'), pod('p2'))];
    expect(story('channel', ...steps)).toEqual([
      '1: channel',
      '2: channel p2=10.0.0.2:2206',
      '3: channel p1=10.0.0.1:2206 p2=10.0.0.2:2206',
      '3: channel p1=10.0.0.1:2206 p2=10.0.0.2:2206',
    ]);
  });

  it.each<[string, Partial<PeerPod>]>([
    ['is drained', { leaving: true }],
    ['is killed', { ready: false }],
    ['has ended', { over: true }],
    ['has no address', { ip: undefined as never }],
  ])('are without one that %s', (_, part) => {
    const { ip, ...rest } = { ...pod('p2'), ...part };
    const gone = ip === undefined ? rest : { ...rest, ip };
    expect(
      story('channel', pods(pod('p1'), pod('p2')), pods(pod('p1'), gone), pods(pod('p1'))),
    ).toEqual([
      '1: channel p1=10.0.0.1:2206 p2=10.0.0.2:2206',
      '2: channel p1=10.0.0.1:2206',
      '2: channel p1=10.0.0.1:2206',
    ]);
  });

  it('are another list when one has moved', () => {
    const moved = pod('p1', { ip: '10.9.9.9' });
    const six = pod('p1', { ip: 'fd00::7' });
    expect(story('channel', pods(pod('p1')), pods(moved), pods(six))).toEqual([
      '1: channel p1=10.0.0.1:2206',
      '2: channel p1=10.9.9.9:2206',
      '3: channel p1=[fd00::7]:2206',
    ]);
  });

  it('are an empty list of an object that does not exist, so that nobody starts servers of their own', () => {
    expect(story('channel', missing, missing, pods(pod('p1')), missing)).toEqual([
      '1: channel',
      '1: channel',
      '2: channel p1=10.0.0.1:2206',
      '3: channel',
    ]);
  });

  it('are the servers of NATS by their addresses', () => {
    const nats: PeerSource = {
      is: 'addresses',
      what: 'ChannelServer events',
      addresses: ['nats://b:4222', 'nats://a:4222'],
    };
    expect(story('channel', pods(pod('p1')), nats)).toEqual([
      '1: channel p1=10.0.0.1:2206',
      '2: channel nats://a:4222=nats://a:4222 nats://b:4222=nats://b:4222',
    ]);
  });
});

describe('gateway members', () => {
  const gates = (...gateways: string[]) => ({ gateways });

  it('are all that the pods have said, each at the address of its pod', () => {
    const one = pod('p1', gates('0.0.0.0:2900', '0.0.0.0:2901', 'unix:///tmp/x'));
    const two = pod('p2', gates('[::]:2900', '10.1.1.1:2950'));
    expect(story('gateway', pods(two, one))).toEqual([
      '1: gateway p1/2900=10.0.0.1:2900 p1/2901=10.0.0.1:2901 p2/2900=10.0.0.2:2900 p2/2950=10.1.1.1:2950',
    ]);
  });

  it('stay while a pod drains, ends or is not ready, and go with it', () => {
    const gone = { ...gates('0.0.0.0:2900'), leaving: true, ready: false };
    expect(
      story(
        'gateway',
        pods(pod('p1', gates('0.0.0.0:2900'))),
        pods(pod('p1', gone)),
        pods(pod('p1', { ...gone, over: true })),
        pods(),
      ),
    ).toEqual([
      '1: gateway p1/2900=10.0.0.1:2900',
      '1: gateway p1/2900=10.0.0.1:2900',
      '2: gateway',
      '2: gateway',
    ]);
  });

  it('of a pod that a new operator has not heard yet are those that it had', () => {
    expect(
      story(
        'gateway',
        pods(pod('p1', gates('0.0.0.0:2900')), pod('p2', gates('0.0.0.0:2900'))),
        pods(pod('p1'), pod('p2'), pod('p3')),
        pods(pod('p1', gates('0.0.0.0:2901')), pod('p2')),
      ),
    ).toEqual([
      '1: gateway p1/2900=10.0.0.1:2900 p2/2900=10.0.0.2:2900',
      '1: gateway p1/2900=10.0.0.1:2900 p2/2900=10.0.0.2:2900',
      '2: gateway p1/2901=10.0.0.1:2901 p2/2900=10.0.0.2:2900',
    ]);
  });
});

describe('a list', () => {
  const one = pods(pod('p1'));

  it('is none for a server without references, and empty for one that had some', () => {
    expect(nextPeers(undefined, {}, 0)).toBeUndefined();
    const before = nextPeers(undefined, { channel: one }, 0);
    expect(said(nextPeers(before, {}, 0))).toBe('2:');
    expect(said(nextPeers(nextPeers(before, {}, 0), {}, 0))).toBe('2:');
  });

  it('has both services, and one version', () => {
    const gateway = pods(pod('p9', { gateways: ['0.0.0.0:2900'] }));
    expect(said(nextPeers(undefined, { channel: one, gateway }, 0))).toBe(
      '1: channel p1=10.0.0.1:2206 gateway p9/2900=10.0.0.9:2900',
    );
  });

  it('is newer than any that a pod has, also when the one before is lost', () => {
    expect(said(nextPeers(undefined, { channel: one }, 41))).toBe('42: channel p1=10.0.0.1:2206');
    const before = nextPeers(undefined, { channel: one }, 0);
    expect(said(nextPeers(before, { channel: one }, 7))).toBe('8: channel p1=10.0.0.1:2206');
  });
});

describe('a server that refers to others', () => {
  const world = (source: PeerSource) => {
    const made = new ServerWorld({ replicas: 2, channelRef: { name: 'events' } });
    refer(made, source);
    made.run(12);
    made.log.splice(0);
    return made;
  };
  const refer = (made: ServerWorld, source: PeerSource) => {
    const sources = { channel: source };
    made.peers = { sources, now: nextPeers(made.peers?.now, sources, 0) };
  };
  const why = (made: ServerWorld, type: string) => {
    const found = made.decision?.status.conditions.find((each) => each.type === type);
    return `${found?.status} ${found?.reason}: ${found?.message}`;
  };

  it('gives each list to every pod once, also to one that had missed it', () => {
    const made = world(pods(pod('p1')));
    expect(made.log).toEqual([]);
    refer(made, pods(pod('p1'), pod('p2')));
    made.step();
    expect(made.log.splice(0)).toEqual(['13 peers p1', '13 peers p2']);
    made.step();
    expect(made.log).toEqual([]);
    expect(why(made, 'PeersKnown')).toBe('True Known: 2 of ChannelServer events');
    const [first] = made.pods.values();
    if (first) first.answer.peers = 1;
    made.step();
    expect(made.log).toEqual(['15 peers p1']);
    expect(made.decision?.status.change?.class).toBe('Scale');
  });

  it('is not Ready while what it refers to was never there, and its pods run all the same', () => {
    const made = world(missing);
    const sentence = 'ChannelServer events does not exist; it is looked for again when it is made';
    expect(why(made, 'PeersKnown')).toBe(`False Missing: ${sentence}`);
    expect(why(made, 'Ready')).toBe(`False PeersMissing: ${sentence}`);
    expect(why(made, 'Stalled')).toBe(`True PeersMissing: ${sentence}`);
    expect(made.decision?.status).toMatchObject({ phase: 'Stalled', readyReplicas: 2 });
    refer(made, pods());
    made.step();
    expect(why(made, 'PeersKnown')).toBe(
      'False NoMembers: ChannelServer events has no pod that takes connections',
    );
    expect(why(made, 'Ready')).toMatch(/^True/);
    refer(made, missing);
    made.run(2);
    expect(why(made, 'PeersKnown')).toBe(`False Gone: ${sentence}`);
    expect(why(made, 'Ready')).toMatch(/^True/);
  });

  it('says nothing of peers when it refers to none', () => {
    const made = new ServerWorld({ replicas: 1 });
    made.run(5);
    expect(why(made, 'PeersKnown')).toBe('undefined undefined: undefined');
  });
});
