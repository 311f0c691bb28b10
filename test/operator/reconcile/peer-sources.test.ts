import { describe, expect, it } from '@jest/globals';
import { ANNOTATION, GOING } from '../../../operator/api/names.ts';
import { isMove, sourcesOf } from '../../../operator/reconcile/peer-sources.ts';
import {
  consumersOf,
  elsewhereOf,
  keyOfOwner,
  keyOfServer,
  serverAt,
} from '../../../operator/reconcile/servers.ts';
import { follow, type Wake } from '../../../operator/reconcile/wake.ts';
import { PeerScene } from '../../support/peer-scene.ts';

const CHANNEL = 'default/ChannelServer:events';

describe('what references lead to', () => {
  it('is nothing without references, and missing while there is no such object', () => {
    const scene = new PeerScene();
    expect(sourcesOf(scene, scene.server('plain'))).toEqual({});
    const chat = scene.server('chat', {
      channelRef: { name: 'events' },
      gatewayRef: { name: 'edge' },
    });
    expect(sourcesOf(scene, chat)).toEqual({
      channel: { is: 'missing', what: 'ChannelServer events' },
      gateway: { is: 'missing', what: 'SocketServer edge' },
    });
  });

  it('is the pods of just that object of the same namespace, and how they stand', () => {
    const scene = new PeerScene();
    const chat = scene.server('chat', {
      channelRef: { name: 'edge' },
      gatewayRef: { name: 'edge' },
    });
    const channel = scene.channel('edge');
    const edge = scene.server('edge');
    // A SocketServer that is called as the objects of the ChannelServer are.
    const namesake = scene.server('edge-channel');
    const elsewhere = scene.server('edge', {}, 1, 'other');
    scene.pod(channel, 'c1', '10.0.0.1');
    const e1 = scene.pod(edge, 'e1', '10.0.0.2');
    scene.pod(edge, 'e2', '10.0.0.3', { ready: false });
    scene.pod(edge, 'e3', '10.0.0.4', { deleted: true });
    scene.pod(edge, 'e4', '10.0.0.5', { annotations: { [ANNOTATION.drain]: 'now' } });
    scene.pod(edge, 'e5', '10.0.0.6', { annotations: { [ANNOTATION.cost]: String(GOING) } });
    scene.pod(edge, 'e6', '10.0.0.7', { phase: 'Failed' });
    scene.pod(namesake, 'n1', '10.0.0.8');
    scene.pod(elsewhere, 'x1', '10.0.0.9');
    scene.hear(e1, ['0.0.0.0:2900']);
    const { channel: servers, gateway } = sourcesOf(scene, chat);
    expect(servers).toMatchObject({ is: 'pods', pods: [{ name: 'c1', ip: '10.0.0.1' }] });
    const plain = { ready: true, leaving: false, over: false };
    expect(gateway).toEqual({
      is: 'pods',
      what: 'SocketServer edge',
      pods: [
        { name: 'e1', ip: '10.0.0.2', ...plain, gateways: ['0.0.0.0:2900'] },
        { name: 'e2', ip: '10.0.0.3', ...plain, ready: false },
        { name: 'e3', ip: '10.0.0.4', ...plain, leaving: true },
        { name: 'e4', ip: '10.0.0.5', ...plain, leaving: true },
        { name: 'e5', ip: '10.0.0.6', ...plain, leaving: true },
        { name: 'e6', ip: '10.0.0.7', ...plain, over: true },
      ],
    });
  });

  it('is the addresses of a ChannelServer on NATS', () => {
    const scene = new PeerScene();
    const chat = scene.server('chat', { channelRef: { name: 'events' } });
    scene.channel('events', { engine: 'nats', nats: { servers: ['nats://a:4222'] } });
    expect(sourcesOf(scene, chat).channel).toEqual({
      is: 'addresses',
      what: 'ChannelServer events',
      addresses: ['nats://a:4222'],
    });
  });
});

