import { afterEach, describe, expect, it } from '@jest/globals';
import { tally } from '../../src/connections/connection.ts';
import type { HttpConnection } from '../../src/connections/http.ts';
import { Response } from '../../src/http/response.ts';
import { Worker } from '../../src/worker.ts';
import type { WorkerOptions } from '../../src/worker-options.ts';
import { cleanUp, listening, peerOf } from '../support/in-process.ts';
import { authority, eventually, type Peer } from '../support/peer.ts';

afterEach(cleanUp);

const server = (options: WorkerOptions = {}) =>
  listening(new Worker('http://127.0.0.1:0', options));

/** Head and body of the next answer with a Content-Length. */
async function answer(peer: Peer): Promise<{ status: number; head: string; body: string }> {
  const bytes = await peer.until((all) => all.includes('\r\n\r\n'));
  const end = bytes.indexOf('\r\n\r\n') + 4;
  const head = bytes.toString('latin1', 0, end);
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  const rest = bytes.subarray(end);
  const missing = length - rest.length;
  const more = missing > 0 ? await peer.take(missing) : Buffer.alloc(0);
  return { status: Number(head.split(' ')[1]), head, body: Buffer.concat([rest, more]).toString() };
}

describe('an HTTP Worker', () => {
  it('answers a string as HTML with status 200, and keeps the connection', async () => {
    const worker = await server();
    worker.onMessage = (connection) => connection.send('xiami');
    const peer = await peerOf(worker);
    for (let i = 0; i < 3; i += 1) {
      peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const { status, head, body } = await answer(peer);
      expect([status, body]).toEqual([200, 'xiami']);
      expect(head).toContain('content-type: text/html;charset=utf-8\r\n');
    }
    expect(worker.connections.size).toBe(1);
  });

  it('counts the bytes of a connection while it is open', async () => {
    const worker = await server();
    worker.onMessage = (connection) => connection.send('x'.repeat(1000));
    const before = { ...tally.counts };
    const peer = await peerOf(worker);
    for (let i = 0; i < 3; i += 1) {
      peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await answer(peer);
    }
    await eventually(() => tally.counts.bytes_sent - before.bytes_sent > 3000);
    expect(tally.counts.bytes_received - before.bytes_received).toBe(
      3 * 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.length,
    );
    expect(tally.counts.messages_sent - before.messages_sent).toBe(3);
    expect(worker.connections.size).toBe(1);
  });

  it('hands over method, path, query, headers, cookies and body', async () => {
    const worker = await server();
    worker.onMessage = (connection, request) =>
      connection.send(
        Response.json({
          method: request.method,
          path: request.path,
          x: request.query.getAll('x'),
          agent: request.header('User-Agent'),
          cookie: request.cookies['session'],
          body: request.json(),
        }),
      );
    const answered = await fetch(`http://${authority(worker)}/a%20b?x=1&x=2`, {
      method: 'PUT',
      headers: { 'user-agent': 'test', cookie: 'session=abc%21; other=1' },
      body: '{"n":1}',
    });
    expect(answered.headers.get('content-type')).toBe('application/json');
    expect(await answered.json()).toEqual({
      method: 'PUT',
      path: '/a%20b',
      x: ['1', '2'],
      agent: 'test',
      cookie: 'abc!',
      body: { n: 1 },
    });
  });

  it('takes forms and uploads', async () => {
    const worker = await server();
    worker.onMessage = async (connection, request) => {
      const form = await request.form();
      const file = form.get('file');
      const upload =
        file instanceof File || (file && typeof file === 'object') ? (file as File) : undefined;
      connection.send(
        `${form.get('name')} ${upload?.name ?? '-'} ${upload ? await upload.text() : '-'}`,
      );
    };
    const url = `http://${authority(worker)}/`;
    const form = new FormData();
    form.set('name', 'anna');
    form.set('file', new File(['file content'], 'notes.txt'));
    expect(await (await fetch(url, { method: 'POST', body: form })).text()).toBe(
      'anna notes.txt file content',
    );
    const fields = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ name: 'ben & co' }),
    });
    expect(await fields.text()).toBe('ben & co - -');
  });

  it('answers pipelined requests one after the other, in order, however long each takes', async () => {
    const worker = await server();
    const running: string[] = [];
    worker.onMessage = async (connection, request) => {
      running.push(request.path);
      expect(running).toHaveLength(1);
      for (let i = 0; i < Number(request.query.get('turns')); i += 1)
        await new Promise((later) => setImmediate(later));
      running.pop();
      connection.send(`${request.path};`);
    };
    const peer = await peerOf(worker);
    peer.send(
      ['/1?turns=30', '/2?turns=0', '/3?turns=5']
        .map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
        .join(''),
    );
    const all = String(await peer.until((bytes) => bytes.includes('/3;')));
    expect(all.match(/\/\d;/g)).toEqual(['/1;', '/2;', '/3;']);
  });

  it('streams an answer in chunks', async () => {
    const worker = await server();
    worker.onMessage = async (connection) => {
      const stream = connection.stream({ status: 206, headers: { 'content-type': 'text/plain' } });
      for (const part of ['one ', 'two ', 'three']) {
        stream.write(part);
        await new Promise((later) => setImmediate(later));
      }
      stream.end();
      expect(stream.write('too late')).toBe(false);
    };
    const answered = await fetch(`http://${authority(worker)}/`);
    expect([answered.status, await answered.text()]).toEqual([206, 'one two three']);
  });

  it('sends events, and notices when the client leaves', async () => {
    const worker = await server();
    const { promise: left, resolve } = Promise.withResolvers<boolean>();
    worker.onMessage = (connection) => {
      const events = connection.events();
      events.send({ event: 'tick', id: '1', data: 'first\nline' });
      connection.onClose = () => resolve(events.ended);
    };
    const peer = await peerOf(worker);
    peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const text = String(await peer.until((bytes) => bytes.includes('data: line\n\n')));
    expect(text).toContain('content-type: text/event-stream\r\n');
    expect(text).toContain('event: tick\nid: 1\ndata: first\ndata: line\n\n');
    peer.socket.destroy();
    expect(await left).toBe(true);
  });

  it('sets cookies and closes after the answer when told to', async () => {
    const worker = await server();
    worker.onMessage = (connection) =>
      connection.close(
        new Response('bye', { status: 201 }).cookie('a', 'b c', { httpOnly: true, maxAge: 60 }),
      );
    const peer = await peerOf(worker);
    peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const { status, head } = await answer(peer);
    expect(status).toBe(201);
    expect(head).toContain('set-cookie: a=b%20c; Path=/; Max-Age=60; HttpOnly\r\n');
    expect(head.toLowerCase()).toContain('connection: close\r\n');
    expect(await peer.end()).toBe('end');
  });

  it('answers 500 when a handler throws or rejects, and lives on', async () => {
    const worker = await server();
    worker.onMessage = (connection, request) => {
      if (request.path === '/throw') throw new Error('planned');
      if (request.path === '/reject') return Promise.reject(new Error('planned'));
      if (request.path === '/object') return connection.send({ a: 1 } as never);
      return connection.send('fine');
    };
    const before = tally.counts.throw_exception;
    const statusOf = async (path: string) =>
      (await fetch(`http://${authority(worker)}${path}`)).status;
    const paths = ['/throw', '/reject', '/object', '/'];
    expect(await Promise.all(paths.map(statusOf))).toEqual([500, 500, 500, 200]);
    expect(tally.counts.throw_exception - before).toBe(3);
  });

  it('has no body for HEAD and none for 204', async () => {
    const worker = await server();
    worker.onMessage = (connection, request) =>
      connection.send(request.path === '/none' ? new Response('', { status: 204 }) : 'content');
    const head = await fetch(`http://${authority(worker)}/`, { method: 'HEAD' });
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['7', '']);
    const none = await fetch(`http://${authority(worker)}/none`);
    expect([none.status, none.headers.get('content-length')]).toEqual([204, null]);
  });
});

