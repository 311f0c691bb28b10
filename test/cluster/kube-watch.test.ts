import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { ConfigMap } from '../../operator/api/meta.ts';
import { type ApiError, isForbidden } from '../../operator/kube/api-error.ts';
import type { Client } from '../../operator/kube/client.ts';
import { keyOf, resources } from '../../operator/kube/resources.ts';
import { Reflector, type ReflectorOptions } from '../../operator/kube/watch.ts';
import { Random } from '../support/random.ts';
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

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const map = (name: string, data: Record<string, string> = {}, labels = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name, labels },
  data,
});
async function namespace(name: string): Promise<void> {
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

/** A reflector that is stopped after the test. */
function reflect(options: Partial<ReflectorOptions<ConfigMap>> = {}): Reflector<ConfigMap> {
  const reflector = new Reflector<ConfigMap>({
    client,
    resource: resources.ConfigMap,
    ...options,
  });
  ends.push(() => reflector.stop());
  return reflector;
}

/** What a store should be by now. */
async function truth(namespaces: string[]): Promise<Record<string, string>> {
  const { items } = await client.list<ConfigMap>(resources.ConfigMap);
  const wanted = items.filter(({ metadata }) => namespaces.includes(metadata.namespace ?? ''));
  return Object.fromEntries(
    wanted.map((item) => [keyOf(item), item.metadata.resourceVersion ?? '']),
  );
}

const known = ({ store }: Reflector<ConfigMap>): Record<string, string> =>
  Object.fromEntries(
    [...store].map(([key, { metadata }]) => [key, metadata.resourceVersion ?? '']),
  );

/** Waits until the reflector knows the truth. */
async function agreed(reflector: Reflector<ConfigMap>, namespaces: string[]): Promise<void> {
  const wanted = await truth(namespaces);
  await eventually(
    'agreement',
    () => JSON.stringify(sorted(known(reflector))) === JSON.stringify(sorted(wanted)),
    30_000,
  );
}

const sorted = (of: Record<string, string>) => Object.entries(of).sort();

/** Waits for any change. */
function changed(reflector: Reflector<ConfigMap>): Promise<void> {
  return new Promise((told) => {
    const end = reflector.onChange(() => {
      end();
      told();
    });
  });
}

/** Makes, changes and removes objects by chance. */
async function storm(inNamespace: string, count: number, seed: number): Promise<void> {
  const random = new Random(seed);
  for (let i = 0; i < count; i += 1) {
    const metadata = { namespace: inNamespace, name: `s${random.int(0, 9)}` };
    if (random.chance(0.3)) {
      await client.remove({ resource: resources.ConfigMap, ...metadata }).catch(() => {});
    } else await client.apply({ ...map('', { i: `${i}` }), metadata });
  }
}

describeUnless(noApiServer, 'Reflector', () => {
  beforeAll(async () => {
    for (const name of ['ra', 'rb', 'rc']) await namespace(name);
  });

  it('follows what is made, changed and removed, in its namespaces and with its labels', async () => {
    const labelled = (inNamespace: string, name: string, data = {}) => ({
      ...map('', data),
      metadata: { namespace: inNamespace, name, labels: { seen: 'yes' } },
    });
    await client.create(labelled('ra', 'before'));
    const reflector = reflect({
      namespaces: ['ra', 'rb'],
      labelSelector: 'seen=yes',
      trim: ({ data: _, ...rest }) => rest,
    });
    await reflector.synced;
    expect([...reflector.store.keys()]).toEqual(['ra/before']);
    expect(reflector.store.get('ra/before')).not.toHaveProperty('data');
    expect(reflector.store.get('ra/before')?.metadata).not.toHaveProperty('managedFields');
    const changes: string[] = [];
    const told = (what: string) => eventually(what, () => changes.includes(what));
    reflector.onChange((key, now, before) => {
      changes.push(`${key} ${before ? 'was' : 'new'} ${now ? 'is' : 'gone'}`);
    });
    await client.create(labelled('rc', 'elsewhere'));
    await client.create(labelled('rb', 'b'));
    await told('rb/b new is');
    await client.patch(
      { resource: resources.ConfigMap, namespace: 'rb', name: 'b' },
      {
        metadata: { labels: { seen: 'no' } },
      },
    );
    await told('rb/b was gone');
    await client.apply(labelled('ra', 'before', { more: '1' }));
    await told('ra/before was is');
    await client.remove({ resource: resources.ConfigMap, namespace: 'ra', name: 'before' });
    await told('ra/before was gone');
    expect(changes).toHaveLength(4);
    expect([reflector.restarts, reflector.missed, reflector.lists]).toEqual([0, 0, 2]);
  });

  it('loses nothing when its watch is cut, again and again', async () => {
    using wire = await Wire.to(server.port);
    const mine = server.client(undefined, wire.port);
    const reflector = reflect({ client: mine, namespaces: ['ra'], relistMs: 300 });
    await reflector.synced;
    let isOver = false;
    const storming = (async () => {
      for (let seed = 1; !isOver; seed += 1) await storm('ra', 20, seed);
    })();
    for (let i = 0; i < 5; i += 1) {
      await eventually('a watch', () => reflector.restarts >= i);
      await changed(reflector);
      wire.cut();
    }
    isOver = true;
    await storming;
    await agreed(reflector, ['ra']);
    expect(reflector.restarts).toBeGreaterThanOrEqual(4);
    expect(reflector.missed).toBe(0);
  }, 120_000);

  it('lists beside its watch under changes, and finds nothing missed', async () => {
    const reflector = reflect({ namespaces: ['rb'], relistMs: 50 });
    await reflector.synced;
    await storm('rb', 600, 2);
    await agreed(reflector, ['rb']);
    expect(reflector.lists).toBeGreaterThan(3);
    expect([reflector.missed, reflector.restarts]).toEqual([0, 0]);
  }, 120_000);

  it('goes on when the API server was killed and has forgotten the version', async () => {
    using wire = await Wire.to(server.port);
    const mine = server.client(undefined, wire.port);
    const reflector = reflect({ client: mine, namespaces: ['ra', 'rb'] });
    const errors = new Set<string>();
    reflector.onError = ({ reason }) => errors.add(reason);
    await reflector.synced;
    wire.unplug();
    await storm('ra', 50, 3);
    await server.kill();
    await server.up();
    await storm('rb', 50, 4);
    wire.plugIn();
    await agreed(reflector, ['ra', 'rb']);
    await storm('ra', 50, 5);
    await agreed(reflector, ['ra', 'rb']);
    expect(reflector.lists).toBeGreaterThan(2);
    expect(reflector.missed).toBe(0);
    expect(errors).toContain('Expired');
  }, 180_000);

  it('keeps trying when the first list is refused', async () => {
    const reflector = reflect({ client: server.client({ token: 'nobody' }), namespaces: ['rc'] });
    const { promise, resolve } = Promise.withResolvers<ApiError>();
    reflector.onError = resolve;
    expect(isForbidden(await promise)).toBe(true);
    const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/rc';
    await server.apply(`${path}/roles/reads`, rule);
    await server.apply(`${path}/rolebindings/reads`, binding);
    await reflector.synced;
    await agreed(reflector, ['rc']);
  });
});

const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
const rule = {
  ...rbac,
  kind: 'Role',
  metadata: { namespace: 'rc', name: 'reads' },
  rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] }],
};
const binding = {
  ...rbac,
  kind: 'RoleBinding',
  metadata: { namespace: 'rc', name: 'reads' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reads' },
  subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'nobody' }],
};
