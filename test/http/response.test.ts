import { describe, expect, it } from '@jest/globals';
import { type CookieOptions, Response } from '../../src/http/response.ts';

const cookie = (name: string, value: string, options?: CookieOptions) =>
  new Response().cookie(name, value, options).allHeaders()['set-cookie'];

describe('Response', () => {
  it('is an empty 200 unless told otherwise', () => {
    const { status, headers, body } = new Response();
    expect([status, headers, body]).toEqual([200, {}, '']);
  });

  it.each([199, 600, 100, 0, -1, 200.5, Number.NaN, '200'])('refuses the status %p', (status) => {
    const make = () => new Response('', { status: status as number });
    expect(make).toThrow(RangeError);
    expect(make).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it.each([200, 599])('takes the status %i', (status) => {
    expect(new Response('', { status }).status).toBe(status);
  });

  it('makes JSON, whose type can be overridden', () => {
    const { headers, body, status } = Response.json({ a: 'é' }, { status: 201 });
    expect([headers, body, status]).toEqual([
      { 'content-type': 'application/json' },
      '{"a":"é"}',
      201,
    ]);
    const own = { 'content-type': 'application/problem+json' };
    expect(Response.json({}, { headers: own }).headers).toEqual(own);
  });

  it('redirects', () => {
    expect(Response.redirect('/a')).toMatchObject({ status: 302, headers: { location: '/a' } });
    expect(Response.redirect('/a', 308).status).toBe(308);
  });
});

describe('cookies', () => {
  it.each<[string, string, CookieOptions, string]>([
    ['a', '1', {}, 'a=1; Path=/'],
    ['a', 'x; y=é', {}, 'a=x%3B%20y%3D%C3%A9; Path=/'],
    ['a', '\r\n', {}, 'a=%0D%0A; Path=/'],
    ['a', '', { maxAge: 0 }, 'a=; Path=/; Max-Age=0'],
    ['a', '1', { maxAge: 1.9 }, 'a=1; Path=/; Max-Age=1'],
    ['a', '1', { path: '/x', domain: 'h' }, 'a=1; Path=/x; Domain=h'],
    [
      'a',
      '1',
      { secure: true, httpOnly: true, sameSite: 'None' },
      'a=1; Path=/; SameSite=None; Secure; HttpOnly',
    ],
    ['a', '1', { secure: false, httpOnly: false }, 'a=1; Path=/'],
  ])('%s with %j and %j', (name, value, options, line) => {
    expect(cookie(name, value, options)).toEqual([line]);
  });

  it('come one after the other, beside the other headers', () => {
    const response = new Response('', { headers: { 'x-a': '1' } })
      .cookie('a', '1')
      .cookie('b', '2');
    expect(response.allHeaders()).toEqual({
      'x-a': '1',
      'set-cookie': ['a=1; Path=/', 'b=2; Path=/'],
    });
    expect(new Response('', { headers: { 'x-a': '1' } }).allHeaders()).toEqual({ 'x-a': '1' });
  });

  it.each([
    [{ 'set-cookie': 'own=1' }],
    [{ 'set-cookie': ['own=1'] }],
    [{ 'Set-Cookie': 'own=1' }],
  ])('do not push out those that the program wrote itself: %j', (headers) => {
    const all = new Response('', { headers }).cookie('a', '1').allHeaders();
    const lines = Object.entries(all)
      .filter(([name]) => name.toLowerCase() === 'set-cookie')
      .flatMap(([, value]) => value);
    expect(lines).toEqual(['own=1', 'a=1; Path=/']);
    expect(Object.keys(all)).toHaveLength(1);
  });

  it.each(['', 'a b', 'a=b', 'a;b', 'a,b', 'é', 'a\r\nb'])('refuse the name %j', (name) => {
    expect(() => cookie(name, '1')).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it.each([{ path: '/; HttpOnly' }, { domain: 'h; Secure' }])('refuse %j', (options) => {
    expect(() => cookie('a', '1', options)).toThrow(/contains a ";"/);
  });
});
