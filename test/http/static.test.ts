import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebServer } from '../../src/web-server.ts';
import { cleanUp, listening, peerOf } from '../support/in-process.ts';
import { authority } from '../support/peer.ts';

const folder = mkdtempSync(join(tmpdir(), 'longshore-static-'));
const root = join(folder, 'public');

beforeAll(() => {
  mkdirSync(join(root, 'sub'), { recursive: true });
  mkdirSync(join(folder, 'other'));
  writeFileSync(join(root, 'index.html'), '<h1>home</h1>');
  writeFileSync(join(root, 'sub', 'index.html'), '<h1>sub</h1>');
  writeFileSync(join(root, 'digits.txt'), '0123456789');
  writeFileSync(join(root, '.hidden'), 'secret');
  writeFileSync(join(root, '404.html'), '<h1>lost</h1>');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(folder, 'other', 'index.html'), 'other site');
  symlinkSync(join(folder, 'secret.txt'), join(root, 'link.txt'));
  symlinkSync(folder, join(root, 'up'));
});
afterEach(cleanUp);
afterAll(() => rmSync(folder, { recursive: true }));

async function site(options = {}): Promise<{ url: string; server: WebServer }> {
  const server = new WebServer('http://127.0.0.1:0');
  server.addRoot('localhost', root, options).addRoot('other.example', join(folder, 'other'));
  await listening(server);
  return { url: `http://${authority(server)}`, server };
}

describe('static files', () => {
  it('serves a file with type, size and validators', async () => {
    const { url } = await site({ headers: { 'x-frame-options': 'DENY' } });
    const answer = await fetch(`${url}/digits.txt`);
    expect([answer.status, await answer.text()]).toEqual([200, '0123456789']);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(answer.headers.get('last-modified')).toBe(
      statSync(join(root, 'digits.txt')).mtime.toUTCString(),
    );
    expect(answer.headers.get('etag')).toBeTruthy();
    expect(answer.headers.get('x-frame-options')).toBe('DENY');
  });

  it('serves index.html for folders and sends a folder without its slash to the one with it', async () => {
    const { url } = await site();
    expect(await (await fetch(`${url}/`)).text()).toBe('<h1>home</h1>');
    const answer = await fetch(`${url}/sub`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([301, '/sub/']);
    const withQuery = await fetch(`${url}/sub?a=/b`, { redirect: 'manual' });
    expect(withQuery.headers.get('location')).toBe('/sub/?a=/b');
    expect(await (await fetch(`${url}/sub`)).text()).toBe('<h1>sub</h1>');
  });

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=20-30', 416, undefined, 'bytes */10'],
  ])('answers the range %s', async (range, status, body, contentRange) => {
    const { url } = await site();
    const answer = await fetch(`${url}/digits.txt`, { headers: { range } });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([status, contentRange]);
    const text = await answer.text();
    if (body !== undefined) expect(text).toBe(body);
  });

  it('answers 304 to what the client has already', async () => {
    const { url, server } = await site();
    const { headers } = await fetch(`${url}/digits.txt`);
    // Not with fetch: it adds "no-cache" to conditional requests.
    for (const known of [
      `If-None-Match: ${headers.get('etag')}`,
      `If-Modified-Since: ${headers.get('last-modified')}`,
    ]) {
      const peer = await peerOf(server);
      peer.send(
        `GET /digits.txt HTTP/1.1\r\nHost: localhost\r\n${known}\r\nConnection: close\r\n\r\n`,
      );
      await peer.end();
      expect(String(peer.received)).toMatch(/^HTTP\/1\.1 304 /);
    }
  });

  it.each([
    '/../secret.txt',
    '/sub/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/link.txt',
    '/up/secret.txt',
    '/.hidden',
    '//secret.txt',
    '/digits.txt%00.html',
    '/%zz',
  ])('does not let %s out', async (path) => {
    const { server } = await site();
    const peer = await peerOf(server);
    peer.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    await peer.end();
    const text = String(peer.received);
    expect(text).toMatch(/^HTTP\/1\.1 (400|403|404) /);
    expect(text).not.toContain('secret');
  });

  it('does not send a browser to another site through a double slash', async () => {
    const { server } = await site();
    const peer = await peerOf(server);
    peer.send('GET //sub HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await peer.end();
    expect(/location: (.*)\r\n/i.exec(String(peer.received))?.[1] ?? '/').not.toMatch(/^\/\//);
  });

  it('chooses the site by the Host header, and answers 404 and 405', async () => {
    const { url, server } = await site({ custom404: '404.html' });
    const peer = await peerOf(server);
    peer.send('GET / HTTP/1.1\r\nHost: other.example:80\r\nConnection: close\r\n\r\n');
    await peer.end();
    expect(String(peer.received)).toContain('other site');
    const missing = await fetch(`${url}/none`);
    expect([missing.status, await missing.text()]).toEqual([404, '<h1>lost</h1>']);
    const posted = await fetch(`${url}/`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
