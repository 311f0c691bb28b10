import { type Answered, GatewayClientBase, type Name, names } from './client-base.ts';
import { clientId } from './ids.ts';
import type { Session } from './session.ts';

/**
 * The questions. Those about one client go to its gateway, all others to every gateway; each costs a round trip.
 *
 * All reject with `GATEWAY_INCOMPLETE` if a gateway that is connected does not answer in time, or none is connected;
 * the error's `partial` is made of the answers that came. A gateway that dies meanwhile has no clients any more, so
 * nothing is missing.
 */
export class GatewayQueries extends GatewayClientBase {
  /** Whether a client is connected. */
  async isOnline(id: string): Promise<boolean> {
    return (await this.askOne<boolean>(id, 'online')) ?? false;
  }

  /** Whether any client has that uid. */
  async isUidOnline(uid: Name): Promise<boolean> {
    return (await this.isUidsOnline([uid]))[String(uid)] ?? false;
  }

  /** The same for several, by uid. */
  isUidsOnline(uids: readonly Name[]): Promise<Record<string, boolean>> {
    const asked = names(uids);
    return this.askAll<string[], Record<string, boolean>>(
      { what: 'uidsOnline', uids: asked },
      (answers) => {
        const online = new Set(answers.flatMap(({ answer }) => answer));
        return Object.fromEntries(asked.map((uid) => [uid, online.has(uid)]));
      },
    );
  }

  getAllClientIdCount(): Promise<number> {
    return this.askAll<number, number>({ what: 'count' }, sum);
  }

  getAllClientIdList(): Promise<string[]> {
    return this.askAll<number[], string[]>({ what: 'clients' }, ids);
  }

  /** Distinct uids. */
  async getAllUidCount(): Promise<number> {
    return (await this.getAllUidList()).length;
  }

  getAllUidList(): Promise<string[]> {
    return this.askAll<string[], string[]>({ what: 'allUids' }, union);
  }

  /** All clients of a user. */
  getClientIdByUid(uid: Name): Promise<string[]> {
    const [one = ''] = names(uid);
    return this.askAll<number[], string[]>({ what: 'clients', uid: one }, ids);
  }

  /** `null` if the client has none or is not connected. */
  async getUidByClientId(id: string): Promise<string | null> {
    return (await this.askOne<string | null>(id, 'uid')) ?? null;
  }

  getClientIdCountByGroup(group: Name): Promise<number> {
    const [one = ''] = names(group);
    return this.askAll<number, number>({ what: 'count', group: one }, sum);
  }

  getClientIdListByGroup(group: Name): Promise<string[]> {
    const [one = ''] = names(group);
    return this.askAll<number[], string[]>({ what: 'clients', group: one }, ids);
  }

  /** Sessions of a group's members, by client id. */
  getClientSessionsByGroup(group: Name): Promise<Record<string, Session>> {
    const [one = ''] = names(group);
    return this.askAll<SessionRow[], Record<string, Session>>(
      { what: 'sessions', group: one },
      byId,
    );
  }

  /** Sessions of all clients, by client id. */
  getAllClientSessions(): Promise<Record<string, Session>> {
    return this.askAll<SessionRow[], Record<string, Session>>({ what: 'sessions' }, byId);
  }

  /** Distinct uids of a group's members. */
  getUidListByGroup(group: Name): Promise<string[]> {
    const [one = ''] = names(group);
    return this.askAll<string[], string[]>({ what: 'uids', group: one }, union);
  }

  async getUidCountByGroup(group: Name): Promise<number> {
    return (await this.getUidListByGroup(group)).length;
  }

  /** Groups that have a member. */
  getAllGroupIdList(): Promise<string[]> {
    return this.askAll<string[], string[]>({ what: 'groups' }, union);
  }

  getAllGroupClientIdList(): Promise<Record<string, string[]>> {
    return this.askAll<GroupRow<number[]>[], Record<string, string[]>>(
      { what: 'groupClients' },
      (answers) => grouped(answers, (numbers, instance) => idsOf(instance, numbers)),
    );
  }

  getAllGroupClientIdCount(): Promise<Record<string, number>> {
    return this.askAll<GroupRow<number>[], Record<string, number>>(
      { what: 'groupCounts' },
      (answers) => {
        const counts = new Map<string, number>();
        for (const { answer } of answers) {
          for (const [group, count] of answer) counts.set(group, (counts.get(group) ?? 0) + count);
        }
        return Object.fromEntries(counts);
      },
    );
  }

  getAllGroupUidList(): Promise<Record<string, string[]>> {
    return this.askAll<GroupRow<string[]>[], Record<string, string[]>>(
      { what: 'groupUids' },
      (answers) => grouped(answers, (uids) => uids),
    );
  }

  async getAllGroupUidCount(): Promise<Record<string, number>> {
    const lists = Object.entries(await this.getAllGroupUidList());
    return Object.fromEntries(lists.map(([group, uids]) => [group, uids.length]));
  }

  /** `null` if the client is not connected. */
  async getSession(id: string): Promise<Session | null> {
    return (await this.askOne<Session | null>(id, 'session')) ?? null;
  }
}

type SessionRow = readonly [number: number, session: Session];
type GroupRow<T> = readonly [group: string, value: T];

const idsOf = (instance: string, numbers: readonly number[]): string[] =>
  numbers.map((number) => clientId(instance, number));

function ids(answers: readonly Answered<number[]>[]): string[] {
  return answers.flatMap(({ instance, answer }) => idsOf(instance, answer));
}

function sum(answers: readonly Answered<number>[]): number {
  return answers.reduce((total, { answer }) => total + answer, 0);
}

function union(answers: readonly Answered<string[]>[]): string[] {
  return [...new Set(answers.flatMap(({ answer }) => answer))];
}

function byId(answers: readonly Answered<SessionRow[]>[]): Record<string, Session> {
  return Object.fromEntries(
    answers.flatMap(({ instance, answer }) =>
      answer.map(([number, session]) => [clientId(instance, number), session]),
    ),
  );
}

/** Lists of the same group from several gateways in one, each element once. */
function grouped<T>(
  answers: readonly Answered<GroupRow<T>[]>[],
  read: (value: T, instance: string) => readonly string[],
): Record<string, string[]> {
  const lists = new Map<string, Set<string>>();
  for (const { instance, answer } of answers) {
    for (const [group, value] of answer) {
      const list = lists.get(group) ?? new Set();
      for (const each of read(value, instance)) list.add(each);
      lists.set(group, list);
    }
  }
  return Object.fromEntries([...lists].map(([group, list]) => [group, [...list]]));
}
