import type { CloseOptions } from '../connections/tcp.ts';
import { misuse } from '../errors.ts';
import { bodyOf, listOf, type Name, NOTHING, names } from './client-base.ts';
import { GatewayQueries } from './client-queries.ts';
import { COMMAND, type Message } from './format.ts';
import { parseClientId } from './ids.ts';
import type { Session } from './session.ts';
import type { Target } from './writing.ts';

/** Who gets a message and how. */
export type SendOptions = {
  /** Client ids that do not get it. */
  readonly exclude?: string | readonly string[];
  /** The bytes are the client protocol's already: they are not encoded again. */
  readonly raw?: boolean;
};

/**
 * All that can be done to the clients of a program's gateways, from any process: a BusinessWorker has one as `gateway`,
 * other programs make their own.
 *
 * Sends and changes are fire and forget: `true` means that they are on their way to every gateway concerned, `false`
 * that they are dropped: no gateway is connected, the client's is not, or 8 MiB wait for one. What one process sends to
 * one client arrives in order. A message is text, bytes, or, for a protocol of your own, any value that JSON can hold.
 *
 * @example
 * const gateway = new GatewayClient({ gateways: ['10.0.0.5:2300'] });
 * await gateway.connect();
 * gateway.sendToUid('ann', 'hello');
 */
export class GatewayClient extends GatewayQueries {
  /** @internal told of a uid that this process gives or takes away */
  onUid: ((id: string, uid: string | undefined) => void) | undefined = undefined;
  /** @internal */
  onSession: ((id: string, session: Session, replaces: boolean) => void) | undefined = undefined;

  /** @param clients only these; default: all */
  sendToAll(
    message: Message,
    {
      clients,
      exclude = [],
      raw = false,
    }: SendOptions & { readonly clients?: readonly string[] } = {},
  ): boolean {
    const body = { ...bodyOf(message), raw };
    const except = byInstance(listOf(exclude));
    if (clients === undefined)
      return this.toAll(COMMAND.sendToAll, (instance) => ({ except: except.get(instance) }), body);
    const wanted = byInstance(clients);
    return this.toAll(
      COMMAND.sendToClients,
      (instance) => {
        const there = wanted.get(instance);
        return there && { clients: there, except: except.get(instance) };
      },
      body,
    );
  }

  /** To one client. */
  sendToClient(id: string, message: Message): boolean {
    return this.toOne(id, COMMAND.sendToClients, [], bodyOf(message));
  }

  /** To all clients of a user, or of several. */
  sendToUid(uid: Name | readonly Name[], message: Message): boolean {
    const target: Target = { names: names(uid) };
    return this.toAll(COMMAND.sendToUids, () => target, bodyOf(message));
  }

  /** To all members of a group, or of several; who is in more than one gets it once. */
  sendToGroup(
    group: Name | readonly Name[],
    message: Message,
    { exclude = [], raw = false }: SendOptions = {},
  ): boolean {
    const groups = names(group);
    const except = byInstance(listOf(exclude));
    return this.toAll(
      COMMAND.sendToGroups,
      (instance) => ({ names: groups, except: except.get(instance) }),
      { ...bodyOf(message), raw },
    );
  }

  /** Ends a client's connection in good order: what was sent before, `message` included, is flushed. */
  closeClient(id: string, message?: Message, { code, reason }: CloseOptions = {}): boolean {
    const options = code === undefined ? [] : [String(code), ...(reason ? [reason] : [])];
    return this.toOne(
      id,
      COMMAND.close,
      options,
      message === undefined ? NOTHING : bodyOf(message),
    );
  }

  /** Ends it at once; what is queued is lost. */
  destroyClient(id: string): boolean {
    return this.toOne(id, COMMAND.destroy, []);
  }

  /** Gives a client a uid, in place of one that it has. Several clients may have the same. It ends with the connection. */
  bindUid(id: string, uid: Name): boolean {
    const [name = ''] = names(uid);
    this.onUid?.(id, name);
    return this.toOne(id, COMMAND.bindUid, [name]);
  }

  /** @param uid only if it is this one */
  unbindUid(id: string, uid?: Name): boolean {
    this.onUid?.(id, undefined);
    return this.toOne(id, COMMAND.unbindUid, uid === undefined ? [] : names(uid));
  }

  /** It ends with the connection. Beyond `maxGroups` of the Gateway nothing is joined. */
  joinGroup(id: string, group: Name | readonly Name[]): boolean {
    return this.toOne(id, COMMAND.joinGroup, names(group));
  }

  leaveGroup(id: string, group: Name | readonly Name[]): boolean {
    return this.toOne(id, COMMAND.leaveGroup, names(group));
  }

  /** Takes all its members out of a group. */
  ungroup(group: Name): boolean {
    const target: Target = { names: names(group) };
    return this.toAll(COMMAND.ungroup, () => target, NOTHING);
  }

  /** Replaces a client's session. */
  setSession(id: string, session: Session): boolean {
    const body = bodyOf(objectIn(session));
    this.onSession?.(id, session, true);
    return this.toOne(id, COMMAND.setSession, [], body);
  }

  /** Lays `update` over a client's session: objects key by key, at any depth; everything else is replaced. */
  updateSession(id: string, update: Session): boolean {
    const body = bodyOf(objectIn(update));
    this.onSession?.(id, update, false);
    return this.toOne(id, COMMAND.updateSession, [], body);
  }
}

function objectIn(session: Session): Session {
  if (typeof session === 'object' && session !== null && !Array.isArray(session)) return session;
  throw misuse('GATEWAY_INVALID', 'a session is an object');
}

/** Connection numbers by gateway; what is no id is nobody. */
function byInstance(clients: readonly string[]): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const id of clients) {
    const key = parseClientId(id);
    if (!key) continue;
    const there = numbers.get(key.instance);
    if (there) there.push(key.number);
    else numbers.set(key.instance, [key.number]);
  }
  return numbers;
}
