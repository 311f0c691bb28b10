import { describe, expect, it } from '@jest/globals';
import { specSchema } from '../../../operator/api/schema.ts';
import { canonical } from '../../../operator/decide/inputs.ts';
import { ServerWorld, type SpecPart } from '../../support/server-world.ts';

const SPEC = {
  image: 'app:1',
  replicas: 2,
  code: { configMap: 'chat-code' },
  workers: [{ name: 'chat', count: 2, listen: 'websocket://0.0.0.0:7272' }],
};
const [CHAT] = SPEC.workers;
const rollout = { maxSurge: 1, maxUnavailable: 0, minReadySeconds: 5 };

/** Every field of a spec, edited alone: what it needs, and the fields that the status names. */
const EDITS: readonly (readonly [part: SpecPart, needs: string])[] = [
  [{ image: 'app:2' }, 'PodReplacement: image'],
  [{ imagePullPolicy: 'Always' }, 'PodReplacement: imagePullPolicy'],
  [{ imagePullSecrets: [{ name: 'registry' }] }, 'PodReplacement: imagePullSecrets'],
  [{ app: 'chat.ts' }, 'PodReplacement: app'],
  [{ code: { configMap: 'other-code' } }, 'PodReplacement: code'],
  [{ code: undefined }, 'PodReplacement: code'],
  [{ workers: [{ ...CHAT, listen: 'websocket://0.0.0.0:80' }] }, 'PodReplacement: workers'],
  [{ workers: [{ ...CHAT, name: 'talk' }] }, 'PodReplacement: workers'],
  [{ workers: [{ ...CHAT, count: 4 }] }, 'WorkerReload: code, workers or reload'],
  [{ workers: [CHAT, { name: 'push', count: 1 }] }, 'WorkerReload: code, workers or reload'],
  [{ workers: [{ ...CHAT, servicePort: 80 }] }, 'None'],
  [{ workers: [CHAT, { name: 'push' }] }, 'None'],
  [{ env: [{ name: 'A', value: '1' }] }, 'PodReplacement: env'],
  [{ envFrom: [{ secretRef: { name: 's' } }] }, 'PodReplacement: envFrom'],
  [{ resources: { limits: { memory: '1Gi' } } }, 'PodReplacement: resources'],
  [{ drain: { propagationSeconds: 1 } }, 'PodReplacement: drain'],
  [{ drain: { windowSeconds: 60 } }, 'PodReplacement: drain'],
  [{ limits: { maxConnections: 100 } }, 'PodReplacement: limits'],
  [{ tuning: { mode: 'Off' } }, 'PodReplacement: tuning'],
  [{ tuning: { sysctls: { 'net.ipv4.tcp_fin_timeout': '20' } } }, 'PodReplacement: tuning'],
  [{ podTemplate: { spec: { priorityClassName: 'high' } } }, 'PodReplacement: podTemplate'],
  [{ podTemplate: { metadata: { labels: { team: 'a' } } } }, 'PodReplacement: podTemplate'],
  [{ image: 'app:2', env: [{ name: 'A', value: '1' }] }, 'PodReplacement: image, env'],
  [{ image: 'app:2', replicas: 5, config: { motd: 'b' } }, 'PodReplacement: image'],
  [{ replicas: 5 }, 'Scale: replicas'],
  [{ replicas: 0 }, 'Scale: replicas'],
  [{ config: { motd: 'hello' } }, 'Hot: config'],
  // The pods get another list of peers at once; no process is replaced, and none has to take note.
  [{ channelRef: { name: 'events' } }, 'None'],
  [{ gatewayRef: { name: 'gates' } }, 'None'],
  [{ service: { type: 'LoadBalancer' } }, 'None'],
  [{ service: { annotations: { a: 'b' } } }, 'None'],
  [{ rollout: { ...rollout, maxSurge: 2 } }, 'None'],
  [{ rollout: { ...rollout, maxUnavailable: 1 } }, 'None'],
  [{ rollout: { ...rollout, minReadySeconds: 1 } }, 'None'],
  [{ rollout: { ...rollout, paused: true } }, 'None'],
  [{ rollout: { ...rollout, progressDeadlineSeconds: 9 } }, 'None'],
  [{ rollout: { ...rollout, revisionHistoryLimit: 1 } }, 'None'],
];

function settled(): ServerWorld {
  const world = new ServerWorld(SPEC);
  world.code = 'k1';
  world.config = canonical(world.server.spec.config);
  world.settle();
  world.run(10);
  return world;
}

/** What the operator says right after. */
function needed(world: ServerWorld): string {
  const before = world.decision?.status.change?.startedAt;
  world.config = canonical(world.server.spec.config);
  world.step();
  const change = world.decision?.status.change;
  return change === undefined || change.startedAt === before
    ? 'None'
    : `${change.class}: ${change.reason}`;
}

describe('an edit', () => {
  it.each(EDITS.map(([part, needs]) => [JSON.stringify(part), needs, part] as const))(
    'to %s needs %s',
    (_, needs, part) => {
      const world = settled();
      world.edit(part);
      expect(needed(world)).toBe(needs);
    },
  );

  it('is in the table for each field that a spec has', () => {
    const edited = new Set(EDITS.flatMap(([part]) => Object.keys(part)));
    expect([...edited].sort()).toEqual(Object.keys(specSchema.properties ?? {}).sort());
  });

  it('of files in the ConfigMap, or of the annotation, is a reload', () => {
    const files = settled();
    files.code = 'k2';
    expect(needed(files)).toBe('WorkerReload: code, workers or reload');
    const wish = settled();
    wish.annotate('longshore.dev/reload', 'now');
    expect(needed(wish)).toBe('WorkerReload: code, workers or reload');
  });

  it('that only writes keys or workers in another order is none', () => {
    const push = { name: 'push', count: 1, listen: 'tcp://0.0.0.0:1' };
    const world = new ServerWorld({ ...SPEC, workers: [CHAT, push] });
    world.code = 'k1';
    world.settle();
    world.edit({ workers: [push, CHAT], code: { configMap: 'chat-code' } });
    world.config = 'c1';
    const before = world.decision?.status.change;
    world.step();
    expect(world.decision?.status.change).toEqual(before);
  });
});
