import { describe, expect, it } from '@jest/globals';
import {
  type AdminActions,
  type AdminRequest,
  answer,
  BadRequest,
} from '../../src/master/admin-routes.ts';

type Call = [name: string, ...unknown[]];

/** Actions that write down how they were called, and answer with their name. */
function recorder(over: Partial<AdminActions> = {}): { actions: AdminActions; calls: Call[] } {
  const calls: Call[] = [];
  const note =
    (name: string) =>
    (...args: unknown[]) => {
      calls.push([name, ...args]);
      return Promise.resolve({ is: name });
    };
  const actions: AdminActions = {
    unready: () => undefined,
    metrics: () => Promise.resolve('a 1\n'),
    status: note('status'),
    connections: note('connections'),
    descriptors: note('descriptors'),
    reload: note('reload'),
    drain: note('drain'),
    undrain: note('undrain'),
    config: note('config'),
    peers: note('peers'),
    stop: note('stop'),
    ...over,
  };
  return { actions, calls };
}

/** `GET /path?query`, as a request by somebody with the token. */
function request(line: string, body = '', more: Partial<AdminRequest> = {}): AdminRequest {
  const [method = '', target = ''] = line.split(' ');
  const { pathname: path, searchParams: query } = new URL(target, 'http://x');
  return { method, path, query, body, allowed: true, ...more };
}

const JSON_TYPE = 'application/json';

/** Request line, body, the call that it is. */
const GOOD: [string, string, Call][] = [
  ['GET /status', '', ['status']],
  ['GET /connections', '', ['connections', 10_000]],
  ['GET /connections?limit=1', '', ['connections', 1]],
  ['GET /connections?limit=100000', '', ['connections', 100_000]],
  ['GET /descriptors?pid=4711', '', ['descriptors', 4711]],
  ['POST /reload', '', ['reload', 'now', {}]],
  ['POST /reload', ' \n', ['reload', 'now', {}]],
  ['POST /reload', '{}', ['reload', 'now', {}]],
  ['POST /reload', '{"graceful":false}', ['reload', 'now', {}]],
  ['POST /reload', '{"graceful":true}', ['reload', 'graceful', {}]],
  ['POST /reload', '{"code":"abc"}', ['reload', 'now', { code: 'abc' }]],
  ['POST /reload', '{"workers":[]}', ['reload', 'now', { workers: [] }]],
  [
    'POST /reload',
    '{"workers":[{"name":"chat","count":3}]}',
    ['reload', 'now', { workers: [{ name: 'chat', count: 3 }] }],
  ],
  ['POST /drain', '', ['drain', {}]],
  ['POST /drain', '{"windowSeconds":0}', ['drain', { windowSeconds: 0 }]],
  [
    'POST /drain',
    '{"propagationSeconds":1.5,"windowSeconds":86400}',
    ['drain', { propagationSeconds: 1.5, windowSeconds: 86_400 }],
  ],
  ['POST /undrain', '', ['undrain']],
  ['POST /stop', '', ['stop', 'now']],
  ['POST /stop', '{"graceful":true}', ['stop', 'drain']],
  ['POST /config', '{"a":"1"}', ['config', { a: '1' }]],
  ['POST /config', '', ['config', {}]],
  [
    'POST /peers',
    '{"version":0,"channel":[{"id":"a","address":"h:2206"}]}',
    ['peers', { version: 0, channel: [{ id: 'a', address: 'h:2206' }] }],
  ],
  ['POST /peers', '{"version":7,"channel":[]}', ['peers', { version: 7, channel: [] }]],
  ['POST /peers', '{"version":8}', ['peers', { version: 8 }]],
];

