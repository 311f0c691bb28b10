import { describe, expect, it } from '@jest/globals';
import type { SocketServer } from '../../../operator/api/types.ts';
import { Tokens } from '../../../operator/reconcile/tokens.ts';
import { Api, json } from '../kube/api.ts';

type Data = { readonly token?: string };

/** An API server with one Secret, or none. */
async function world() {
  let data: Data | undefined;
  const api = await Api.answering(({ method, body }, response) => {
    if (method === 'GET' && data === undefined)
      return json(response, { reason: 'NotFound', message: 'none' }, 404);
    if (method === 'POST' && data !== undefined)
      return json(response, { reason: 'AlreadyExists', message: 'there' }, 409);
    if (method !== 'GET') data = JSON.parse(body).data;
    return json(response, { metadata: { name: 'chat-admin' }, data });
  });
  return {
    api,
    tokens: new Tokens(api.client()),
    get data() {
      return data;
    },
    set data(value: Data | undefined) {
      data = value;
    },
    /** Methods of the requests since the last look. */
    methods: () => api.asked.splice(0).map(({ method }) => method),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

const server = (status?: object): SocketServer =>
  ({
    metadata: { name: 'chat', namespace: 'here', uid: 'u1' },
    spec: {},
    status,
  }) as unknown as SocketServer;

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const NEW = server();
const OLD = server({ observedGeneration: 1 });

describe('the token of a server', () => {
  it('that is new is made with one request, and one that is known is not asked for', async () => {
    await using here = await world();
    await here.tokens.ensure(NEW, 0);
    await here.tokens.ensure(OLD, 10_000_000);
    expect(here.methods()).toEqual(['POST']);
    const [token = ''] = await here.tokens.of(OLD, 1000);
    expect(base64(token)).toBe(here.data?.token);
    expect(here.methods()).toEqual([]);
  });

  it('is read where it is there already, also of a server that looks new', async () => {
    await using here = await world();
    here.data = { token: base64('given\n') };
    expect(await here.tokens.of(NEW, 0)).toEqual(['given']);
    expect(here.methods()).toEqual(['POST', 'GET']);
    here.tokens.forget('u1');
    expect(await here.tokens.of(OLD, 0)).toEqual(['given']);
    expect(here.methods()).toEqual(['GET']);
  });

  it('is put into a Secret that has none', async () => {
    await using here = await world();
    here.data = {};
    const [token = ''] = await here.tokens.of(OLD, 0);
    expect(here.data?.token).toBe(base64(token));
    expect(here.methods()).toEqual(['GET', 'PATCH']);
  });

  it('is made anew for a pod that waits for the deleted Secret; the one before is tried too', async () => {
    await using here = await world();
    const [first = ''] = await here.tokens.of(NEW, 0);
    here.methods();
    here.data = undefined;
    expect(await here.tokens.of(OLD, 4000, true)).toEqual([first]);
    expect(await here.tokens.of(OLD, 6000)).toEqual([first]);
    expect(here.methods()).toEqual([]);
    const [second, ...others] = await here.tokens.of(OLD, 6000, true);
    expect(others).toEqual([first]);
    expect(second).not.toBe(first);
    expect(here.methods()).toEqual(['GET', 'POST']);
  });

  it('is read at once when a pod refuses it', async () => {
    await using here = await world();
    const [first = ''] = await here.tokens.of(NEW, 0);
    here.data = { token: base64('edited') };
    expect(await here.tokens.of(OLD, 1)).toEqual([first]);
    here.tokens.doubt(OLD);
    expect(await here.tokens.of(OLD, 2)).toEqual(['edited', first]);
  });
});
