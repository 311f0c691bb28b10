import { describe, expect, it } from '@jest/globals';
import { decide } from '../../../operator/decide/decide.ts';
import { ServerWorld } from '../../support/server-world.ts';

function settled(replicas: number): ServerWorld {
  const world = new ServerWorld({ replicas });
  world.settle();
  world.step();
  return world;
}

describe('a decision', () => {
  it('is looked at again soon while something goes on, else seldom', () => {
    expect(settled(2).decision?.lookAgainMs).toBe(10_000);
    expect(settled(0).decision?.lookAgainMs).toBe(600_000);
    const busy = settled(2);
    busy.edit({ image: 'app:2' });
    busy.step();
    expect(busy.decision?.lookAgainMs).toBe(1000);
    busy.missing = ['ConfigMap a'];
    busy.step();
    expect(busy.decision?.lookAgainMs).toBe(10_000);
  });

  it('of a server that is being deleted does nothing, and says so', () => {
    const world = settled(2);
    const { metadata } = world.server;
    world.server = { ...world.server, metadata: { ...metadata, deletionTimestamp: 'now' } };
    world.edit({ image: 'app:2', replicas: 5 });
    const { actions, status } = decide(world.observed());
    expect(actions).toEqual([]);
    expect(status.phase).toBe('Deleting');
  });

  it('of a server whose work others do makes nothing, and says who they are', () => {
    const world = new ServerWorld({ replicas: 0 });
    world.elsewhere = 'the 2 NATS servers in spec.nats.servers';
    world.run(3);
    expect([world.sets.size, world.log]).toEqual([0, []]);
    const { phase, conditions } = decide(world.observed()).status;
    expect(phase).toBe('Running');
    expect(conditions.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'True',
      reason: 'Elsewhere',
      message: 'programs use the 2 NATS servers in spec.nats.servers; no pods are made',
    });
  });

  it('of a server whose work others do from now on drains its pods, and takes it back later', () => {
    const world = settled(3);
    world.come(30);
    world.step();
    world.elsewhere = 'others';
    world.edit({ replicas: 0, image: 'none' });
    world.run(200);
    expect([world.pods.size, [...world.sets.values()].map(({ replicas }) => replicas)]).toEqual([
      0,
      [0],
    ]);
    expect(decide(world.observed()).status.phase).toBe('Running');
    world.elsewhere = undefined;
    world.edit({ replicas: 3, image: 'app:1' });
    world.run(60);
    expect([world.pods.size, world.sets.size]).toEqual([3, 1]);
  });

  it('lists 50 pods at most, those that need a look first', () => {
    const world = settled(60);
    const [first, second, third] = [...world.pods.values()];
    if (!first || !second || !third) throw new Error('too few pods');
    first.ready = false;
    second.drainSince = world.now;
    third.terminating = true;
    third.ready = false;
    const { pods, replicas, drainingReplicas, selector } = decide(world.observed()).status;
    expect(pods).toHaveLength(50);
    expect(pods.slice(0, 3).map(({ name, state }) => `${name} ${state}`)).toEqual([
      'p3 Terminating',
      'p1 Starting',
      'p2 Draining',
    ]);
    expect([replicas, drainingReplicas, selector]).toEqual([59, 2, 'longshore.dev/server=chat']);
  });

  it('counts connections of pods that end, too', () => {
    const world = new ServerWorld({ replicas: 2 });
    world.come(8);
    world.settle();
    for (const pod of world.pods.values()) pod.terminating = true;
    expect(decide(world.observed()).status.connections).toBe(8);
  });

  it('says that a reload failed once, not each time', () => {
    const world = new ServerWorld({ replicas: 1, code: { configMap: 'c' } });
    world.code = 'k1';
    world.settle();
    world.code = 'k2';
    world.badCode.add('k2');
    world.run(20);
    expect(world.log.filter((line) => line.includes('ReloadFailed'))).toHaveLength(1);
  });

  it('says what tuning leaves out, once', () => {
    const world = new ServerWorld({ replicas: 1 });
    world.settle();
    for (const set of world.sets.values()) set.skipped = { 'net.core.somaxconn': 'no' };
    world.run(5);
    expect(world.log.filter((line) => line.includes('TuningSkipped'))).toEqual([
      expect.stringMatching(/^\d+ warn TuningSkipped: net\.core\.somaxconn is left out: no$/),
    ]);
  });
});
