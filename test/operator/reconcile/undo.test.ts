import { describe, expect, it } from '@jest/globals';
import { complete } from '../../../operator/api/defaults.ts';
import type { SocketServer } from '../../../operator/api/types.ts';
import { inputsOf, revisionOf } from '../../../operator/decide/inputs.ts';
import type { SetView } from '../../../operator/decide/view.ts';
import { undoOf } from '../../../operator/reconcile/undo.ts';
import { Random } from '../../support/random.ts';
import { patched } from '../../support/server-scenes.ts';
import type { SpecPart } from '../../support/server-world.ts';
import { serverOf } from '../../support/servers.ts';

const UNDO = 'longshore.dev/undo';

function wishing(part: SpecPart, wish?: string): SocketServer {
  const server = serverOf(part);
  const annotations = { kept: 'yes', ...(wish === undefined ? {} : { [UNDO]: wish }) };
  return { ...server, metadata: { ...server.metadata, annotations } };
}

function setOf(part: SpecPart, number: number): SetView {
  const inputs = inputsOf(serverOf(part).spec);
  const revision = revisionOf(inputs);
  return { name: revision, revision, number, replicas: 0, inputs, skipped: {} };
}

/** What the server is after the patch, as the API server makes it. */
function undone(server: SocketServer, sets: readonly SetView[]): SocketServer {
  const undo = undoOf(server, sets);
  if (undo.is === 'nothing') throw new Error('nothing');
  return complete(patched(server, undo.patch) as SocketServer);
}

describe('a wish to go back', () => {
  const sets = [setOf({ image: 'a:1' }, 1), setOf({ image: 'a:3' }, 3), setOf({ image: 'a:2' }, 2)];

  it('that is none does nothing', () => {
    expect(undoOf(wishing({ image: 'a:3' }), sets)).toEqual({ is: 'nothing' });
  });

  it.each([
    ['previous', 'a:3', 'a:2', 2],
    ['previous', 'a:1', 'a:3', 3],
    ['previous', 'a:9', 'a:3', 3],
    ['1', 'a:3', 'a:1', 1],
    ['3', 'a:3', 'a:3', 3],
  ])('to %s from %s leads to %s', (wish, from, to, number) => {
    const server = wishing({ image: from, replicas: 7 }, wish);
    expect(undoOf(server, sets)).toMatchObject({
      is: 'patch',
      message: `back to revision ${number}`,
    });
    const { spec, metadata } = undone(server, sets);
    expect(spec.image).toBe(to);
    expect(spec.replicas).toBe(7);
    expect(metadata.annotations).toEqual({ kept: 'yes' });
  });

  it('to the previous one, out of a rollout that got stuck, leads to the one that still has pods', () => {
    const [first] = sets;
    const running = sets.map((set) => (set === first ? { ...set, replicas: 2 } : set));
    const server = wishing({ image: 'a:9' }, 'previous');
    expect(undoOf(server, running)).toMatchObject({ message: 'back to revision 1' });
    expect(undone(server, running).spec.image).toBe('a:1');
  });

  it.each([
    ['4', '1, 2, 3'],
    ['', '1, 2, 3'],
    ['latest', '1, 2, 3'],
  ])('to %j is impossible, said, and taken off', (wish, known) => {
    const server = wishing({ image: 'a:3', replicas: 7 }, wish);
    expect(undoOf(server, sets)).toEqual({
      is: 'impossible',
      patch: { metadata: { annotations: { [UNDO]: null } } },
      message: `longshore.dev/undo is "${wish}"; there is: previous, ${known}`,
    });
    expect(undone(server, sets).spec).toEqual(server.spec);
  });

  it('to previous is impossible where there is only one', () => {
    expect(undoOf(wishing({ image: 'a:1' }, 'previous'), sets.slice(0, 1)).is).toBe('impossible');
  });

  it('takes away what the revision did not have, and keeps what is no part of it', () => {
    const old = setOf({ image: 'a:1', limits: { maxConnections: 5 } }, 1);
    const server = wishing(
      {
        image: 'a:2',
        imagePullPolicy: 'Always',
        code: { configMap: 'c' },
        config: { motd: 'hi' },
        limits: { messagesPerSecond: 3 },
        resources: { limits: { cpu: '1' }, requests: { cpu: '1' } },
        service: { type: 'NodePort' },
        rollout: { maxSurge: 2 },
      },
      'previous',
    );
    expect(undone(server, [old]).spec).toEqual({
      ...serverOf({ image: 'a:1', limits: { maxConnections: 5 } }).spec,
      config: { motd: 'hi' },
      service: server.spec.service,
      rollout: server.spec.rollout,
    });
  });

  it('puts addresses of workers back, not their counts nor ports of the Service', () => {
    const chat = { name: 'chat', listen: 'tcp://0.0.0.0:1', servicePort: 80 };
    const gone = { name: 'gone', listen: 'tcp://0.0.0.0:2' };
    const old = setOf({ workers: [chat, gone] }, 1);
    const server = wishing(
      {
        workers: [
          { name: 'new', listen: 'tcp://0.0.0.0:3', servicePort: 90, count: 2 },
          { ...chat, listen: 'tcp://0.0.0.0:9', count: 4 },
          { name: 'jobs', count: 1 },
        ],
      },
      '1',
    );
    // `new` has an address and was not there then: it has come, or been renamed, since.
    expect(undone(server, [old]).spec.workers).toEqual([
      { ...chat, count: 4 },
      { name: 'jobs', count: 1 },
      gone,
    ]);
  });

  it('leads to the very revision, from whatever to whatever', () => {
    const random = new Random(3);
    for (let i = 0; i < 500; i += 1) {
      const target = setOf(anySpec(random), 1);
      const server = wishing(anySpec(random), '1');
      const back = undone(server, [target]);
      expect(revisionOf(inputsOf(back.spec))).toBe(target.revision);
      expect(back.spec.replicas).toBe(server.spec.replicas);
    }
  });
});

function anySpec(random: Random): SpecPart {
  const maybe = (part: SpecPart): SpecPart => (random.chance(0.5) ? part : {});
  const digit = () => String(random.int(1, 3));
  const record = () =>
    Object.fromEntries(
      ['a', 'b', 'c'].filter(() => random.chance(0.5)).map((key) => [key, digit()]),
    );
  return {
    image: `a:${digit()}`,
    replicas: random.int(0, 9),
    ...maybe({ imagePullPolicy: 'Always' }),
    ...maybe({ code: { configMap: digit() } }),
    ...maybe({ env: [{ name: 'A', value: digit() }] }),
    ...maybe({ resources: { limits: record(), requests: record() } }),
    ...maybe({ limits: { maxConnections: random.int(1, 3) } }),
    ...maybe({ drain: { windowSeconds: random.int(1, 3) } }),
    ...maybe({ tuning: { sysctls: record() } }),
    ...maybe({ podTemplate: { metadata: { labels: record() }, spec: { nodeSelector: record() } } }),
    workers: ['x', 'y', 'z']
      .filter(() => random.chance(0.6))
      .map((name, j) => ({
        name,
        ...(random.chance(0.6) ? { listen: `tcp://0.0.0.0:${j + random.int(1, 3) * 10}` } : {}),
        ...(random.chance(0.5) ? { count: random.int(1, 3) } : {}),
      })),
  };
}
