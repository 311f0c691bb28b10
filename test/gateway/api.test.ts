import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { GatewayClient } from '../../src/gateway/client.ts';
import type { Peer } from '../support/peer.ts';
import { eventually } from '../support/peer.ts';
import { Scene } from './scene.ts';

/** Two gateways, two BusinessWorkers, a program beside them, four clients: a and b on the first gateway, c and d on the second. */
let scene: Scene;
let api: GatewayClient;
const closed: string[] = [];

beforeAll(async () => {
  scene = await Scene.open({ maxGroups: 3 });
  for (let i = 0; i < 2; i += 1) {
    const business = scene.business((worker) => {
      worker.onConnect = (client) => client.send(client.id);
      worker.onMessage = (client, message) =>
        client.send(`${message} ${JSON.stringify(client.session)}`);
      worker.onClose = (client) => closed.push(client.id);
    });
    await business.listen();
  }
  api = await scene.outside();
});
afterAll(() => scene.end());

type Four = Record<'a' | 'b' | 'c' | 'd', { id: string; peer: Peer }>;
let four: Four;

beforeEach(async () => {
  for (const id of await api.getAllClientIdList()) api.destroyClient(id);
  const made = [];
  for (const gateway of [0, 0, 1, 1]) {
    const peer = await scene.client(gateway);
    made.push({ id: await peer.line(), peer });
  }
  const [a, b, c, d] = made;
  four = { a, b, c, d } as Four;
});

/** Who of the four gets `text`, judged by a message to all that comes behind it. */
async function heard(text: string): Promise<string> {
  api.sendToAll('END');
  let who = '';
  for (const [name, { peer }] of Object.entries(four)) {
    for (let line = await peer.line(); line !== 'END'; line = await peer.line())
      if (line === text) who += name;
  }
  return who;
}

const ids = (names: string): string[] =>
  [...names].map((name) => four[name as keyof Four].id).sort();

describe('client ids', () => {
  it('are opaque, and different for each client', () => {
    expect(ids('abcd').join(' ')).toMatch(/^[\w-]{20}( [\w-]{20}){3}$/);
    expect(new Set(ids('abcd')).size).toBe(4);
  });
});

describe('sending', () => {
  it.each<[string, string, (id: (name: string) => string) => boolean]>([
    ['sendToAll', 'abcd', () => api.sendToAll('hi')],
    ['sendToAll with clients', 'ad', (id) => api.sendToAll('hi', { clients: [id('a'), id('d')] })],
    ['sendToAll with one excluded', 'abd', (id) => api.sendToAll('hi', { exclude: id('c') })],
    [
      'sendToAll with clients of which one is excluded',
      'd',
      (id) => api.sendToAll('hi', { clients: [id('a'), id('d')], exclude: [id('a')] }),
    ],
    ['sendToClient', 'c', (id) => api.sendToClient(id('c'), 'hi')],
    ['sendToUid', 'bc', () => api.sendToUid('ann', 'hi')],
    ['sendToUid with a number', 'd', () => api.sendToUid(7, 'hi')],
    ['sendToUid with several', 'bcd', () => api.sendToUid(['ann', 7], 'hi')],
    ['sendToUid with an unknown one', '', () => api.sendToUid('nobody', 'hi')],
    ['sendToGroup', 'ac', () => api.sendToGroup('red', 'hi')],
    ['sendToGroup with several', 'acd', () => api.sendToGroup(['red', 'blue'], 'hi')],
    [
      'sendToGroup with exclusions',
      'c',
      (id) => api.sendToGroup('red', 'hi', { exclude: [id('a')] }),
    ],
    ['sendToGroup to an unknown one', '', () => api.sendToGroup('green', 'hi')],
    ['raw bytes', 'abcd', () => api.sendToAll(Buffer.from('hi\n'), { raw: true })],
    ['bytes as text', 'abcd', () => api.sendToAll(Buffer.from('hi'))],
  ])('%s reaches %s', async (_, who, send) => {
    const id = (name: string) => four[name as keyof Four].id;
    for (const name of 'bc') api.bindUid(id(name), 'ann');
    api.bindUid(id('d'), 7);
    for (const name of 'ac') api.joinGroup(id(name), 'red');
    for (const name of 'cd') api.joinGroup(id(name), 'blue');
    expect(send(id)).toBe(true);
    expect(await heard('hi')).toBe(who);
  });

  it.each(['', 'x', 'AAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAA########'])(
    'to %j, which is nobody, says false',
    (id) => {
      expect(api.sendToClient(id, 'hi')).toBe(false);
    },
  );

  it.each([
    ['an empty uid', () => api.sendToUid('', 'hi')],
    ['a group of 256 bytes', () => api.joinGroup(four.a.id, 'é'.repeat(128))],
    ['a function as message', () => api.sendToAll((() => {}) as never)],
    ['a list as session', () => api.setSession(four.a.id, [] as never)],
  ])('refuses %s', (_, act) => {
    expect(act).toThrow(expect.objectContaining({ code: 'GATEWAY_INVALID' }));
  });
});

describe('presence', () => {
  it('is told of clients and uids', async () => {
    api.bindUid(four.a.id, 'ann');
    expect(await api.isOnline(four.a.id)).toBe(true);
    expect(await api.isUidOnline('ann')).toBe(true);
    expect(await api.isUidsOnline(['ann', 'bob'])).toEqual({ ann: true, bob: false });
    api.destroyClient(four.a.id);
    await four.a.peer.end();
    expect(await api.isOnline(four.a.id)).toBe(false);
    expect(await api.isUidOnline('ann')).toBe(false);
    expect(await api.isOnline('nobody')).toBe(false);
  });

  it('is counted and listed over both gateways', async () => {
    expect(await api.getAllClientIdCount()).toBe(4);
    expect((await api.getAllClientIdList()).sort()).toEqual(ids('abcd'));
  });
});

