import { describe, expect, it } from '@jest/globals';
import { merged } from '../../../operator/desired/merge.ts';

describe('a patch', () => {
  it.each<[string, unknown, unknown, unknown]>([
    ['that is absent changes nothing', { a: 1 }, undefined, { a: 1 }],
    ['that is empty changes nothing', { a: [1] }, {}, { a: [1] }],
    [
      'merges objects at any depth',
      { a: { b: 1, c: 2 } },
      { a: { c: 3, d: 4 } },
      { a: { b: 1, c: 3, d: 4 } },
    ],
    ['replaces plain values', { a: 1, b: 'x' }, { a: 2, b: true }, { a: 2, b: true }],
    ['adds what was not there', {}, { a: { b: [1] } }, { a: { b: [1] } }],
    [
      'joins lists without names',
      { a: [{ key: 1 }] },
      { a: [{ key: 1 }, 2] },
      { a: [{ key: 1 }, { key: 1 }, 2] },
    ],
    [
      'merges lists by name, in the old order',
      {
        a: [
          { name: 'x', v: 1 },
          { name: 'y', v: 1 },
        ],
      },
      { a: [{ name: 'y', w: 2 }, { name: 'z' }, { name: 'x', v: 3 }] },
      { a: [{ name: 'x', v: 3 }, { name: 'y', v: 1, w: 2 }, { name: 'z' }] },
    ],
    ['replaces a list by something else', { a: [1] }, { a: { b: 1 } }, { a: { b: 1 } }],
    ['replaces something else by a list', { a: 'x' }, { a: [1] }, { a: [1] }],
    [
      'replaces how pods are spread',
      { topologySpreadConstraints: [{ maxSkew: 1 }] },
      { topologySpreadConstraints: [{ maxSkew: 2 }] },
      { topologySpreadConstraints: [{ maxSkew: 2 }] },
    ],
  ])('%s', (_, own, patch, result) => {
    expect(merged(own, patch)).toEqual(result);
  });

  it('mounts one volume at two places, and two volumes at one place never', () => {
    const own = { volumeMounts: [{ name: 'code', mountPath: '/app' }] };
    const twice = { volumeMounts: [{ name: 'code', mountPath: '/lib' }] };
    expect(merged(own, twice)).toEqual({
      volumeMounts: [
        { name: 'code', mountPath: '/app' },
        { name: 'code', mountPath: '/lib' },
      ],
    });
    const over = { volumeMounts: [{ name: 'mine', mountPath: '/app' }] };
    expect(merged(own, over)).toEqual({ volumeMounts: [{ name: 'mine', mountPath: '/app' }] });
  });

  it('leaves what it is given as it was', () => {
    const own = { a: [{ name: 'x', b: { c: 1 } }], d: {} };
    const patch = { a: [{ name: 'x', b: { c: 2 } }], d: { e: 1 } };
    const before = structuredClone([own, patch]);
    merged(own, patch);
    expect([own, patch]).toEqual(before);
  });
});
