import { parseClientId } from './ids.ts';
import { NAME_MAX } from './registry.ts';

/** What the push endpoint takes: a call's name and the fields of its JSON body. Pure. */

/** Something is wrong with a body; the message names the field. */
export class WrongField extends Error {
  readonly field: string;

  constructor(field: string, message: string) {
    super(`"${field}" ${message}`);
    this.field = field;
  }
}

/** A body's fields after they were checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** What is called with the fields: a part of `GatewayClient`. */
// biome-ignore lint/suspicious/noExplicitAny: the fields were checked by their kinds
type Target = Readonly<Record<string, (...args: any[]) => unknown>>;

type Kind = (value: unknown, field: string) => unknown;
type Call = {
  /** Required ones first; those that end with `?` may be missing. */
  readonly fields: Readonly<Record<string, Kind>>;
  run(gateway: Target, fields: Fields): unknown;
};

/** Longest list of ids, uids or groups in one body. */
const LIST_MAX = 10_000;

const shown = (value: unknown): string => {
  const json = JSON.stringify(value) ?? 'missing';
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
};

const id: Kind = (value, field) => {
  if (typeof value === 'string' && parseClientId(value)) return value;
  throw new WrongField(field, `is ${shown(value)}, expected a client id`);
};

const name: Kind = (value, field) => {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  const length = typeof value === 'string' ? Buffer.byteLength(value) : 0;
  if (length >= 1 && length <= NAME_MAX) return value;
  throw new WrongField(field, `is ${shown(value)}, expected 1 to ${NAME_MAX} bytes of text`);
};

const orList =
  (kind: Kind): Kind =>
  (value, field) => {
    if (!Array.isArray(value)) return kind(value, field);
    if (value.length > LIST_MAX)
      throw new WrongField(field, `has ${value.length} elements, allowed: ${LIST_MAX}`);
    return value.map((each, i) => kind(each, `${field}[${i}]`));
  };

const list =
  (kind: Kind): Kind =>
  (value, field) => {
    if (Array.isArray(value)) return orList(kind)(value, field);
    throw new WrongField(field, `is ${shown(value)}, expected a list`);
  };

const message: Kind = (value, field) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) return value;
  throw new WrongField(field, `is ${shown(value)}, expected text, or an object`);
};

const base64: Kind = (value, field) => {
  if (typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0)
    return Buffer.from(value, 'base64');
  throw new WrongField(field, `is ${shown(value)}, expected base64`);
};

const object: Kind = (value, field) => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new WrongField(field, `is ${shown(value)}, expected an object`);
};

const flag: Kind = (value, field) => {
  if (typeof value === 'boolean') return value;
  throw new WrongField(field, `is ${shown(value)}, expected true or false`);
};

const code: Kind = (value, field) => {
  const good = typeof value === 'number' && Number.isInteger(value);
  if (good && (value === 1000 || (value >= 3000 && value <= 4999))) return value;
  throw new WrongField(field, `is ${shown(value)}, expected 1000 or 3000 to 4999`);
};

const reason: Kind = (value, field) => {
  if (typeof value === 'string' && Buffer.byteLength(value) <= 123) return value;
  throw new WrongField(field, `is ${shown(value)}, expected text of up to 123 bytes`);
};

const MESSAGE = { 'message?': message, 'bytes?': base64 };
const SEND = { ...MESSAGE, 'exclude?': orList(id), 'raw?': flag };

const said = ({ message: text, bytes }: Fields): unknown => bytes ?? text;

const call = (fields: Call['fields'], run: Call['run']): Call => ({ fields, run });

const sends: Readonly<Record<string, Call>> = {
  sendToAll: call({ 'clients?': list(id), ...SEND }, (to, f) => to['sendToAll']?.(said(f), f)),
  sendToClient: call({ client: id, ...MESSAGE }, (to, f) =>
    to['sendToClient']?.(f['client'], said(f)),
  ),
  sendToUid: call({ uid: orList(name), ...MESSAGE }, (to, f) =>
    to['sendToUid']?.(f['uid'], said(f)),
  ),
  sendToGroup: call({ group: orList(name), ...SEND }, (to, f) =>
    to['sendToGroup']?.(f['group'], said(f), f),
  ),
};

