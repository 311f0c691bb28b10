import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { GatewayClient } from '../../src/gateway/client.ts';
import { CALLS } from '../../src/gateway/push-calls.ts';
import { PushServer } from '../../src/gateway/push-server.ts';
import { authority, eventually, type Peer } from '../support/peer.ts';
import { Scene } from './scene.ts';

const TOKEN = 'a token of some length';
let scene: Scene;
let push: PushServer;
let peer: Peer;
let id: string;
let api: GatewayClient;

beforeEach(async () => {
  scene = await Scene.open();
  push = new PushServer('http://127.0.0.1:0', { token: TOKEN, gateways: scene.addresses });
  await push.listen();
  peer = await scene.client(1);
  api = await scene.outside();
  await eventually(() => scene.gateways[1]?.connections.size === 1, 'the client');
  [id = ''] = await api.getAllClientIdList();
});
afterEach(async () => {
  await push.close();
  await scene.end();
});

type Answer = { status: number; body: Record<string, unknown> };

async function post(call: string, body: unknown, headers: object = {}): Promise<Answer> {
  const answer = await fetch(`http://${authority(push)}/${call}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Answer['body'] };
}

const good = (result: unknown): Answer => ({ status: 200, body: { result } });

describe('the push endpoint', () => {
  it('does what GatewayClient does', async () => {
    expect(await post('bindUid', { client: id, uid: 'ann' })).toEqual(good(true));
    expect(await post('joinGroup', { client: id, group: ['red', 7] })).toEqual(good(true));
    expect(await post('updateSession', { client: id, session: { a: 1 } })).toEqual(good(true));
    expect(await post('getSession', { client: id })).toEqual(good({ a: 1 }));
    expect(await post('getClientIdByUid', { uid: 'ann' })).toEqual(good([id]));
    expect(await post('isUidsOnline', { uids: ['ann', 'bob'] })).toEqual(
      good({ ann: true, bob: false }),
    );
    expect(await post('getAllGroupClientIdCount', {})).toEqual(good({ red: 1, 7: 1 }));
    expect(await post('getAllClientIdCount', '')).toEqual(good(1));
    const said: [string, object][] = [
      ['sendToAll', {}],
      ['sendToAll', { clients: [id] }],
      ['sendToClient', { client: id }],
      ['sendToUid', { uid: ['ann', 'bob'] }],
      ['sendToGroup', { group: 7 }],
    ];
    for (const [i, [call, fields]] of said.entries()) {
      expect(await post(call, { ...fields, message: `${i} ${call}` })).toEqual(good(true));
      expect(await peer.line()).toBe(`${i} ${call}`);
    }
    expect(await post('sendToAll', { exclude: id, message: 'not to him' })).toEqual(good(true));
    expect(await post('sendToAll', { bytes: Buffer.from('é').toString('base64') })).toEqual(
      good(true),
    );
    expect(await peer.line()).toBe('é');
    expect(await post('closeClient', { client: id, message: 'bye' })).toEqual(good(true));
    expect(await peer.line()).toBe('bye');
  });

  it('has every call of GatewayClient', () => {
    const calls = new Set<string>();
    for (
      let of = Object.getPrototypeOf(api);
      of !== Object.prototype;
      of = Object.getPrototypeOf(of)
    )
      for (const name of Object.getOwnPropertyNames(of)) calls.add(name);
    const inner = ['constructor', 'connect', 'connected', 'close', 'whenReady'];
    const others = [...inner, 'toOne', 'toAll', 'askOne', 'askAll'];
    expect(Object.keys(CALLS).sort()).toEqual(
      [...calls].filter((name) => !others.includes(name)).sort(),
    );
  });

  it.each([
    ['sendToAll', {}, 'message'],
    ['sendToAll', { message: 1 }, 'message'],
    ['sendToAll', { message: 'a', bytes: 'YQ==' }, 'bytes'],
    ['sendToAll', { bytes: '?' }, 'bytes'],
    ['sendToAll', { message: 'a', clients: 'x' }, 'clients'],
    ['sendToAll', { message: 'a', clients: ['x'] }, 'clients[0]'],
    ['sendToAll', { message: 'a', clients: Array(10_001).fill('x') }, 'clients'],
    ['sendToAll', { message: 'a', raw: 1 }, 'raw'],
    ['sendToAll', { message: 'a', who: 'me' }, 'who'],
    ['sendToUid', { message: 'a' }, 'uid'],
    ['sendToUid', { message: 'a', uid: '' }, 'uid'],
    ['sendToGroup', { message: 'a', group: 'x'.repeat(256) }, 'group'],
    ['sendToGroup', { message: 'a', group: [null] }, 'group[0]'],
    ['getSession', { client: 7 }, 'client'],
    ['setSession', { client: 'A'.repeat(20), session: [] }, 'session'],
    ['closeClient', { client: 'A'.repeat(20), code: 1012 }, 'code'],
    ['closeClient', { client: 'A'.repeat(20), code: 4000, reason: 'x'.repeat(124) }, 'reason'],
    ['getAllUidList', { uid: 'x' }, 'uid'],
    ['getAllUidList', [], 'body'],
    ['getAllUidList', '{', 'body'],
  ])('%s %j is a 400 that names the field %s', async (call, body, field) => {
    const { status, body: answer } = await post(call, body);
    expect([status, answer['field']]).toEqual([400, field]);
    expect(answer['error']).toContain(`"${field}"`);
  });

  it.each([
    [{ authorization: '' }],
    [{ authorization: `Bearer ${TOKEN}x` }],
    [{ authorization: `Basic ${TOKEN}` }],
  ])('refuses %j', async (headers) => {
    expect((await post('sendToAll', { message: 'a' }, headers)).status).toBe(401);
  });

  it('answers what is no call, no POST, or too long, with what it is', async () => {
    expect((await post('listen', {})).status).toBe(404);
    expect((await post('constructor', {})).status).toBe(404);
    const get = await fetch(`http://${authority(push)}/getAllUidList`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(get.status).toBe(405);
    const long = await fetch(`http://${authority(push)}/sendToAll`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ message: 'x'.repeat(1_100_000) }),
    }).catch(() => undefined);
    expect([413, undefined]).toContain(long?.status);
  });

  it('says 503 where no gateway is', async () => {
    await post('getAllUidList', {});
    for (const gateway of scene.gateways) await gateway.close();
    await eventually(() => api.connected === 0, 'gone');
    expect(await post('sendToAll', { message: 'a' })).toEqual(good(false));
    expect((await post('getAllUidList', {})).status).toBe(503);
  });

  it('needs a token, and reads its file at each call', async () => {
    for (const options of [{}, { token: 'short' }])
      expect(() => new PushServer('http://127.0.0.1:0', options)).toThrow(/token/);
    const file = join(tmpdir(), `longshore-token-${process.pid}`);
    writeFileSync(file, `${TOKEN}\n`);
    await push.close();
    push = new PushServer('http://127.0.0.1:0', { tokenFile: file, gateways: scene.addresses });
    await push.listen();
    expect((await post('getAllUidList', {})).status).toBe(200);
    writeFileSync(file, 'another one of some length');
    expect((await post('getAllUidList', {})).status).toBe(401);
  });
});