describe('servers of both kinds', () => {
  it('have pods, but for a ChannelServer on NATS', () => {
    const scene = new PeerScene();
    const of = (key: string) => {
      const server = serverAt(scene.watches, key);
      return server && elsewhereOf(scene.watches, server);
    };
    scene.server('events');
    scene.channel('events');
    expect([of('default/events'), of(CHANNEL)]).toEqual([undefined, undefined]);
    const servers = ['nats://a:4222', 'nats://b:4222'];
    scene.channel('events', { engine: 'nats', nats: { servers } });
    expect([of('default/events'), of(CHANNEL)]).toEqual([
      undefined,
      'the 2 NATS servers in spec.nats.servers',
    ]);
    scene.channel('events', { engine: 'nats', nats: { servers: servers.slice(1) } });
    expect(of(CHANNEL)).toBe('the 1 NATS server in spec.nats.servers');
  });

  it('have keys of their own, which their objects lead back to', () => {
    const scene = new PeerScene();
    const [server, channel] = [scene.server('events'), scene.channel('events')];
    expect([keyOfServer(server), keyOfServer(channel)]).toEqual(['default/events', CHANNEL]);
    const owners = [server, channel].map((each) => keyOfOwner(scene.pod(each, 'p', '10.0.0.1')));
    expect(owners).toEqual(['default/events', CHANNEL]);
    expect(keyOfOwner({ metadata: { name: 'x', namespace: 'default' } })).toBeUndefined();
  });

  it('have as consumers those who refer to them, and channel servers each other', () => {
    const scene = new PeerScene();
    scene.channel('events');
    scene.server('a', { channelRef: { name: 'events' } });
    scene.server('b', { gatewayRef: { name: 'events' } });
    scene.server('c', { channelRef: { name: 'events' }, gatewayRef: { name: 'a' } });
    scene.server('d', { channelRef: { name: 'events' } }, 1, 'other');
    expect(consumersOf(scene.watches, CHANNEL)).toEqual([CHANNEL, 'default/a', 'default/c']);
    expect(consumersOf(scene.watches, 'default/events')).toEqual(['default/b']);
    expect(consumersOf(scene.watches, 'default/a')).toEqual(['default/c']);
    scene.copies.channels.store.clear();
    expect(consumersOf(scene.watches, CHANNEL)).toEqual(['default/a', 'default/c']);
  });
});

describe('who is woken', () => {
  function woken(scene: PeerScene) {
    const calls = { look: [] as string[], push: [] as string[] };
    const wake: Wake = {
      look: (key) => void calls.look.push(key),
      push: (key) => void calls.push.push(key),
    };
    follow(scene.watches, scene.reports, wake);
    return () => {
      const now = { look: [...new Set(calls.look)].sort(), push: [...new Set(calls.push)].sort() };
      calls.look = [];
      calls.push = [];
      return now;
    };
  }

  function scene() {
    const made = new PeerScene();
    const edge = made.server('edge');
    const chat = made.server('chat', { gatewayRef: { name: 'edge' }, code: { configMap: 'code' } });
    const since = woken(made);
    expect(since()).toEqual({ look: ['default/chat', 'default/edge'], push: [] });
    return { made, edge, chat, since };
  }

  it('by a pod that comes, becomes ready or leaves: its server, and who uses it', () => {
    const { made, edge, since } = scene();
    const all = { look: ['default/chat', 'default/edge'], push: ['default/chat'] };
    made.pod(edge, 'e1', '10.0.0.1', { ready: false });
    expect(since()).toEqual(all);
    const pod = made.pod(edge, 'e1', '10.0.0.1');
    expect(since()).toEqual(all);
    // Something of no interest to others.
    made.pod(edge, 'e1', '10.0.0.1', { annotations: { note: 'x' } });
    expect(since()).toEqual({ look: ['default/edge'], push: [] });
    made.copies.pods.drop(pod);
    expect(since()).toEqual(all);
  });

  it('by a pod that says of other gateways than before', () => {
    const { made, edge, since } = scene();
    const pod = made.pod(edge, 'e1', '10.0.0.1');
    since();
    made.hear(pod, ['0.0.0.0:2900']);
    expect(since()).toEqual({ look: ['default/chat'], push: ['default/chat'] });
    made.hear(pod, ['0.0.0.0:2900']);
    expect(since()).toEqual({ look: [], push: [] });
    made.hear(pod, ['0.0.0.0:2901']);
    expect(since()).toEqual({ look: ['default/chat'], push: ['default/chat'] });
    expect(made.reports.gatewaysOf('uid e1')).toEqual(['0.0.0.0:2901']);
    made.copies.pods.drop(pod);
    expect(made.reports.gatewaysOf('uid e1')).toBeUndefined();
  });

  it('by an edit of a server, but not by its status', () => {
    const { made, since } = scene();
    made.server('edge');
    expect(since()).toEqual({ look: ['default/edge'], push: [] });
    made.server('edge', {}, 2);
    expect(since()).toEqual({
      look: ['default/chat', 'default/edge'],
      push: ['default/chat', 'default/edge'],
    });
  });

  it('by the ConfigMap with its code', () => {
    const { made, since } = scene();
    const map = (name: string, namespace = 'default') => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
    });
    made.copies.configMaps.put(map('other'));
    made.copies.configMaps.put(map('code', 'elsewhere'));
    expect(since()).toEqual({ look: [], push: [] });
    made.copies.configMaps.put(map('code'));
    expect(since()).toEqual({ look: ['default/chat'], push: [] });
  });

  it('a pod that only gets older is no move', () => {
    const made = new PeerScene();
    const edge = made.server('edge');
    const pod = made.pod(edge, 'e1', '10.0.0.1');
    expect([isMove(pod, pod), isMove(pod, undefined), isMove(undefined, pod)]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
