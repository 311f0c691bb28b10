import { describe, expect, it } from '@jest/globals';
import {
  canonical,
  differences,
  hash,
  inputsOf,
  revisionOf,
} from '../../../operator/decide/inputs.ts';
import { Random } from '../../support/random.ts';
import type { SpecPart } from '../../support/server-world.ts';
import { serverOf } from '../../support/servers.ts';

const inputs = (part: SpecPart) => inputsOf(serverOf(part).spec);

/** One other value for each field that makes pods. */
const OTHER: readonly SpecPart[] = [
  { image: 'app:2' },
  { imagePullPolicy: 'Always' },
  { imagePullSecrets: [{ name: 's' }] },
  { app: 'b.ts' },
  { code: { configMap: 'c' } },
  { workers: [{ name: 'a', listen: 'tcp://0.0.0.0:1' }] },
  { env: [{ name: 'A' }] },
  { envFrom: [{ configMapRef: { name: 'c' } }] },
  { resources: { limits: { cpu: '1' } } },
  { drain: { windowSeconds: 31 } },
  { limits: { maxConnections: 1 } },
  { tuning: { mode: 'Off' } },
  { podTemplate: { spec: { priorityClassName: 'a' } } },
];

/** Of the smallest spec: another name would replace the pods of everybody who updates the operator. */
const KNOWN = 'bbp6ffskvl';

describe('a revision', () => {
  it.each(OTHER.map((part) => [Object.keys(part)[0] as string, part] as const))(
    'is another one for another %s',
    (field, part) => {
      expect(revisionOf(inputs(part))).not.toBe(revisionOf(inputs({})));
      expect(differences(inputs({}), inputs(part))).toEqual([field]);
      expect(differences(inputs(part), inputs({}))).toEqual([field]);
    },
  );

  it('is another one for each of them', () => {
    const names = new Set(OTHER.map((part) => revisionOf(inputs(part))));
    expect(names.size).toBe(OTHER.length);
  });

  it.each<[string, SpecPart, SpecPart]>([
    ['replicas', { replicas: 1 }, { replicas: 9 }],
    ['config', {}, { config: { a: 'b' } }],
    ['the Service', {}, { service: { type: 'NodePort' } }],
    ['the rollout', {}, { rollout: { maxSurge: 2 } }],
    ['counts', { workers: [{ name: 'a' }] }, { workers: [{ name: 'a', count: 4 }] }],
    ['workers without an address', {}, { workers: [{ name: 'a' }] }],
    [
      'the order of keys',
      { resources: { limits: { cpu: '1', memory: '2' } } },
      { resources: { limits: { memory: '2', cpu: '1' } } },
    ],
    [
      'the order of workers',
      {
        workers: [
          { name: 'a', listen: 'tcp://h:1' },
          { name: 'b', listen: 'tcp://h:2' },
        ],
      },
      {
        workers: [
          { name: 'b', listen: 'tcp://h:2' },
          { name: 'a', listen: 'tcp://h:1' },
        ],
      },
    ],
  ])('is the same whatever %s', (_, one, other) => {
    expect(revisionOf(inputs(one))).toBe(revisionOf(inputs(other)));
    expect(differences(inputs(one), inputs(other))).toEqual([]);
  });

  it('keeps its name over versions of the operator', () => {
    expect(revisionOf(inputs({}))).toBe(KNOWN);
  });

  it('has nothing in it that the schema puts in by itself, so that another default changes no revision', () => {
    const { workers: _, ...full } = inputs({});
    expect(full).toEqual({ image: serverOf({}).spec.image });
    expect(inputs({ drain: { windowSeconds: 20 } }).drain).toEqual({ windowSeconds: 20 });
    expect(inputs({ drain: { windowSeconds: 30 } }).drain).toBeUndefined();
    expect(inputs({ tuning: { mode: 'Safe', sysctls: {} } }).tuning).toBeUndefined();
  });

  it('is another one where the order counts', () => {
    const env = [{ name: 'A' }, { name: 'B' }];
    expect(revisionOf(inputs({ env }))).not.toBe(revisionOf(inputs({ env: env.toReversed() })));
  });

  it('names several fields in their order', () => {
    expect(
      differences(inputs({}), inputs({ tuning: { mode: 'Off' }, image: 'b', app: 'c.js' })),
    ).toEqual(['image', 'app', 'tuning']);
  });
});

describe('canonical', () => {
  it.each([
    [{ b: 1, a: [{ d: null, c: 'x' }] }, '{"a":[{"c":"x","d":null}],"b":1}'],
    [{ a: undefined, b: 2 }, '{"b":2}'],
    [[3, 1, 2], '[3,1,2]'],
    [undefined, 'null'],
    ['ä"', '"ä\\""'],
    [{}, '{}'],
  ])('%j is %s', (value, text) => {
    expect(canonical(value)).toBe(text);
  });
});

describe('hash', () => {
  it('is 10 letters that a name may have, beginning with any', () => {
    const random = new Random(1);
    const seen = new Set<string>();
    for (let i = 0; i < 5000; i += 1) {
      const name = hash(random.text(random.int(0, 40)) + i);
      expect(name).toMatch(/^[b-z2-9]{10}$/);
      expect(name).not.toMatch(/[aeiouy013]/);
      seen.add(name);
    }
    expect(seen.size).toBe(5000);
  });
});