/** Request line, body, what the answer names. */
const BAD: [string, string, RegExp][] = [
  ['GET /connections?limit=0', '', /"limit" is 0, allowed: 1 to 100000/],
  ['GET /connections?limit=100001', '', /"limit" is 100001/],
  ['GET /connections?limit=x', '', /"limit" is "x", expected a whole number/],
  ['GET /connections?limit=1.5', '', /"limit"/],
  ['GET /connections?limit=', '', /"limit"/],
  ['GET /descriptors', '', /"pid" is null/],
  ['GET /descriptors?pid=0', '', /"pid" is 0/],
  ['POST /reload', '{"graceful":1}', /"graceful" is 1, expected a boolean/],
  ['POST /reload', '{"gracefull":true}', /"gracefull" is not a field; known: graceful/],
  ['POST /reload', '{"code":5}', /"code" is 5, expected a string/],
  ['POST /reload', '{"workers":{}}', /"workers" is {}, expected a list/],
  [
    'POST /reload',
    '{"workers":[{"name":"chat","count":0}]}',
    /"workers": {"name":"chat","count":0} is not {/,
  ],
  ['POST /reload', '{"constructor":1}', /"constructor" is not a field; known: graceful/],
  ['POST /reload', '{"__proto__":1}', /"__proto__" is not a field; known: graceful/],
  ['POST /reload', 'graceful', /not JSON/],
  ['POST /reload', '[]', /not a JSON object/],
  ['POST /reload', 'null', /not a JSON object/],
  ['POST /reload', '"x"', /not a JSON object/],
  ['POST /drain', '{"windowSeconds":-1}', /"windowSeconds" is -1, allowed: 0 to 86400/],
  ['POST /drain', '{"propagationSeconds":86401}', /"propagationSeconds"/],
  ['POST /drain', '{"windowSeconds":1e999}', /"windowSeconds" is Infinity/],
  ['POST /drain', '{"windowSeconds":"5"}', /"windowSeconds" is "5", expected a number/],
  ['POST /stop', '{"graceful":null}', /"graceful" is null/],
  ['POST /config', '{"a":1}', /"a" is 1, expected a string/],
  ['POST /config', '["a"]', /not a JSON object/],
  ['POST /peers', '', /"version" is undefined/],
  ['POST /peers', '{"version":-1,"channel":[]}', /"version" is -1/],
  ['POST /peers', '{"version":1.5,"channel":[]}', /"version" is 1.5/],
  ['POST /peers', '{"version":1,"channel":"h"}', /"channel"/],
  ['POST /peers', '{"version":1,"channel":[""]}', /"channel\[0\]" is "", expected {"id"/],
  ['POST /peers', '{"version":1,"channels":[]}', /"channels" is not a field; known: version, /],
];

describe('open routes', () => {
  it.each(['GET', 'HEAD'])('answer %s to everybody', async (method) => {
    const { actions } = recorder();
    const open = (path: string) =>
      answer(request(`${method} ${path}`, '', { allowed: false }), actions);
    expect(await open('/livez')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await open('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await open('/metrics')).toEqual({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: 'a 1\n',
    });
  });

  it('say 503 and why while the server is not ready, and live on', async () => {
    const { actions } = recorder({ unready: () => 'draining' });
    expect(await answer(request('GET /readyz'), actions)).toMatchObject({
      status: 503,
      body: 'draining\n',
    });
    expect(await answer(request('GET /livez'), actions)).toMatchObject({ status: 200 });
  });

  it.each(['/livez', '/readyz', '/metrics'])('refuse a POST to %s', async (path) => {
    expect(await answer(request(`POST ${path}`), recorder().actions)).toMatchObject({
      status: 405,
      body: `${path} takes GET\n`,
    });
  });
});

describe('guarded routes', () => {
  it.each(GOOD)('%s with %j does what it says', async (line, body, call) => {
    const { actions, calls } = recorder();
    const result = await answer(request(line, body), actions);
    expect(calls).toEqual([call]);
    expect(result).toEqual({ status: 200, type: JSON_TYPE, body: `{"is":"${call[0]}"}\n` });
  });

  it.each(GOOD)('%s with %j does nothing without the token', async (line, body) => {
    const { actions, calls } = recorder();
    const result = await answer(request(line, body, { allowed: false }), actions);
    expect(result).toMatchObject({ status: 401, body: expect.stringMatching(/Bearer/) });
    expect(calls).toEqual([]);
  });

  it.each(BAD)('%s with %j is a 400 that names the field', async (line, body, words) => {
    const { actions, calls } = recorder();
    const result = await answer(request(line, body), actions);
    expect(result).toMatchObject({ status: 400, body: expect.stringMatching(words) });
    expect(calls).toEqual([]);
  });

  it('do not read the body of somebody without the token', async () => {
    const wrong = request('POST /reload', 'x', { allowed: false });
    expect(await answer(wrong, recorder().actions)).toMatchObject({ status: 401 });
  });

  it.each([
    ['DELETE /status', 405, /there is: GET \/status/],
    ['GET /reload', 405, /there is: POST \/reload/],
    ['HEAD /status', 405, /GET \/status/],
    ['GET /', 404, /there is: GET \/livez, .*POST \/peers/],
    ['GET /statuses', 404, /no such path/],
    ['GET /status/', 404, /no such path/],
    ['POST /constructor', 404, /no such path/],
  ])('%s is a %i', async (line, status, words) => {
    for (const allowed of [true, false])
      expect(await answer(request(line, '', { allowed }), recorder().actions)).toMatchObject({
        status,
        body: expect.stringMatching(words),
      });
  });

  it('answer an empty object where an action has nothing to say', async () => {
    const { actions } = recorder({ undrain: () => undefined });
    expect(await answer(request('POST /undrain'), actions)).toMatchObject({ body: '{}\n' });
  });

  it('answer 400 where an action finds the fault, and pass any other failure on', async () => {
    const failing = (error: Error) =>
      answer(
        request('GET /descriptors?pid=1'),
        recorder({ descriptors: () => Promise.reject(error) }).actions,
      );
    expect(await failing(new BadRequest('"pid" is 1'))).toMatchObject({ status: 400 });
    await expect(failing(new Error('broken'))).rejects.toThrow('broken');
  });
});
