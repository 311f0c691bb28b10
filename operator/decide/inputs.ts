import type { Schema } from '../api/json-schema.ts';
import { specSchema } from '../api/schema.ts';
import type { SocketServerSpec } from '../api/types.ts';

/**
 * Revisions. A revision is a part of the spec, not the pod template that is made from it: so another version of the
 * operator, which may make another template from the same spec, never replaces a running pod. Nor does a new field with
 * a default, or another default: what is as the schema has it anyway is left out. Pure.
 */

type Field = Exclude<
  keyof SocketServerSpec,
  'replicas' | 'config' | 'service' | 'rollout' | 'channelRef' | 'gatewayRef'
>;

/** What makes a pod: a change of any of it needs other pods. */
const FIELDS: readonly Field[] = [
  'image',
  'imagePullPolicy',
  'imagePullSecrets',
  'app',
  'code',
  'workers',
  'env',
  'envFrom',
  'resources',
  'drain',
  'limits',
  'tuning',
  'podTemplate',
];

export type Inputs = Partial<Pick<SocketServerSpec, Field>>;

/** The part of a spec that its pods are made from. */
export function inputsOf(spec: SocketServerSpec): Inputs {
  const inputs: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const own = withoutDefaults(specSchema.properties?.[field] ?? {}, spec[field]);
    if (own !== undefined) inputs[field] = own;
  }
  // How many processes there are is for the running pods; only where they listen is in the pod.
  inputs['workers'] = spec.workers
    .flatMap(({ name, listen }) => (listen === undefined ? [] : [{ name, listen }]))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return inputs as Inputs;
}

/** A value without what its schema would put in by itself; `undefined` if nothing is left. */
function withoutDefaults(schema: Schema, value: unknown): unknown {
  const { properties } = schema;
  if (!properties || typeof value !== 'object' || value === null)
    return canonical(value) === canonical(schema.default) ? undefined : value;
  const own = Object.entries(value)
    .map(([name, each]) => [name, withoutDefaults(properties[name] ?? {}, each)] as const)
    .filter(([, each]) => each !== undefined);
  const isBare = own.length === 0 && schema.default !== undefined;
  return isBare ? undefined : Object.fromEntries(own);
}

/** The name of a revision: the same for the same inputs, whatever the order of their keys. */
export function revisionOf(inputs: Inputs): string {
  return hash(canonical(inputs));
}

/** The fields in which two revisions differ, as in `image, env`. */
export function differences(before: Inputs, after: Inputs): string[] {
  return FIELDS.filter((field) => canonical(before[field]) !== canonical(after[field]));
}

/** JSON with the keys in order, so that equal values are equal texts. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`);
  return `{${entries.join()}}`;
}

// No vowels and no digits that look like letters: a name should not spell a word.
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** FNV-1a of 64 bits, as 10 letters: only a name, and what it stands for is kept beside it. */
export function hash(text: string): string {
  let value = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i += 1) {
    value ^= BigInt(text.charCodeAt(i));
    value = (value * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  let name = '';
  for (let i = 0; i < 10; i += 1) {
    name += ALPHABET[Number(value % BigInt(ALPHABET.length))];
    value /= BigInt(ALPHABET.length);
  }
  return name;
}
