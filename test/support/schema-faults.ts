import type { Schema } from '../../operator/api/json-schema.ts';

/**
 * What the API server would say against a value, as far as the schema goes without CEL. Unlike the API server, which
 * drops them, it also names fields that there are not.
 */
export function faults(schema: Schema, value: unknown, at: string): string[] {
  const wrong = ofType(schema, value);
  if (wrong !== undefined) return [`${at} is ${JSON.stringify(value)}, expected ${wrong}`];
  if (Array.isArray(value))
    return value.flatMap((each, i) =>
      schema.items ? faults(schema.items, each, `${at}[${i}]`) : [],
    );
  return isRecord(value) ? inObject(schema, value, at) : [];
}

function inObject(schema: Schema, value: Record<string, unknown>, at: string): string[] {
  const missing = (schema.required ?? [])
    .filter((name) => !(name in value))
    .map((name) => `${at}.${name} is missing`);
  const wrong = Object.entries(value).flatMap(([name, each]) => {
    const known = schema.properties?.[name] ?? schema.additionalProperties;
    if (known) return faults(known, each, `${at}.${name}`);
    return schema['x-kubernetes-preserve-unknown-fields'] ? [] : [`${at}.${name} is no field`];
  });
  return [...missing, ...wrong];
}

/** What was expected; `undefined` if it is that. */
function ofType(schema: Schema, value: unknown): string | undefined {
  switch (schema.type) {
    case 'string':
      return typeof value === 'string' ? ofText(schema, value) : 'a text';
    case 'integer':
      return Number.isInteger(value) ? ofNumber(schema, value as number) : 'a whole number';
    case 'array':
      return Array.isArray(value) ? undefined : 'a list';
    case 'object':
      return isRecord(value) ? undefined : 'an object';
    case 'boolean':
    case 'number':
      return typeof value === schema.type ? undefined : `a ${schema.type}`;
    default:
      return undefined;
  }
}

function ofText({ enum: words, pattern }: Schema, value: string): string | undefined {
  if (words && !words.includes(value)) return words.join(', ');
  return pattern === undefined || new RegExp(pattern).test(value) ? undefined : pattern;
}

function ofNumber({ minimum = -Infinity, maximum = Infinity }: Schema, value: number) {
  return value >= minimum && value <= maximum ? undefined : `${minimum} to ${maximum}`;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
