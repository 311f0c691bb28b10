import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ApiError } from '../../../operator/kube/api-error.ts';
import { resources } from '../../../operator/kube/resources.ts';
import { Api, json } from './api.ts';

const pod = { resource: resources.Pod, namespace: 'n', name: 'a' };
const named = (name: string) => ({ metadata: { name } });

const failure = (call: Promise<unknown>): Promise<ApiError> =>
  call.then(
    () => {
      throw new Error('it did not fail');
    },
    (error) => error,
  );

describe('Client', () => {
  it('says who it is, what it sends and where', async () => {
    await using api = await Api.answering((_, response) => json(response, {}, 201));
    const client = api.client();
    await client.apply(
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'r', namespace: 'n' } },
      { subresource: 'status' },
    );
    expect(api.asked[0]).toMatchObject({
      method: 'PATCH',
      path: '/behind/a/proxy/apis/apps/v1/namespaces/n/replicasets/r/status',
      query: { fieldManager: 'longshore', force: 'true' },
      headers: {
        'content-type': 'application/apply-patch+yaml',
        'user-agent': expect.stringMatching(/^longshore-operator\/\d/),
      },
    });
    expect([...client.made]).toEqual([
      ['patch apps/replicasets/status', 1],
      ['create apps/replicasets/status', 1],
    ]);
  });

  it('does not take a kind that it does not know', async () => {
    await using api = await Api.answering((_, response) => json(response, {}));
    const thing = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'e' } };
    expect(() => api.client().create(thing)).toThrow('v1 Endpoints is no kind');
  });

  it.each([
    [404, { reason: 'NotFound', message: 'pods "a" not found' }, 'NotFound', 'pods "a" not found'],
    [503, 'upstream is away', 'Unknown', /^GET \/api\/v1\/.*: 503 "upstream is away"$/],
    [500, null, 'Unknown', /^GET .*: 500 null$/],
    [422, { message: 7 }, 'Unknown', /^GET .*: 422 \{"message":7\}$/],
  ])('%i %j is an error', async (status, body, reason, message) => {
    await using api = await Api.answering((_, response) => json(response, body, status));
    const error = await failure(api.client().get(pod));
    expect(error).toMatchObject({ name: 'ApiError', status, reason });
    if (typeof message === 'string') expect(error.message).toBe(message);
    else expect(error.message).toMatch(message);
  });

  it('does not wait for ever', async () => {
    await using api = await Api.answering((_, response) => response.write('{'));
    expect(await failure(api.client().get(pod, { timeoutMs: 50 }))).toMatchObject({
      status: 0,
      reason: 'Timeout',
      message: 'GET /api/v1/namespaces/n/pods/a: no answer within 0.05 s',
    });
  });

  it('does not take for JSON what is none', async () => {
    await using api = await Api.answering((_, response) => response.end('<html>'));
    expect(await failure(api.client().get(pod))).toMatchObject({ status: 0, reason: 'Unreadable' });
  });

  it('asks once more on a new connection if the kept one was being closed, unless that may do it twice', async () => {
    let isFirst = true;
    await using api = await Api.answering((_, response) => {
      if (isFirst) json(response, named('a'));
      else if (api.asked.length === 2) response.socket?.resetAndDestroy();
      else if (api.asked.length === 5) response.socket?.resetAndDestroy();
      else json(response, named('a'));
      isFirst = false;
    });
    const client = api.client();
    await client.get(pod);
    await client.get(pod);
    expect(api.asked).toHaveLength(3);
    await client.get(pod);
    const creating = client.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } });
    expect(await failure(creating)).toMatchObject({ status: 0, reason: 'ECONNRESET' });
    expect(api.asked).toHaveLength(5);
  });

  it('begins a list anew when its pages have expired, once', async () => {
    const answers: unknown[] = [
      { metadata: { resourceVersion: '5', continue: 'p2' }, items: [named('old')] },
      410,
      { metadata: { resourceVersion: '9', continue: 'p2' }, items: [named('a')] },
      { metadata: { resourceVersion: '9' }, items: [named('b')] },
    ];
    await using api = await Api.answering((_, response) => {
      const answer = answers[api.asked.length - 1];
      if (answer === 410) json(response, { reason: 'Expired', message: 'too old' }, 410);
      else json(response, answer);
    });
    const client = api.client();
    const { items, resourceVersion } = await client.list(resources.Pod, {
      namespace: 'n',
      labelSelector: 'a in (b,c)',
    });
    expect(items).toEqual([
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'b' } },
    ]);
    expect(resourceVersion).toBe('9');
    expect(api.asked.map(({ query }) => query)).toEqual([
      { labelSelector: 'a in (b,c)', limit: '500' },
      { labelSelector: 'a in (b,c)', limit: '500', continue: 'p2' },
      { labelSelector: 'a in (b,c)', limit: '500' },
      { labelSelector: 'a in (b,c)', limit: '500', continue: 'p2' },
    ]);
  });

  it('reads its token again after it was refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-token-'));
    const file = join(folder, 'token');
    await using api = await Api.answering(({ headers }, response) =>
      json(response, named('a'), headers.authorization === 'Bearer new' ? 200 : 401),
    );
    const client = api.client(file);
    expect(await failure(client.get(pod))).toMatchObject({ status: 0, reason: 'Credentials' });
    writeFileSync(file, 'old');
    expect(await failure(client.get(pod))).toMatchObject({ status: 401 });
    writeFileSync(file, 'new');
    expect(await client.get(pod)).toEqual(named('a'));
    rmSync(folder, { recursive: true });
  });

  it('tells of every request that is over', async () => {
    await using api = await Api.answering((asked, response) =>
      json(response, named('a'), asked.method === 'GET' ? 200 : 409),
    );
    const client = api.client();
    const told: unknown[] = [];
    client.onRequest = ({ verb, resource, status, seconds }) =>
      told.push([verb, resource, status, seconds > 0]);
    await client.get(pod);
    await failure(client.patch(pod, {}, { subresource: 'status' }));
    expect(told).toEqual([
      ['get', 'pods', 200, true],
      ['patch', 'pods/status', 409, true],
    ]);
  });
});