describe('limits of an HTTP Worker', () => {
  it.each([
    ['announced', 'Content-Length: 2000\r\n\r\n'],
    ['chunked', `Transfer-Encoding: chunked\r\n\r\n7d0\r\n${'x'.repeat(2000)}\r\n0\r\n\r\n`],
  ])('answers 413 to a body over the limit, %s', async (_, rest) => {
    const worker = await server({ maxPackageSize: 1000 });
    worker.onMessage = (connection) => connection.send('taken');
    const peer = await peerOf(worker);
    peer.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
    expect((await answer(peer)).status).toBe(413);
    await peer.end();
  });

  it('lets 413 arrive although the client goes on sending, and looks at nothing behind it', async () => {
    const worker = await server({ maxPackageSize: 1000 });
    worker.onMessage = (connection, request) => connection.send(request.path);
    const peer = await peerOf(worker);
    peer.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n');
    expect((await answer(peer)).status).toBe(413);
    peer.send(Buffer.alloc(300_000)).send('GET /behind HTTP/1.1\r\nHost: a\r\n\r\n');
    expect([await peer.end(), String(peer.received)]).toEqual(['end', '']);
  });

  it('answers 431 to a head over 16 KiB', async () => {
    const worker = await server();
    const peer = await peerOf(worker);
    peer.send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect((await answer(peer)).status).toBe(431);
  });

  it('gives up on a head that drips, and on a body that does not come', async () => {
    const worker = await server({ handshakeTimeout: 0.3, http: { requestTimeout: 0.3 } });
    const head = await peerOf(worker);
    head.send('GET / HTTP/1.1\r\nHos');
    const body = await peerOf(worker);
    body.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    expect((await answer(head)).status).toBe(408);
    expect((await answer(body)).status).toBe(408);
    await Promise.all([head.end(), body.end()]);
  });
});

