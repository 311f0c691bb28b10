/** The part of JSON Schema that a CustomResourceDefinition may use, and short ways to write it. Pure. */

export type Rule = {
  /** CEL; true is good. */
  readonly rule: string;
  readonly message?: string;
  /** CEL that makes the message, so that it can name the value. */
  readonly messageExpression?: string;
  readonly fieldPath?: string;
};

export type Schema = {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly 'x-kubernetes-validations'?: readonly Rule[];
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
};

type More = Omit<Schema, 'type' | 'description'>;

export const text = (description: string, more: More = {}): Schema => ({
  type: 'string',
  description,
  ...more,
});

export const whole = (
  description: string,
  [minimum, maximum]: readonly [number, number],
  more: More = {},
): Schema => ({ type: 'integer', description, minimum, maximum, ...more });

export const flag = (description: string, otherwise: boolean): Schema => ({
  type: 'boolean',
  description,
  default: otherwise,
});

/** With `default: {}` it has the defaults of its fields: rules are checked on the default as it stands. */
export const record = (
  description: string,
  properties: Readonly<Record<string, Schema>>,
  more: More = {},
): Schema => ({
  type: 'object',
  description,
  properties,
  ...more,
  ...(more.default === undefined ? {} : { default: defaultsOf(properties) }),
});

function defaultsOf(properties: Readonly<Record<string, Schema>>): Record<string, unknown> {
  const known = Object.entries(properties).filter(([, each]) => each.default !== undefined);
  return Object.fromEntries(known.map(([name, each]) => [name, each.default]));
}

export const map = (description: string, values: Schema, more: More = {}): Schema => ({
  type: 'object',
  description,
  additionalProperties: values,
  ...more,
});

export const list = (description: string, items: Schema, more: More = {}): Schema => ({
  type: 'array',
  description,
  items,
  ...more,
});

/** Something that Kubernetes itself checks later; its fields are its own. */
export const foreign = (description: string, more: More = {}): Schema => ({
  type: 'object',
  description,
  'x-kubernetes-preserve-unknown-fields': true,
  ...more,
});

export const rule = (cel: string, message: string): Rule => ({ rule: cel, message });

/** A rule whose message says the value. @param message CEL text expression */
export const telling = (cel: string, messageExpression: string, message: string): Rule => ({
  rule: cel,
  messageExpression,
  message,
});

/**
 * The rule that a text matches its `pattern`, with a sentence for the expression; `crd.ts` takes the pattern away then.
 *
 * @param expected the rest of "it is …, expected …"
 */
export const shaped = (pattern: string, expected: string): Rule =>
  telling(
    `self.matches('${pattern.replaceAll('\\', '\\\\')}')`,
    `'it is "' + self + '", expected ${expected}'`,
    `expected ${expected}`,
  );
