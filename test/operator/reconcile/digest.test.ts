import { describe, expect, it } from '@jest/globals';
import { digest } from '../../../operator/reconcile/digest.ts';
import { digest as inPods } from '../../../src/digest.ts';
import { Random } from '../../support/random.ts';

describe('the digest', () => {
  it.each([
    [{}, '4f53cda18c2baa0c'],
    [{ motd: 'hello' }, '6a5776ac69a46541'],
  ])('of %j is %s', (entries, value) => {
    expect(digest(entries)).toBe(value);
  });

  it('is the one that pods make, for whatever files', () => {
    const random = new Random(7);
    const seen = new Set<string>();
    for (let i = 0; i < 500; i += 1) {
      const entries = Array.from({ length: random.int(0, 5) }, () => {
        const content = random.chance(0.5)
          ? random.text(random.int(0, 50))
          : random.bytes(random.int(0, 50));
        return [random.text(random.int(1, 8)), content] as const;
      });
      const value = digest(Object.fromEntries(entries));
      expect(value).toBe(inPods(Object.fromEntries(entries)));
      expect(value).toMatch(/^[0-9a-f]{16}$/);
      seen.add(value);
    }
    expect(seen.size).toBeGreaterThan(300);
  });

  it('does not depend on the order of names, nor on text or bytes', () => {
    const one = digest({ a: '1', b: 'é' });
    expect(digest({ b: Buffer.from('é'), a: new Uint8Array([49]) })).toBe(one);
    expect(digest({ a: 'é', b: '1' })).not.toBe(one);
    expect(digest({ ab: '' })).not.toBe(digest({ a: 'b' }));
  });
});
