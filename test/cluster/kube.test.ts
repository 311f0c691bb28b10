import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ConfigMap, KubeObject } from '../../operator/api/meta.ts';
import {
  type ApiError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isInvalid,
  isNotFound,
} from '../../operator/kube/api-error.ts';
import type { Client } from '../../operator/kube/client.ts';
import { keyOf, type Ref, resources } from '../../operator/kube/resources.ts';
import { ApiServer, noApiServer } from './support/api-server.ts';
import { eventually } from './support/run.ts';
import { describeUnless } from './support/skip.ts';
import { Wire } from './support/wire.ts';

let server: ApiServer;
let client: Client;

beforeAll(async () => {
  if (noApiServer !== undefined) return;
  server = await ApiServer.start();
  client = server.client();
}, 180_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});
const map = (name: string, data: Record<string, string> = {}, labels = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name, labels },
  data,
});
const refTo = (name: string): Ref => ({
  resource: resources.ConfigMap,
  namespace: 'default',
  name,
});
const made = (of: Client): Record<string, number> => Object.fromEntries(of.made);

async function failure(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => new Error('it did not fail'),
    (reason) => reason,
  );
  expect(error).toHaveProperty('status');
  return error as ApiError;
}

async function namespace(name: string): Promise<void> {
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

describeUnless(noApiServer, 'Client', () => {
  it('creates, reads, patches and removes', async () => {
    const mine = server.client();
    const { metadata } = await mine.create(map('one', { a: '1' }));
    expect(metadata.uid).toBeDefined();
    await mine.patch(refTo('one'), { data: { b: '2' } });
    expect(await mine.get<ConfigMap>(refTo('one'))).toMatchObject({ data: { a: '1', b: '2' } });
    await mine.remove(refTo('one'), { uid: metadata.uid, propagation: 'Background' });
    expect(isNotFound(await failure(mine.get(refTo('one'))))).toBe(true);
    expect(made(mine)).toEqual({
      'create /configmaps': 1,
      'patch /configmaps': 1,
      'get /configmaps': 2,
      'delete /configmaps': 1,
    });
  });

  it("tells failures apart, in the server's own words", async () => {
    const { metadata } = await client.create(map('two'));
    const again = await failure(client.create(map('two')));
    expect([isAlreadyExists(again), isConflict(again), again.reason]).toEqual([
      true,
      true,
      'AlreadyExists',
    ]);
    await client.patch(refTo('two'), { data: { a: '1' } });
    const { resourceVersion } = metadata;
    const stale = await failure(client.patch(refTo('two'), { metadata: { resourceVersion } }));
    expect([isConflict(stale), isAlreadyExists(stale)]).toEqual([true, false]);
    const other = await failure(client.remove(refTo('two'), { uid: 'another' }));
    expect(isConflict(other)).toBe(true);
    const invalid = await failure(client.create(map('Not A Name')));
    expect(isInvalid(invalid)).toBe(true);
    expect(invalid.message).toMatch(/^ConfigMap "Not A Name" is invalid: metadata.name: /);
    const nobody = server.client({ token: 'nobody' });
    const forbidden = await failure(nobody.get(refTo('two')));
    expect(isForbidden(forbidden)).toBe(true);
    expect(forbidden.message).toMatch(/User "nobody" cannot get resource "configmaps"/);
    const unknown = await failure(server.client({ token: 'wrong' }).get(refTo('two')));
    expect(unknown).toMatchObject({ status: 401, reason: 'Unauthorized' });
  });

  it('reads a token again after it was refused', async () => {
    const tokenFile = join(server.folder, 'token');
    writeFileSync(tokenFile, 'expired');
    const mine = server.client({ 'token-file': tokenFile });
    expect(await failure(mine.get(refTo('two')))).toMatchObject({ status: 401 });
    writeFileSync(tokenFile, 'admin');
    expect(await mine.get(refTo('two'))).toMatchObject({ kind: 'ConfigMap' });
  });

  it('applies: what is ours comes and goes, what is others’ stays, what both want is ours', async () => {
    const mine = server.client();
    await mine.apply(map('three', { ours: '1', gone: '1' }));
    await mine.patch(refTo('three'), { data: { theirs: '1' } });
    const theirs = { ...map('three', { theirs: '2', ours: '2' }) };
    await server.apply('/api/v1/namespaces/default/configmaps/three', theirs);
    expect(await mine.apply(map('three', { ours: '3' }))).toMatchObject({
      data: { ours: '3', theirs: '2' },
    });
    expect((await mine.get<ConfigMap>(refTo('three'))).data).not.toHaveProperty('gone');
    expect(made(mine)).toMatchObject({ 'patch /configmaps': 3, 'create /configmaps': 1 });
  });

  it('needs the right to create for an apply that creates', async () => {
    const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
    const metadata = { namespace: 'default', name: 'patches' };
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata };
    await server.apply(`${path}/roles/patches`, {
      ...rbac,
      kind: 'Role',
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] }],
    });
    await server.apply(`${path}/rolebindings/patches`, {
      ...rbac,
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'patches' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'nobody' }],
    });
    const nobody = server.client({ token: 'nobody' });
    const data = { by: 'nobody' };
    await eventually('the right', () => nobody.apply(map('three', data)));
    expect((await failure(nobody.apply(map('new', data)))).message).toMatch(/cannot create/);
  });

  it('applies a status, and only that', async () => {
    const mine = server.client();
    const budget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { namespace: 'default', name: 'budget' },
    };
    await mine.apply({ ...budget, spec: { minAvailable: 1 } } as KubeObject);
    const status = { disruptionsAllowed: 3, currentHealthy: 4, desiredHealthy: 1, expectedPods: 4 };
    const told = await mine.apply({ ...budget, spec: { minAvailable: 9 }, status } as KubeObject, {
      subresource: 'status',
    });
    expect(told).toMatchObject({ spec: { minAvailable: 1 }, status });
    expect(made(mine)).toEqual({
      'patch policy/poddisruptionbudgets': 1,
      'create policy/poddisruptionbudgets': 1,
      'patch policy/poddisruptionbudgets/status': 1,
    });
  });

  it('knows the version', async () => {
    const told: unknown[] = [];
    client.onRequest = ({ verb, resource, status }) => told.push([verb, resource, status]);
    const { major, minor, text } = await client.version();
    client.onRequest = undefined;
    expect([major, minor >= 30, text.startsWith('v1.')]).toEqual([1, true, true]);
    expect(told).toEqual([['get', 'version', 200]]);
  });

  it('lists 1200 objects in pages', async () => {
    await namespace('many');
    await inParallel(1200, (i) =>
      client.create({
        ...map(`m${i}`, { i: `${i}` }, { half: i % 2 === 0 ? 'even' : 'odd' }),
        metadata: { namespace: 'many', name: `m${i}`, labels: { half: i % 2 ? 'odd' : 'even' } },
      }),
    );
    const mine = server.client();
    const { items, resourceVersion } = await mine.list<ConfigMap>(resources.ConfigMap, {
      namespace: 'many',
    });
    expect(new Set(items.map(keyOf)).size).toBe(1200);
    expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    expect(resourceVersion).toMatch(/^\d+$/);
    expect(made(mine)).toEqual({ 'list /configmaps': 3 });
    const odd = await mine.list(resources.ConfigMap, {
      namespace: 'many',
      labelSelector: 'half=odd',
    });
    expect(odd.items).toHaveLength(600);
  }, 120_000);

  it('says what it is when there is no answer', async () => {
    using wire = await Wire.to(server.port);
    const mine = server.client(undefined, wire.port);
    await mine.version();
    // A kept connection that is gone: the next request takes another.
    wire.cut();
    await mine.version();
    wire.unplug();
    expect(await failure(mine.version())).toMatchObject({ status: 0 });
    mine.close();
    expect(await failure(mine.version())).toMatchObject({ status: 0 });
  });
});

/** `count` pieces of work, 16 at the same time. */
async function inParallel(count: number, does: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await does(next++);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