describe('uids', () => {
  it('are one for a client, and may be many clients’', async () => {
    for (const name of ['a', 'c'] as const) api.bindUid(four[name].id, 'ann');
    api.bindUid(four.d.id, 'dan');
    expect((await api.getClientIdByUid('ann')).sort()).toEqual(ids('ac'));
    expect(await api.getUidByClientId(four.c.id)).toBe('ann');
    expect(await api.getUidByClientId(four.b.id)).toBeNull();
    expect((await api.getAllUidList()).sort()).toEqual(['ann', 'dan']);
    expect(await api.getAllUidCount()).toBe(2);
    api.bindUid(four.c.id, 'carl');
    expect(await api.getClientIdByUid('ann')).toEqual(ids('a'));
    api.unbindUid(four.a.id, 'somebody else');
    expect(await api.getUidByClientId(four.a.id)).toBe('ann');
    api.unbindUid(four.a.id, 'ann');
    api.unbindUid(four.c.id);
    expect(await api.getAllUidList()).toEqual(['dan']);
  });
});

describe('groups', () => {
  beforeEach(() => {
    for (const name of ['a', 'b', 'c'] as const) api.joinGroup(four[name].id, 'red');
    for (const name of ['c', 'd'] as const) api.joinGroup(four[name].id, ['blue', 'green']);
    for (const name of ['a', 'c'] as const) api.bindUid(four[name].id, 'ann');
    api.bindUid(four.d.id, 'dan');
  });

  it('are counted and listed', async () => {
    expect(await api.getClientIdCountByGroup('red')).toBe(3);
    expect((await api.getClientIdListByGroup('red')).sort()).toEqual(ids('abc'));
    expect(await api.getUidListByGroup('red')).toEqual(['ann']);
    expect(await api.getUidCountByGroup('blue')).toBe(2);
    expect((await api.getAllGroupIdList()).sort()).toEqual(['blue', 'green', 'red']);
    expect(await api.getAllGroupClientIdCount()).toEqual({ red: 3, blue: 2, green: 2 });
    const lists = await api.getAllGroupClientIdList();
    expect(lists['blue']?.sort()).toEqual(ids('cd'));
    expect(await api.getAllGroupUidList()).toMatchObject({ red: ['ann'] });
    expect(await api.getAllGroupUidCount()).toEqual({ red: 1, blue: 2, green: 2 });
    expect(await api.getClientIdCountByGroup('nothing')).toBe(0);
  });

  it('are left, dissolved, and end with their members', async () => {
    api.leaveGroup(four.a.id, 'red');
    expect(await api.getClientIdCountByGroup('red')).toBe(2);
    api.ungroup('blue');
    expect((await api.getAllGroupIdList()).sort()).toEqual(['green', 'red']);
    for (const name of ['b', 'c', 'd'] as const) four[name].peer.destroy();
    await eventually(() => closed.includes(four.d.id), 'onClose');
    await eventually(() => closed.includes(four.b.id) && closed.includes(four.c.id), 'onClose');
    expect(await api.getAllGroupIdList()).toEqual([]);
  });

  it('are bounded for each client', async () => {
    api.joinGroup(four.c.id, 'one too many');
    expect(await api.getClientIdCountByGroup('one too many')).toBe(0);
  });

  it.each([undefined, null, {}, Number.NaN, true, Symbol('s'), () => 1])(
    'and uids have no name like %p, which would be the same for many',
    (name) => {
      const wrong = name as string;
      for (const act of [
        () => api.bindUid(four.a.id, wrong),
        () => api.joinGroup(four.a.id, wrong),
        () => api.joinGroup(four.a.id, ['good', wrong]),
        () => api.sendToUid(wrong, 'x'),
        () => api.sendToGroup(wrong, 'x'),
        () => api.ungroup(wrong),
      ])
        expect(act).toThrow(/a group's name and a uid are text or a number, this is/);
    },
  );
});

describe('sessions', () => {
  it('are set, merged, read, and reach the handlers', async () => {
    const { a, c } = four;
    expect(await api.getSession(a.id)).toEqual({});
    api.setSession(a.id, { name: 'ann', deep: { x: 1, list: [1, 2] } });
    api.updateSession(a.id, { deep: { y: 2, list: [3] } });
    const session = { name: 'ann', deep: { x: 1, list: [3], y: 2 } };
    expect(await api.getSession(a.id)).toEqual(session);
    a.peer.send('what?\n');
    expect(await a.peer.line()).toBe(`what? ${JSON.stringify(session)}`);
    api.joinGroup(a.id, 'red');
    expect(await api.getClientSessionsByGroup('red')).toEqual({ [a.id]: session });
    expect(await api.getAllClientSessions()).toMatchObject({ [a.id]: session, [c.id]: {} });
    expect(await api.getSession('A'.repeat(20))).toBeNull();
  });
});

describe('closing', () => {
  it('flushes a last message', async () => {
    expect(api.closeClient(four.c.id, 'bye')).toBe(true);
    expect(await four.c.peer.line()).toBe('bye');
    expect(await four.c.peer.end()).toBe('end');
    await eventually(() => closed.includes(four.c.id), 'onClose');
  });

  it('may say nothing', async () => {
    api.closeClient(four.a.id);
    expect(await four.a.peer.end()).toBe('end');
  });
});