const changes: Readonly<Record<string, Call>> = {
  closeClient: call({ client: id, ...MESSAGE, 'code?': code, 'reason?': reason }, (to, f) =>
    to['closeClient']?.(f['client'], said(f), f),
  ),
  destroyClient: call({ client: id }, (to, f) => to['destroyClient']?.(f['client'])),
  bindUid: call({ client: id, uid: name }, (to, f) => to['bindUid']?.(f['client'], f['uid'])),
  unbindUid: call({ client: id, 'uid?': name }, (to, f) =>
    to['unbindUid']?.(f['client'], f['uid']),
  ),
  joinGroup: call({ client: id, group: orList(name) }, (to, f) =>
    to['joinGroup']?.(f['client'], f['group']),
  ),
  leaveGroup: call({ client: id, group: orList(name) }, (to, f) =>
    to['leaveGroup']?.(f['client'], f['group']),
  ),
  ungroup: call({ group: name }, (to, f) => to['ungroup']?.(f['group'])),
  setSession: call({ client: id, session: object }, (to, f) =>
    to['setSession']?.(f['client'], f['session']),
  ),
  updateSession: call({ client: id, session: object }, (to, f) =>
    to['updateSession']?.(f['client'], f['session']),
  ),
};

/** Questions about one client, one user, one group, several users, or nothing in particular. */
const asks = (names: readonly string[], field: string | undefined, kind: Kind) =>
  Object.fromEntries(
    names.map((each) => [
      each,
      call(field === undefined ? {} : { [field]: kind }, (to, f) =>
        field === undefined ? to[each]?.() : to[each]?.(f[field]),
      ),
    ]),
  );

/** Every call by its name. */
export const CALLS: Readonly<Record<string, Call>> = {
  ...sends,
  ...changes,
  ...asks(['isOnline', 'getUidByClientId', 'getSession'], 'client', id),
  ...asks(['isUidOnline', 'getClientIdByUid'], 'uid', name),
  ...asks(['isUidsOnline'], 'uids', list(name)),
  ...asks(['getClientIdCountByGroup', 'getClientIdListByGroup'], 'group', name),
  ...asks(['getClientSessionsByGroup', 'getUidListByGroup', 'getUidCountByGroup'], 'group', name),
  ...asks(
    [
      'getAllClientIdCount',
      'getAllClientIdList',
      'getAllClientSessions',
      'getAllUidCount',
      'getAllUidList',
      'getAllGroupIdList',
      'getAllGroupClientIdList',
      'getAllGroupClientIdCount',
      'getAllGroupUidList',
      'getAllGroupUidCount',
    ],
    undefined,
    id,
  ),
};

/**
 * The fields of a call's body.
 *
 * @throws {WrongField} naming the first that is missing, unknown or wrong
 */
export function fieldsOf(name: string, body: unknown): Fields {
  const kinds = CALLS[name]?.fields ?? {};
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new WrongField('body', `is ${shown(body)}, expected a JSON object`);
  const given = body as Record<string, unknown>;
  const known = Object.keys(kinds).map((field) => field.replace('?', ''));
  const unknown = Object.keys(given).find((field) => !known.includes(field));
  if (unknown !== undefined)
    throw new WrongField(unknown, `is not a field; known: ${known.join(', ') || 'none'}`);
  const fields: Record<string, unknown> = {};
  for (const [key, kind] of Object.entries(kinds)) {
    const field = key.replace('?', '');
    if (given[field] !== undefined) fields[field] = kind(given[field], field);
    else if (!key.endsWith('?')) throw new WrongField(field, 'is missing');
  }
  const sending = 'message?' in kinds && name !== 'closeClient';
  if (sending && fields['message'] === undefined && fields['bytes'] === undefined)
    throw new WrongField('message', 'is missing; or give "bytes" in base64');
  if (fields['message'] !== undefined && fields['bytes'] !== undefined)
    throw new WrongField('bytes', 'and "message" exclude each other');
  return fields;
}
