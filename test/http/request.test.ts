import { describe, expect, it } from '@jest/globals';
import { Request } from '../../src/http/request.ts';

const request = (url: string, headers: Record<string, string | string[]> = {}, body = '') =>
  new Request({ method: 'POST', url, headers }, Buffer.from(body));
const cookies = (cookie: string) => ({ ...request('/', { cookie }).cookies });

describe('Request', () => {
  it('has sensible parts where the head lacks them', () => {
    const bare = new Request({ headers: {} });
    expect([bare.method, bare.target, bare.path, bare.text()]).toEqual(['GET', '/', '/', '']);
    expect({ ...bare.cookies }).toEqual({});
  });

  it.each([
    ['/a', '/a', []],
    ['/a?', '/a', []],
    ['/a?b=1', '/a', [['b', '1']]],
    [
      '/a?b=1&b=2&c',
      '/a',
      [
        ['b', '1'],
        ['b', '2'],
        ['c', ''],
      ],
    ],
    ['/a%20b?q=%C3%A9+x', '/a%20b', [['q', 'é x']]],
    ['/a?b=?', '/a', [['b', '?']]],
    ['?b=1', '', [['b', '1']]],
  ])('%s has the path %s and the query %j', (url, path, query) => {
    expect(request(url).target).toBe(url);
    expect(request(url).path).toBe(path);
    expect([...request(url).query]).toEqual(query);
  });

  it('parses the query once', () => {
    const one = request('/?a=1');
    expect(one.query).toBe(one.query);
  });

  it('finds a header in any case', () => {
    const one = request('/', { 'x-a': '1', 'set-cookie': ['a', 'b'] });
    expect([one.header('X-A'), one.header('x-a'), one.header('X-B')]).toEqual([
      '1',
      '1',
      undefined,
    ]);
    expect(one.header('Set-Cookie')).toBe('a, b');
  });

  it.each([
    ['a=1', { a: '1' }],
    ['a=1; b=2', { a: '1', b: '2' }],
    ['a=1;b=2;', { a: '1', b: '2' }],
    ['a=1; a=2', { a: '1' }],
    ['a="x y"', { a: 'x y' }],
    ['a="x', { a: '"x' }],
    ['a=%C3%A9', { a: 'é' }],
    ['a=%E9', { a: '%E9' }],
    ['a=b=c', { a: 'b=c' }],
    ['a=', { a: '' }],
    ['a', {}],
    ['=1', {}],
    ['', {}],
    ['constructor=1', { constructor: '1' }],
  ])('the cookies of %j are %j', (header, expected) => {
    expect(cookies(header)).toEqual(expected);
  });

  it('takes a cookie named __proto__ for a cookie', () => {
    const all = request('/', { cookie: '__proto__=1; a=2' }).cookies;
    expect(Object.keys(all)).toEqual(['__proto__', 'a']);
    expect(Object.getPrototypeOf(all)).toBeNull();
  });

  it('reads its body as text and as JSON', () => {
    expect(request('/', {}, '{"a":"é"}').text()).toBe('{"a":"é"}');
    expect(request('/', {}, '{"a":"é"}').json()).toEqual({ a: 'é' });
    expect(() => request('/', {}, '').json()).toThrow(SyntaxError);
  });

  it('reads a form', async () => {
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const form = await request('/', type, 'a=1&b=x+y&a=2').form();
    expect([...form]).toEqual([
      ['a', '1'],
      ['b', 'x y'],
      ['a', '2'],
    ]);
  });

  it('reads a form with a file', async () => {
    const body = [
      '--x',
      'Content-Disposition: form-data; name="title"',
      '',
      'Größe',
      '--x',
      'Content-Disposition: form-data; name="file"; filename="a.txt"',
      'Content-Type: text/plain',
      '',
      'line\r\nline',
      '--x--',
      '',
    ].join('\r\n');
    const form = await request(
      '/',
      { 'content-type': 'multipart/form-data; boundary=x' },
      body,
    ).form();
    const file = form.get('file') as File;
    expect(form.get('title')).toBe('Größe');
    expect([file.name, file.type, await file.text()]).toEqual([
      'a.txt',
      'text/plain',
      'line\r\nline',
    ]);
  });

  it.each([
    ['no type', {}],
    ['another type', { 'content-type': 'text/plain' }],
    ['a cut body', { 'content-type': 'multipart/form-data; boundary=x' }],
  ])('rejects a form with %s', async (_, headers) => {
    await expect(request('/', headers, 'a=1').form()).rejects.toMatchObject({ name: 'TypeError' });
  });
});
