import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from '../../tools/helm.ts';
import { classOf } from '../../tools/spec-page.ts';
import { CONDITIONS, OBSTACLES } from '../../tools/spec-words.ts';

/** That docs/socketserver.md is written from the newest schema is a test of test/charts/manifests.test.ts. */
describe('docs/socketserver.md', () => {
  const textOf = (name: string) => readFileSync(join(ROOT, `operator/decide/${name}.ts`), 'utf8');
  const source = textOf('findings') + textOf('peers');
  const obstacles = textOf('obstacle');
  /** Of conditions that can be Unknown. */
  const gaps = [...source.matchAll(/reason: '(\w+)'/g)].map(([, reason]) => reason);

  it('has every condition, and every reason of it', () => {
    const said = [...source.matchAll(/\b(?:yes|no)\(\s*'(\w+)',\s*'(\w+)'/g)].map(
      ([, type, reason]) => `${type} ${reason}`,
    );
    for (const [, type] of source.matchAll(/unknown\('(\w+)'/g))
      said.push(...gaps.map((reason) => `${type} ${reason}`));
    const written = Object.entries(CONDITIONS).flatMap(([type, [, reasons]]) =>
      reasons.filter((each) => !each.startsWith('*')).map((reason) => `${type} ${reason}`),
    );
    expect(said.length).toBeGreaterThan(10);
    // Reconciling takes the reasons of Progressing, and waits for silent pods.
    const own = (list: readonly string[]) =>
      [...new Set(list)].filter((each) => !each.startsWith('Reconciling')).sort();
    expect(own(written)).toEqual(own(said));
    const progressing = CONDITIONS['Progressing']?.[1] ?? [];
    expect(new Set(CONDITIONS['Reconciling']?.[1])).toEqual(new Set([...progressing, 'PodSilent']));
  });

  it('has everything that a server can be stuck on', () => {
    const said = [...obstacles.matchAll(/(?:reason: |late\(\s*)'(\w+)'/g)].map(
      ([, reason]) => reason,
    );
    expect(Object.keys(OBSTACLES).sort()).toEqual([...new Set(said)].sort());
  });

  it.each([
    ['replicas', 'Scale'],
    ['config', 'Hot'],
    ['channelRef.name', 'Hot'],
    ['workers[].count', 'WorkerReload'],
    ['workers[].listen', 'PodReplacement'],
    ['workers[].servicePort', 'None'],
    ['tuning.sysctls', 'PodReplacement'],
    ['service.type', 'None'],
    ['podTemplate.spec.volumes', 'PodReplacement'],
  ])('says what an edit of %s needs', (path, needs) => {
    expect(classOf(path)).toBe(needs);
  });
});
