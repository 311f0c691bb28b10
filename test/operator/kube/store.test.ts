import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../../operator/api/meta.ts';
import { changeOf, differences, isLater, replacement } from '../../../operator/kube/store.ts';

/** `a@5`: object a with resource version 5; `other/a@5` in another namespace. */
function object(text: string): KubeObject {
  const [path = '', resourceVersion = ''] = text.split('@');
  const [name = '', namespace = 'n'] = path.split('/').reverse();
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, resourceVersion } };
}

const objects = (text: string): KubeObject[] => text.split(' ').filter(Boolean).map(object);
const store = (text: string): Map<string, KubeObject> =>
  new Map(objects(text).map((each) => [`${each.metadata.namespace}/${each.metadata.name}`, each]));
const shown = (each: KubeObject | undefined): string => each?.metadata.resourceVersion ?? '';
const texts = (
  changes: readonly { key: string; now: KubeObject | undefined; before: KubeObject | undefined }[],
): string =>
  changes
    .map(({ key, now, before }) => `${key.replace(/^n\//, '')} ${shown(before)}>${shown(now)}`)
    .sort()
    .join(', ');
const inN = (key: string) => key.startsWith('n/');

describe('isLater', () => {
  it.each([
    ['2', '1', true],
    ['1', '1', false],
    ['1', '2', false],
    ['10', '9', true],
    ['9', '10', false],
    ['1', '', true],
    ['18446744073709551615', '9223372036854775807', true],
  ])('%s than %s: %s', (a, b, later) => {
    expect(isLater(a, b)).toBe(later);
  });
});

describe('changeOf', () => {
  it.each([
    ['new', '', 'there', 'a@5', 'a >5'],
    ['changed', 'a@5', 'there', 'a@10', 'a 5>10'],
    ['known already', 'a@5', 'there', 'a@5', ''],
    ['old news', 'a@10', 'there', 'a@5', ''],
    ['gone', 'a@5', 'gone', 'a@6', 'a 5>'],
    ['gone, and there again since', 'a@10', 'gone', 'a@6', ''],
    ['gone before it was known', '', 'gone', 'a@6', ''],
  ] as const)('%s', (_, before, is, event, expected) => {
    const change = changeOf(store(before), is, object(event));
    expect(texts(change ? [change] : [])).toBe(expected);
  });
});

describe('replacement', () => {
  it.each([
    ['nothing known', '', 'a@1 b@2', 'a >1, b >2'],
    ['nothing new', 'a@1 b@2', 'a@1 b@2', ''],
    ['one gone, one changed, one new', 'a@1 b@2', 'b@3 c@4', 'a 1>, b 2>3, c >4'],
    ['another namespace is left alone', 'a@1 other/b@2', '', 'a 1>'],
    ['a server that was restored knows better', 'a@9 b@8', 'a@3', 'a 9>3, b 8>'],
  ])('%s', (_, before, list, expected) => {
    expect(texts(replacement(store(before), objects(list), inN))).toBe(expected);
  });
});

describe('differences', () => {
  it.each([
    ['nothing', 'a@1 b@2', 'a@1 b@2', '', ''],
    ['an addition that was not told', '', 'a@5', '', 'a >5'],
    ['a change that was not told', 'a@1', 'a@5', '', 'a 1>5'],
    ['a removal that was not told', 'a@1', '', '', 'a 1>'],
    ['a change after the list', 'a@11', 'a@5', '', ''],
    ['an addition after the list', 'a@11', '', '', ''],
    ['a removal after the list', '', 'a@5', 'n/a', ''],
    ['removed and there again after the list', 'a@11', 'a@5', 'n/a', ''],
    ['another namespace', 'other/a@1', '', '', ''],
  ])('%s', (_, before, list, removed, expected) => {
    const found = { resourceVersion: '10', removed: new Set(removed.split(' ')), mine: inN };
    expect(texts(differences(store(before), objects(list), found))).toBe(expected);
  });
});
