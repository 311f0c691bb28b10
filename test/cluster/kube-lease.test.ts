import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { KubeObject } from '../../operator/api/meta.ts';
import type { Client } from '../../operator/kube/client.ts';
import { Recorder } from '../../operator/kube/events.ts';
import { Elector } from '../../operator/kube/lease.ts';
import { resources } from '../../operator/kube/resources.ts';
import { ApiServer, noApiServer } from './support/api-server.ts';
import { eventually } from './support/run.ts';
import { describeUnless } from './support/skip.ts';
import { Wire } from './support/wire.ts';

let server: ApiServer;
let client: Client;

beforeAll(async () => {
  if (noApiServer !== undefined) return;
  server = await ApiServer.start();
  client = server.client();
}, 180_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

describeUnless(noApiServer, 'Elector', () => {
  let count = 0;
  const lost: string[] = [];
  function elector(name: string, identity: string, of: Client = client): Elector {
    const elected = new Elector({
      client: of,
      namespace: 'default',
      name,
      identity,
      onLost: (why) => lost.push(`${identity}: ${why}`),
    });
    ends.push(() => elected.stop());
    return elected;
  }
  const lease = () => `lease-${++count}`;
  const holder = async (name: string) => {
    const found = await client.get<KubeObject & { spec: { holderIdentity: string } }>({
      resource: resources.Lease,
      namespace: 'default',
      name,
    });
    return found.spec.holderIdentity;
  };

  it('elects one of two, and the other when the first gives it back', async () => {
    const name = lease();
    const [a, b] = [elector(name, 'a'), elector(name, 'b')];
    const first = await Promise.race([a.elected.then(() => a), b.elected.then(() => b)]);
    const second = first === a ? b : a;
    expect([first.leads, second.leads]).toEqual([true, false]);
    expect(await holder(name)).toBe(first === a ? 'a' : 'b');
    const startedAt = performance.now();
    await first.stop();
    await second.elected;
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect([first.leads, second.leads, lost]).toEqual([false, true, []]);
  }, 30_000);

  it('ends a leader that cannot renew before another begins', async () => {
    const name = lease();
    using wire = await Wire.to(server.port);
    const a = elector(name, 'a', server.client(undefined, wire.port));
    await a.elected;
    const b = elector(name, 'b');
    wire.unplug();
    await eventually('the loss', () => lost.length > 0, 20_000);
    expect([a.leads, b.leads, lost.splice(0)]).toEqual([
      false,
      false,
      ['a: the lease was not renewed for 10 s'],
    ]);
    await b.elected;
    expect(await holder(name)).toBe('b');
  }, 60_000);

  it('ends a leader whose lease was taken', async () => {
    const name = lease();
    const a = elector(name, 'a');
    await a.elected;
    const ref = { resource: resources.Lease, namespace: 'default', name };
    await client.patch(ref, { spec: { holderIdentity: 'thief' } });
    await eventually('the loss', () => lost.length > 0, 20_000);
    expect([a.leads, lost.splice(0)]).toEqual([false, ['a: thief holds the lease']]);
    expect(await holder(name)).toBe('thief');
  }, 30_000);

  it('takes what it held in an earlier life at once, and renews it', async () => {
    const name = lease();
    await elector(name, 'a').elected;
    const again = elector(name, 'a');
    await again.elected;
    const ref = { resource: resources.Lease, namespace: 'default', name };
    const version = async () => (await client.get(ref)).metadata.resourceVersion;
    const before = await version();
    await eventually('a renewal', async () => (await version()) !== before, 15_000);
    expect(again.leads).toBe(true);
  }, 30_000);
});

type KubeEvent = KubeObject & {
  readonly reason: string;
  readonly note: string;
  readonly series?: { readonly count: number };
};

describeUnless(noApiServer, 'Recorder', () => {
  beforeAll(async () => {
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'events' } });
  });

  const about = (name: string): KubeObject => ({
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'SocketServer',
    metadata: { namespace: 'events', name, uid: `uid-${name}` },
  });
  const recorder = (of: Client = client) =>
    new Recorder({ client: of, controller: 'longshore.dev/operator', instance: 'operator-0' });
  const eventsOf = async (name: string) => {
    const { items } = await client.list<KubeEvent>(resources.Event, { namespace: 'events' });
    return items.filter(({ metadata }) => metadata.name.startsWith(`${name}.`));
  };

  it('writes what happened, and counts the same again', async () => {
    const mine = recorder();
    mine.note(about('chat'), 'Normal', 'Draining', 'chat-1 is being drained', 'Drain');
    for (let i = 0; i < 3; i += 1)
      mine.note(about('chat'), 'Warning', 'Failed', `€${'x'.repeat(2000)}`, 'Start');
    await mine.idle();
    const [one, other] = (await eventsOf('chat')).sort((a, b) => a.reason.localeCompare(b.reason));
    expect(one).toMatchObject({
      reason: 'Draining',
      type: 'Normal',
      note: 'chat-1 is being drained',
      action: 'Drain',
      reportingController: 'longshore.dev/operator',
      reportingInstance: 'operator-0',
      regarding: { kind: 'SocketServer', namespace: 'events', name: 'chat', uid: 'uid-chat' },
    });
    expect(other).toMatchObject({ reason: 'Failed', series: { count: 3 } });
    expect(Buffer.byteLength(other?.note ?? '')).toBe(1024);
    expect([mine.written, mine.dropped, mine.failed]).toEqual([4, 0, 0]);
  });

  it('writes 25 of an object at most, and begins anew what somebody has removed', async () => {
    const mine = recorder();
    for (let i = 0; i < 40; i += 1) mine.note(about('busy'), 'Normal', 'Scaled', `${i}`, 'Scale');
    await mine.idle();
    expect(await eventsOf('busy')).toHaveLength(25);
    expect([mine.written, mine.dropped]).toEqual([25, 15]);
    mine.note(about('gone'), 'Normal', 'Seen', 'once', 'See');
    await mine.idle();
    for (const { metadata } of await eventsOf('gone'))
      await client.remove({ resource: resources.Event, namespace: 'events', name: metadata.name });
    for (let i = 0; i < 2; i += 1) {
      mine.note(about('gone'), 'Normal', 'Seen', 'once', 'See');
      await mine.idle();
    }
    expect([mine.failed, (await eventsOf('gone')).length]).toEqual([1, 1]);
  });

  it('only counts what cannot be written', async () => {
    const mine = recorder(server.client({ token: 'nobody' }));
    mine.note(about('silent'), 'Normal', 'Seen', 'once', 'See');
    await mine.idle();
    expect([mine.written, mine.failed]).toEqual([0, 1]);
  });
});
