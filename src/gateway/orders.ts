import { failed } from '../connections/connection.ts';
import type { TcpConnection } from '../connections/tcp.ts';
import { COMMAND, type Command, FORM, type Message } from './format.ts';
import type { Entry, Registry } from './registry.ts';
import { merged, type Session } from './session.ts';
import { decoded } from './writing.ts';

/** What commands are carried out on. */
export interface Orderly {
  readonly registry: Registry;
  connectionOf(number: number): TcpConnection | undefined;
}

/** Carries out one command of a BusinessWorker or GatewayClient. */
export function obey(hall: Orderly, command: Command): void {
  switch (command.what) {
    case COMMAND.sendToClients:
    case COMMAND.sendToAll:
    case COMMAND.sendToUids:
    case COMMAND.sendToGroups:
      send(hall, command);
      break;
    case COMMAND.close:
    case COMMAND.destroy:
      end(hall, command);
      break;
    case COMMAND.ungroup:
      for (const group of command.names) hall.registry.ungroup(group);
      break;
    default:
      for (const number of command.clients) {
        const entry = hall.registry.clients.get(number);
        if (entry) change(hall.registry, entry, command);
      }
  }
}

function change(registry: Registry, entry: Entry, { what, names, body }: Command): void {
  const [name] = names;
  if (what === COMMAND.bindUid && name !== undefined) registry.bind(entry, name);
  else if (what === COMMAND.unbindUid) registry.unbind(entry, name);
  else if (what === COMMAND.joinGroup) for (const group of names) registry.join(entry, group);
  else if (what === COMMAND.leaveGroup) for (const group of names) registry.leave(entry, group);
  else {
    const session = JSON.parse(body as string) as Session;
    const next = what === COMMAND.setSession ? session : merged(entry.session, session);
    registry.setSession(entry, next);
  }
}

function send(hall: Orderly, command: Command): void {
  const message = decoded(command.form, command.body);
  const except = command.except.length > 0 ? new Set(command.except) : undefined;
  for (const number of receivers(hall.registry, command)) {
    if (except?.has(number)) continue;
    const connection = hall.connectionOf(number);
    if (connection) sendOne(connection, message, command.raw);
  }
}

function* receivers(registry: Registry, { what, clients, names }: Command): Iterable<number> {
  if (what === COMMAND.sendToClients) yield* clients;
  else if (what === COMMAND.sendToAll) yield* registry.clients.keys();
  else {
    const entries =
      what === COMMAND.sendToUids ? registry.withUids(names) : registry.inGroups(names);
    for (const { number } of entries) yield number;
  }
}

/** A client's own protocol may not have a way to say it: that is the sender's mistake, told here and felt nowhere. */
function sendOne(connection: TcpConnection, message: Message, raw: boolean): void {
  try {
    connection.send(sayable(connection, message), raw);
  } catch (error) {
    failed('gateway, sending to a client', error);
  }
}

/** The text protocol has no bytes. */
function sayable({ protocolName }: TcpConnection, message: Message): Message {
  return protocolName === 'text' && message instanceof Uint8Array
    ? Buffer.from(message).toString()
    : message;
}

function end(hall: Orderly, { what, clients, names, form, body }: Command): void {
  const [code, reason = ''] = names;
  const options = code === undefined ? {} : { code: Number(code), reason };
  for (const number of clients) {
    const connection = hall.connectionOf(number);
    if (!connection) continue;
    if (what === COMMAND.destroy) connection.destroy();
    else {
      // Nothing to say is an empty list of bytes.
      const silent = form === FORM.bytes && body.length === 0;
      if (!silent) sendOne(connection, decoded(form, body), false);
      connection.close(undefined, options);
    }
  }
}
