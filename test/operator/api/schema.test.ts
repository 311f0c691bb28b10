import { describe, expect, it } from '@jest/globals';
import { crd, NAME_MAX } from '../../../operator/api/crd.ts';
import { defaulted } from '../../../operator/api/defaults.ts';
import type { Schema } from '../../../operator/api/json-schema.ts';

/** Every part of a schema with its path. */
function everything(schema: Schema, path: string): [string, Schema][] {
  const below = [
    ...Object.entries(schema.properties ?? {}).map(([name, each]) => [`${path}.${name}`, each]),
    ...(schema.items ? [[`${path}[]`, schema.items]] : []),
    ...(schema.additionalProperties ? [[`${path}{}`, schema.additionalProperties]] : []),
  ] as [string, Schema][];
  return [[path, schema], ...below.flatMap(([name, each]) => everything(each, name))];
}

type Definition = { spec: { versions: [{ schema: { openAPIV3Schema: Schema } }] } };
const root = (crd() as Definition).spec.versions[0].schema.openAPIV3Schema;
const parts = everything(root, '');

describe('the schema', () => {
  it('describes every field of the spec', () => {
    const silent = parts.filter(
      ([path, { description = '' }]) => /^\.spec\b.*\w$/.test(path) && description.trim() === '',
    );
    expect(silent.map(([path]) => path)).toEqual([]);
    expect(parts.length).toBeGreaterThan(100);
  });

  it('ends descriptions as sentences, and each is short enough to read', () => {
    const odd = parts.filter(
      ([, { description }]) => description && !/^.{5,500}[.…]$/s.test(description),
    );
    expect(odd.map(([path, { description }]) => `${path}: ${description}`)).toEqual([]);
  });

  it('is structural: every part has a type, and only one', () => {
    const odd = parts.filter(([, each]) =>
      each['x-kubernetes-int-or-string'] ? each.type !== undefined : each.type === undefined,
    );
    expect(odd.map(([path]) => path)).toEqual([]);
  });

  it('has objects with fields, or values, or whatever, and never two of these', () => {
    const odd = parts.filter(([, each]) => each.properties && each.additionalProperties);
    expect(odd.map(([path]) => path)).toEqual([]);
    const open = parts.filter(
      ([path, each]) =>
        each.type === 'object' &&
        path !== '.metadata' &&
        !each.properties &&
        !each.additionalProperties &&
        !each['x-kubernetes-preserve-unknown-fields'],
    );
    expect(open.map(([path]) => path)).toEqual([]);
  });

  it('uses nothing that a definition may not have', () => {
    const forbidden =
      /"(\$ref|definitions|oneOf|anyOf|allOf|not|patternProperties|deprecated|discriminator|id|readOnly|writeOnly|xml|uniqueItems)":/;
    expect(JSON.stringify(root)).not.toMatch(forbidden);
  });

  it('has lists of things with items, and keys that those require', () => {
    const lists = parts.filter(([, { type }]) => type === 'array');
    expect(lists.filter(([, { items }]) => !items).map(([path]) => path)).toEqual([]);
    const maps = lists.filter(([, each]) => each['x-kubernetes-list-type'] === 'map');
    expect(maps.length).toBeGreaterThan(3);
    for (const [path, { items, 'x-kubernetes-list-map-keys': keys = [] }] of maps) {
      expect([path, keys.length]).toEqual([path, 1]);
      expect([path, items?.required]).toEqual([path, expect.arrayContaining([...keys])]);
    }
  });

  it('bounds everything in the spec that rules look at: their cost is limited', () => {
    const loose = parts.filter(
      ([path, each]) =>
        path.startsWith('.spec') &&
        ((each.type === 'array' && each.maxItems === undefined) ||
          (each.additionalProperties && each.maxProperties === undefined) ||
          (each.type === 'string' && each.maxLength === undefined && each.enum === undefined)),
    );
    expect(loose.map(([path]) => path)).toEqual([]);
  });

  it('has a message for every rule', () => {
    const rules = parts.flatMap(([path, each]) =>
      (each['x-kubernetes-validations'] ?? []).map((rule) => ({ path, ...rule })),
    );
    expect(rules.length).toBeGreaterThan(15);
    for (const { path, rule, message = '', messageExpression } of rules) {
      expect([path, message]).toEqual([path, expect.stringMatching(/^[^\n]{10,200}$/)]);
      expect([path, rule]).toEqual([path, expect.not.stringContaining('\n')]);
      if (messageExpression) expect(messageExpression).toMatch(/^\[?.*'.*\+/);
    }
  });

  it('takes its own defaults', () => {
    for (const [path, each] of parts.filter(([, { default: given }]) => given !== undefined))
      expect([path, fits(each, defaulted(each, undefined))]).toEqual([path, true]);
  });

  it('leaves room in names for what is put behind them', () => {
    const longest = `${'a'.repeat(NAME_MAX)}-4tdsblg2tg-x2x2x`;
    expect(longest.length).toBeLessThanOrEqual(63);
  });
});

/** Whether a value is of the type and within the bounds of a schema. */
function fits(schema: Schema, value: unknown): boolean {
  if (schema['x-kubernetes-int-or-string'])
    return typeof value === 'number' || typeof value === 'string';
  switch (schema.type) {
    case 'integer':
      return (
        Number.isInteger(value) &&
        (value as number) >= (schema.minimum ?? -Infinity) &&
        (value as number) <= (schema.maximum ?? Infinity)
      );
    case 'string':
      return typeof value === 'string' && (schema.enum?.includes(value) ?? true);
    case 'array':
      return Array.isArray(value) && value.every((each) => fits(schema.items ?? {}, each));
    case 'object':
      return Object.entries(schema.properties ?? {}).every(([name, each]) => {
        const field = (value as Record<string, unknown>)[name];
        return field === undefined ? !schema.required?.includes(name) : fits(each, field);
      });
    default:
      return typeof value === schema.type;
  }
}
