import { join } from 'node:path';
import { CHARTS } from '../../../tools/helm.ts';
import { quoted, rows } from '../../support/pages.ts';

/** A chart's values: as they are, and as its README has them. */

/** `a.b` and the default as JSON, of everything that is not an object with something in it. */
export function flat(value: unknown, path = ''): [string, string][] {
  const isBranch =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).length > 0;
  if (!isBranch || LEAVES.has(path)) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, child]) =>
    flat(child, path === '' ? key : `${path}.${key}`),
  );
}

/** Objects that are given or replaced as a whole. */
const LEAVES = new Set([
  'resources',
  'podSecurityContext',
  'securityContext',
  'networkPolicy.prometheusNamespaceSelector',
  'autoscaling.behavior',
]);

/** The same from the table of values in the chart's README. */
export function tableOf(chart: string): [string, string][] {
  return rows(join(CHARTS, chart, 'README.md'), 'Values').map(([name, value]) => [
    quoted(name) ?? '',
    quoted(value) ?? '',
  ]);
}