describe('request smuggling', () => {
  const good = 'POST / HTTP/1.1\r\nHost: a\r\n';
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

  it.each([
    [
      'both lengths',
      `${good}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ['two different lengths', `${good}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`],
    ['a length that is no number', `${good}Content-Length: 4x\r\n\r\nabcd`],
    ['a length with a sign', `${good}Content-Length: +4\r\n\r\nabcd`],
    ['chunked that is not last', `${good}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    [
      'chunked twice',
      `${good}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'an unknown transfer coding',
      `${good}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ['a coding that is not taken off', `${good}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['an unknown coding', `${good}Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['an empty coding', `${good}Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n`],
    ['a space before the colon', `${good}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ['a folded header', `${good}X: a\r\n b\r\n\r\n`],
    ['a chunk size that is no number', `${good}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n`],
    ['a chunk without its line end', `${good}Transfer-Encoding: chunked\r\n\r\n1\r\nabc0\r\n\r\n`],
    ['a header name with a control character', `${good}X\u0001: a\r\n\r\n`],
    ['bare LF as a line end', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['a request line with a control character', 'GET /\u0001 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another protocol', '\u0016\u0003\u0001\u0002\u0000\u0001'],
  ])('refuses %s', async (_, bytes) => {
    const worker = await server();
    const paths: string[] = [];
    worker.onMessage = (connection: HttpConnection, request) => {
      paths.push(request.path);
      connection.send('served');
    };
    const before = tally.counts.packet_err;
    const peer = await peerOf(worker);
    peer.send(bytes);
    expect((await answer(peer)).status).toBe(400);
    await peer.end();
    await eventually(() => worker.connections.size === 0);
    expect(paths).toEqual([]);
    expect(tally.counts.packet_err - before).toBeGreaterThanOrEqual(1);
  });
});
