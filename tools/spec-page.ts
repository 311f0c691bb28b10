import { complete } from '../operator/api/defaults.ts';
import type { Rule, Schema } from '../operator/api/json-schema.ts';
import { specSchema } from '../operator/api/schema.ts';
import type { ChangeClass, SocketServer } from '../operator/api/types.ts';
import { inputsOf, revisionOf } from '../operator/decide/inputs.ts';
import { wantOf } from '../operator/decide/reload.ts';
import { AFTER, BEFORE, rootRules, statusTable } from './spec-words.ts';

/**
 * docs/socketserver.md: every field of a `SocketServer`, from the schema. What an edit of a field needs is found out by
 * making one, and asking the functions that decide it.
 */
export function specPage(): string {
  const { properties = {} } = specSchema;
  const [plain, groups] = halves(Object.entries(properties));
  const top = plain.flatMap(([name, schema]) => row(name, schema, specSchema));
  return [
    BEFORE,
    '## Spec\n',
    table(top),
    sentences([
      ...rulesOf(specSchema),
      ...rootRules(),
      ...inner({ properties: Object.fromEntries(plain) }),
    ]),
    ...groups.map(([name, schema]) => section(name, schema)),
    statusTable(),
    AFTER,
  ]
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n');
}

type Field = readonly [name: string, schema: Schema];

/** Fields with fields of their own get a section. */
function halves(fields: readonly Field[]): [Field[], Field[]] {
  const isGroup = ([, { properties, items }]: Field) =>
    properties !== undefined || (items?.properties !== undefined && !isForeign(items));
  return [fields.filter((field) => !isGroup(field)), fields.filter(isGroup)];
}

const isForeign = (schema: Schema): boolean =>
  schema['x-kubernetes-preserve-unknown-fields'] === true;

function section(name: string, schema: Schema): string {
  const many = schema.items !== undefined;
  const record = schema.items ?? schema;
  const path = many ? `${name}[]` : name;
  const bounds = boundsOf(schema);
  const required = specSchema.required?.includes(name) ? ' Required.' : '';
  const about = `${schema.description}${required}${bounds === '' ? '' : ` A list: ${bounds}.`}`;
  return [
    `### ${path}\n`,
    `${wrapped(about)}\n`,
    table(fieldsOf(path, record)),
    sentences([...rulesOf(schema), ...(many ? rulesOf(record) : []), ...inner(record)]),
  ].join('\n');
}

/** Rows of a record, and of the records in it. */
function fieldsOf(path: string, record: Schema): string[] {
  return Object.entries(record.properties ?? {}).flatMap(([name, schema]) => {
    const own = `${path}.${name}`;
    const deeper = schema.properties !== undefined && !isForeign(schema);
    return deeper ? fieldsOf(own, schema) : row(own, schema, record);
  });
}

/** Rules of fields, which speak of them without saying their name. */
function inner(record: Schema): string[] {
  return Object.entries(record.properties ?? {}).flatMap(([name, schema]) => {
    const own = [...rulesOf(schema), ...(schema.items ? rulesOf(schema.items) : [])];
    const named = own.map((rule) => (rule.includes(name) ? rule : `\`${name}\`: ${rule}`));
    return schema.properties ? [...named, ...inner(schema)] : named;
  });
}

const rulesOf = (schema: Schema): string[] =>
  (schema['x-kubernetes-validations'] ?? []).map(
    ({ message, rule }: Rule) => message ?? `\`${rule}\``,
  );

function row(path: string, schema: Schema, parent: Schema): string[] {
  const name = path.slice(path.lastIndexOf('.') + 1);
  const otherwise = parent.required?.includes(name) ? '**required**' : defaultOf(schema);
  const cells = [
    `\`${path}\``,
    typeOf(schema),
    otherwise,
    boundsOf(schema),
    classOf(path),
    schema.description ?? '',
  ];
  return [`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`];
}

const table = (rows: readonly string[]): string =>
  ['| field | type | default | bounds | an edit is | |', '|---|---|---|---|---|---|', ...rows, '']
    .join('\n')
    .trimStart();

function sentences(rules: readonly string[]): string {
  if (rules.length === 0) return '';
  return `The API server refuses it otherwise:\n\n${[...new Set(rules)].map((each) => wrapped(`- ${each}`, '  ')).join('\n')}\n`;
}

function typeOf(schema: Schema): string {
  if (schema['x-kubernetes-int-or-string']) return 'integer or share';
  if (schema.additionalProperties) return 'map of texts';
  if (schema.items) return `list of ${schema.items.type === 'object' ? 'objects' : 'texts'}`;
  return { string: 'text', boolean: 'true or false' }[schema.type as string] ?? schema.type ?? '';
}

function defaultOf({ default: value }: Schema): string {
  return value === undefined ? '' : `\`${JSON.stringify(value)}\``;
}

function boundsOf(schema: Schema): string {
  const { minimum, maximum, maxLength, maxItems, maxProperties, pattern } = schema;
  const shown = pattern !== undefined && rulesOf(schema).length === 0;
  return [
    ...(schema.enum ? [schema.enum.map((each) => `\`${each}\``).join(', ')] : []),
    ...(minimum === undefined ? [] : [`${minimum} to ${maximum}`]),
    ...(maxLength === undefined ? [] : [`at most ${maxLength} characters`]),
    ...(maxItems === undefined ? [] : [`at most ${maxItems}`]),
    ...(maxProperties === undefined ? [] : [`at most ${maxProperties} keys`]),
    ...(shown ? [`\`${pattern}\``] : []),
  ].join(', ');
}

/** What an edit of a field alone needs. */
export function classOf(path: string): ChangeClass {
  const before = sample(specSchema, '', path, 'a');
  const after = sample(specSchema, '', path, 'b');
  if (revisionOf(inputsOf(after.spec)) !== revisionOf(inputsOf(before.spec)))
    return 'PodReplacement';
  if (wantOf({ server: after }) !== wantOf({ server: before })) return 'WorkerReload';
  if (path === 'replicas') return 'Scale';
  return path === 'config' ? 'Hot' : 'None';
}

/** A server with everything in it; at one place there is `value`. */
function sample(schema: Schema, at: string, path: string, value: string): SocketServer {
  const made = (each: Schema, own: string): unknown => {
    if (own === path) return value;
    if (each.properties && !isForeign(each))
      return Object.fromEntries(
        Object.entries(each.properties).map(([name, inside]) => [
          name,
          made(inside, own === '' ? name : `${own}.${name}`),
        ]),
      );
    return each.items?.properties ? [made(each.items, `${own}[]`)] : 'a';
  };
  const metadata = { name: 'a', namespace: 'a' };
  return complete({
    apiVersion: '',
    kind: '',
    metadata,
    spec: made(schema, at),
  } as SocketServer);
}

/** Lines of at most 120 characters. */
export function wrapped(text: string, indent = ''): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string;
    if (last !== '' && last.length + word.length + 1 > 120) lines.push(`${indent}${word}`);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}
