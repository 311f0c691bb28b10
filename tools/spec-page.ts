import { channelCrd, crd } from '../operator/api/crd.ts';
import { complete } from '../operator/api/defaults.ts';
import type { Rule, Schema } from '../operator/api/json-schema.ts';
import { specSchema } from '../operator/api/schema.ts';
import { channelSpecSchema } from '../operator/api/schema-channel.ts';
import type { ChangeClass, ChannelServer, SocketServer } from '../operator/api/types.ts';
import { inputsOf, revisionOf } from '../operator/decide/inputs.ts';
import { wantOf } from '../operator/decide/reload.ts';
import { channelAsServer } from '../operator/desired/channel.ts';
import { CHANNEL_AFTER, CHANNEL_BEFORE } from './channel-words.ts';
import { AFTER, BEFORE, rootRules, statusTable } from './spec-words.ts';

/** A kind: its spec, and the server that the operator makes of one. */
type Kind = {
  readonly spec: Schema;
  readonly asServer: (made: SocketServer) => SocketServer;
};

const SOCKET: Kind = { spec: specSchema, asServer: complete };
const CHANNEL: Kind = {
  spec: channelSpecSchema,
  asServer: (made) => channelAsServer(made as unknown as ChannelServer),
};

/**
 * docs/socketserver.md: every field of a `SocketServer`, from the schema. What an edit of a field needs is found out by
 * making one, and asking the functions that decide it.
 */
export function specPage(): string {
  return page([BEFORE, ...specOf(SOCKET, rootRules(crd())), statusTable(), AFTER]);
}

/** docs/channelserver.md, in the same way. */
export function channelPage(): string {
  return page([CHANNEL_BEFORE, ...specOf(CHANNEL, rootRules(channelCrd())), CHANNEL_AFTER]);
}

function specOf(kind: Kind, rules: readonly string[]): string[] {
  const [plain, groups] = halves(Object.entries(kind.spec.properties ?? {}));
  const top = plain.flatMap(([name, schema]) => row(kind, name, schema, kind.spec));
  return [
    '## Spec\n',
    table(top),
    sentences([
      ...rulesOf(kind.spec),
      ...rules,
      ...inner({ properties: Object.fromEntries(plain) }),
    ]),
    ...groups.map(([name, schema]) => section(kind, name, schema)),
  ];
}

function page(parts: readonly string[]): string {
  return parts.join('\n').replaceAll(/\n{3,}/g, '\n\n');
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

function section(kind: Kind, name: string, schema: Schema): string {
  const many = schema.items !== undefined;
  const record = schema.items ?? schema;
  const path = many ? `${name}[]` : name;
  const bounds = boundsOf(schema);
  const required = kind.spec.required?.includes(name) ? ' Required.' : '';
  const about = `${schema.description}${required}${bounds === '' ? '' : ` A list: ${bounds}.`}`;
  return [
    `### ${path}\n`,
    `${wrapped(about)}\n`,
    table(fieldsOf(kind, path, record)),
    sentences([...rulesOf(schema), ...(many ? rulesOf(record) : []), ...inner(record)]),
  ].join('\n');
}

/** Rows of a record, and of the records in it. */
function fieldsOf(kind: Kind, path: string, record: Schema): string[] {
  return Object.entries(record.properties ?? {}).flatMap(([name, schema]) => {
    const own = `${path}.${name}`;
    const deeper = schema.properties !== undefined && !isForeign(schema);
    return deeper ? fieldsOf(kind, own, schema) : row(kind, own, schema, record);
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

function row(kind: Kind, path: string, schema: Schema, parent: Schema): string[] {
  const name = path.slice(path.lastIndexOf('.') + 1);
  const otherwise = parent.required?.includes(name) ? '**required**' : defaultOf(schema);
  const cells = [
    `\`${path}\``,
    typeOf(schema),
    otherwise,
    boundsOf(schema),
    classOf(path, kind),
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
export function classOf(path: string, kind: Kind = SOCKET): ChangeClass {
  const before = sample(kind, path, 'a');
  const after = sample(kind, path, 'b');
  if (revisionOf(inputsOf(after.spec)) !== revisionOf(inputsOf(before.spec)))
    return 'PodReplacement';
  if (wantOf({ server: after }) !== wantOf({ server: before })) return 'WorkerReload';
  if (path === 'replicas') return 'Scale';
  return /^(config|channelRef|gatewayRef|nats|engine)\b/.test(path) ? 'Hot' : 'None';
}

/** A server with everything in it; at one place there is `value`. */
function sample({ spec, asServer }: Kind, path: string, value: string): SocketServer {
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
  return asServer({
    apiVersion: '',
    kind: '',
    metadata,
    spec: made(spec, ''),
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
