import { describe, expect, it } from '@jest/globals';
import { InnerSecrets } from '../../../operator/reconcile/inner-secrets.ts';
import { Api, json } from '../kube/api.ts';

/** An API server whose namespaces have a Secret or none. */
async function world() {
  const made = new Map<string, string>();
  const trouble = { status: 0 };
  const api = await Api.answering(({ method, path, body }, response) => {
    const namespace = /namespaces\/([^/]+)/.exec(path)?.[1] ?? '';
    if (trouble.status > 0) return json(response, { message: 'sorry' }, trouble.status);
    if (method === 'POST') {
      if (made.has(namespace)) return json(response, { reason: 'AlreadyExists', message: '' }, 409);
      made.set(namespace, JSON.parse(body).data.secret);
      return json(response, JSON.parse(body));
    }
    const there = made.has(namespace);
    return json(response, there ? {} : { reason: 'NotFound', message: '' }, there ? 200 : 404);
  });
  return {
    made,
    trouble,
    secrets: new InnerSecrets(api.client()),
    methods: () => api.asked.splice(0).map(({ method }) => method),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

describe('the secret of the inner ports', () => {
  it('is made once for each namespace, each another one, and is long', async () => {
    await using here = await world();
    for (const namespace of ['a', 'b', 'a']) await here.secrets.ensure(namespace, 0, false);
    expect(here.methods()).toEqual(['GET', 'POST', 'GET', 'POST']);
    const [a = '', b = ''] = [...here.made.values()].map((each) =>
      Buffer.from(each, 'base64').toString(),
    );
    expect([a === b, a.length, b.length]).toEqual([false, 43, 43]);
  });

  it('is asked for by many servers at once with one request', async () => {
    await using here = await world();
    await Promise.all(Array.from({ length: 20 }, () => here.secrets.ensure('a', 0, false)));
    expect(here.methods()).toEqual(['GET', 'POST']);
  });

  it('that is there stays, also if another operator was faster', async () => {
    await using here = await world();
    here.made.set('a', 'theirs');
    await here.secrets.ensure('a', 0, false);
    expect([here.methods(), here.made.get('a')]).toEqual([['GET'], 'theirs']);
  });

  it('that was deleted is made again after 5 minutes, after 5 s while a pod waits', async () => {
    await using here = await world();
    await here.secrets.ensure('a', 0, false);
    here.made.clear();
    await here.secrets.ensure('a', 299_999, false);
    await here.secrets.ensure('a', 4999, true);
    expect(here.made.size).toBe(0);
    await here.secrets.ensure('a', 5000, true);
    expect(here.made.size).toBe(1);
    here.made.clear();
    await here.secrets.ensure('a', 305_000, false);
    expect(here.made.size).toBe(1);
  });

  it('is tried again at once after an error', async () => {
    await using here = await world();
    here.trouble.status = 500;
    await expect(here.secrets.ensure('a', 0, false)).rejects.toThrow('sorry');
    here.trouble.status = 0;
    await here.secrets.ensure('a', 0, false);
    expect(here.made.size).toBe(1);
  });
});
