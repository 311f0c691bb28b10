import { describe, expect, it } from '@jest/globals';
import { isOf, namesOf } from '../../../operator/api/names.ts';
import type { ChannelServer, ChannelServerSpec } from '../../../operator/api/types.ts';
import { inputsOf, revisionOf } from '../../../operator/decide/inputs.ts';
import { channelAsServer } from '../../../operator/desired/channel.ts';
import { objectsOf } from '../../../operator/desired/objects.ts';
import { peersMap } from '../../../operator/desired/peers-map.ts';
import { podTemplate } from '../../../operator/desired/pod.ts';
import { undoOf } from '../../../operator/reconcile/undo.ts';
import { serverOf } from '../../support/servers.ts';

const METADATA = { name: 'events', namespace: 'default', uid: 'c1', generation: 1 };

const channelOf = (spec: Partial<ChannelServerSpec>, annotations = {}): ChannelServer => ({
  apiVersion: 'longshore.dev/v1alpha1',
  kind: 'ChannelServer',
  metadata: { ...METADATA, annotations },
  spec: spec as ChannelServerSpec,
});
const viewed = (spec: Partial<ChannelServerSpec>) => channelAsServer(channelOf(spec));

describe('a ChannelServer', () => {
  it('is a server that runs the program of the image, and is its own peer', () => {
    const { metadata, kind, spec } = viewed({ image: 'app:1', replicas: 3 });
    expect([kind, metadata.name]).toEqual(['ChannelServer', 'events']);
    expect(spec).toMatchObject({
      replicas: 3,
      image: 'app:1',
      app: '/node_modules/longshore/dist/src/channel/main.js',
      workers: [{ name: 'ChannelServer', listen: 'tcp://0.0.0.0:2206' }],
      channelRef: { name: 'events' },
      service: { type: 'ClusterIP' },
      drain: { propagationSeconds: 5, windowSeconds: 30 },
      env: [
        { name: 'LONGSHORE_MEMBER', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'LONGSHORE_CHANNEL_HISTORY_BYTES', value: '67108864' },
      ],
    });
  });

  it('has objects of other names than a SocketServer that is called the same', () => {
    const server = viewed({ image: 'app:1', replicas: 2 });
    const all = [...objectsOf(server), peersMap(server, { version: 1 })];
    expect(all.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'ConfigMap events-channel-config',
      'ConfigMap events-channel-workers',
      'Service events-channel',
      'PodDisruptionBudget events-channel',
      'ConfigMap events-channel-peers',
    ]);
    for (const { metadata } of all) {
      expect(metadata.ownerReferences).toEqual([
        {
          apiVersion: 'longshore.dev/v1alpha1',
          kind: 'ChannelServer',
          name: 'events',
          uid: 'c1',
          controller: true,
        },
      ]);
      expect(metadata.labels).toMatchObject({
        'longshore.dev/server': 'events-channel',
        'longshore.dev/kind': 'ChannelServer',
      });
    }
  });

  it('does not take the objects of a SocketServer for its own, nor the other way round', () => {
    const channel = viewed({ image: 'app:1', replicas: 2 });
    const { metadata } = serverOf({});
    const rival = { ...serverOf({}), metadata: { ...metadata, name: 'events-channel' } };
    expect(namesOf(rival).server).toBe(namesOf(channel).server);
    const [own] = objectsOf(channel);
    const [other] = objectsOf(rival);
    if (!own || !other) throw new Error('no objects');
    expect([isOf(own, channel), isOf(own, rival)]).toEqual([true, false]);
    expect([isOf(other, channel), isOf(other, rival)]).toEqual([false, true]);
  });

  it('has pods that know their own name', () => {
    const tuning = { pod: {}, init: {}, privileged: false, hostUsers: true, wanted: {} };
    const template = podTemplate(viewed({ image: 'app:1' }), {
      revision: 'r1',
      graceSeconds: 50,
      tuning,
    });
    expect(template).toMatchObject({
      metadata: { labels: { 'longshore.dev/kind': 'ChannelServer' } },
      spec: {
        containers: [
          {
            args: ['start', '/node_modules/longshore/dist/src/channel/main.js'],
            ports: [{ name: 'channelserver', containerPort: 2206, protocol: 'TCP' }, {}],
          },
        ],
      },
    });
    expect(JSON.stringify(template)).toContain('"events-channel-peers"');
  });

  it('of NATS has no pods, no Service, and needs no image', () => {
    const nats = { servers: ['nats://n:4222'] };
    const server = viewed({ engine: 'nats', nats, replicas: 3 });
    expect(server.spec).toMatchObject({ replicas: 0, service: { type: 'None' } });
    expect(server.spec.channelRef).toBeUndefined();
    expect(objectsOf(server).map(({ kind }) => kind)).toEqual(['ConfigMap', 'ConfigMap']);
  });

  it('has the same revision for the same fields, and another for another image or history', () => {
    const of = (spec: Partial<ChannelServerSpec>) => revisionOf(inputsOf(viewed(spec).spec));
    const first = of({ image: 'app:1' });
    expect(of({ image: 'app:1', replicas: 5, rollout: { maxSurge: 2 } as never })).toBe(first);
    expect(of({ image: 'app:2' })).not.toBe(first);
    expect(of({ image: 'app:1', history: { maxBytes: 5_000_000 } })).not.toBe(first);
  });

  it('goes back to a revision by its own fields alone', () => {
    const now = channelAsServer(
      channelOf({ image: 'app:2' }, { 'longshore.dev/undo': 'previous' }),
    );
    const inputs = inputsOf(viewed({ image: 'app:1' }).spec);
    const set = { name: 's', revision: 'r1', number: 1, replicas: 0, inputs, skipped: {} };
    const undo = undoOf(now, [set]);
    if (undo.is !== 'patch') throw new Error(undo.is);
    const { spec } = undo.patch as { spec: object };
    expect(spec).toEqual({ image: 'app:1' });
  });
});
