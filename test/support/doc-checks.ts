import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { runInNewContext } from 'node:vm';
import { WebSocket } from 'ws';
import { Peer } from './peer.ts';

/**
 * What a page's server is asked, and what it has to answer: `WHERE WHAT -> ANSWER`, several of each with ` | ` between.
 *
 *     text:7272 hello | bye -> hello | bye        lines; also tls: (lines over TLS) and unix:/path
 *     tcp:7272 hello -> hello                     bytes, without a line end; `\n`, `\0`, `\x1f` stand for what they say
 *     udp:7272 hello -> hello                     datagrams
 *     ws:7272/path hello -> hello | close 1000    messages, one after the other; also wss:
 *     ws:7272/path -> refused 403                 the handshake is answered with that status
 *     http:8080 GET /path BODY -> 200 text        status, and a text that stands in the body; also https:
 *     page:8080/path -> text                      the page's scripts run, and the page shows the text
 *
 * An answer between slashes is a pattern. `log` and `exit` are for `doc-scene.ts`.
 */
export async function check(text: string): Promise<void> {
  const match = /^(\w+):(\S+)(?: (.*?))?(?: ?-> (.*))?$/s.exec(text);
  if (!match) throw new Error(`cannot read the check "${text}"`);
  const [, kind = '', where = '', what = '', answer = ''] = match;
  const ask = ASK[kind];
  if (!ask) throw new Error(`a check begins with one of ${Object.keys(ASK).join(', ')}: "${text}"`);
  try {
    await within(ask(where, parts(what), parts(answer), what));
  } catch (error) {
    throw new Error(`${text}\n${(error as Error).message}`);
  }
}

/** Longest that one check may take. */
const PATIENCE_MS = 10_000;

async function within(asking: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('no answer in time')), PATIENCE_MS);
  try {
    await Promise.race([asking, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

type Ask = (where: string, sent: string[], expected: string[], what: string) => Promise<void>;

const ASK: Readonly<Record<string, Ask>> = {
  text: (port, sent, expected) => lines(connect(Number(port), '127.0.0.1'), sent, expected),
  unix: (path, sent, expected) => lines(connect({ path }), sent, expected),
  tls: (port, sent, expected) =>
    lines(connectTls({ port: Number(port), rejectUnauthorized: false }), sent, expected),
  tcp: bytes,
  udp: datagrams,
  ws: (where, sent, expected) => messages(`ws://127.0.0.1:${where}`, sent, expected),
  wss: (where, sent, expected) => messages(`wss://127.0.0.1:${where}`, sent, expected),
  http: (port, _, expected, what) => request(`http://127.0.0.1:${port}`, what, expected),
  https: (port, _, expected, what) => request(`https://127.0.0.1:${port}`, what, expected),
  page,
};

const parts = (text: string): string[] =>
  text === '' ? [] : text.split(' | ').map((part) => unescaped(part.trim()));

function unescaped(text: string): string {
  return text
    .replaceAll('\\n', '\n')
    .replaceAll('\\r', '\r')
    .replaceAll('\\0', '\0')
    .replaceAll(/\\x([0-9a-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** @throws if an answer is not what was expected */
export function same(expected: string, actual: string): void {
  const pattern = /^\/(.*)\/$/s.exec(expected)?.[1];
  const good = pattern === undefined ? actual === expected : new RegExp(pattern).test(actual);
  if (!good) throw new Error(`expected ${expected}, got ${JSON.stringify(actual)}`);
}

async function lines(socket: Socket, sent: string[], expected: string[]): Promise<void> {
  await once(socket, 'encrypted' in socket ? 'secureConnect' : 'connect');
  const peer = new Peer(socket);
  try {
    for (const line of sent) peer.send(`${line}\n`);
    for (const line of expected) {
      if (line === 'end') await peer.end();
      else same(line, await peer.line());
    }
  } finally {
    peer.destroy();
  }
}

async function bytes(port: string, sent: string[], expected: string[]): Promise<void> {
  const peer = await Peer.to({ host: '127.0.0.1', port: Number(port) });
  try {
    for (const each of sent) peer.send(Buffer.from(each, 'latin1'));
    for (const each of expected) {
      if (each === 'end') await peer.end();
      else await peer.until((all) => all.includes(Buffer.from(each, 'latin1')));
    }
  } finally {
    peer.destroy();
  }
}

async function datagrams(port: string, sent: string[], expected: string[]): Promise<void> {
  const socket = createSocket('udp4');
  try {
    for (const [i, datagram] of sent.entries()) {
      const answered = once(socket, 'message');
      socket.send(datagram, Number(port), '127.0.0.1');
      if (expected[i] !== undefined) same(expected[i], String((await answered)[0]));
    }
  } finally {
    socket.close();
  }
}

async function messages(url: string, sent: string[], expected: string[]): Promise<void> {
  const socket = new WebSocket(url, { rejectUnauthorized: false });
  const came: string[] = [];
  let wake = () => {};
  const told = (what: string) => {
    came.push(what);
    wake();
  };
  socket.on('message', (data) => told(String(data)));
  socket.on('close', (code) => told(`close ${code}`));
  socket.on('unexpected-response', (_, { statusCode }) => told(`refused ${statusCode}`));
  socket.on('error', () => {});
  socket.on('open', () => {
    for (const message of sent) socket.send(message);
  });
  try {
    for (const each of expected) {
      while (came.length === 0) await new Promise<void>((next) => (wake = next));
      same(each, came.shift() as string);
    }
  } finally {
    socket.terminate();
  }
}

async function request(base: string, what: string, expected: string[]): Promise<void> {
  const [method = 'GET', path = '/', ...body] = what.split(' ');
  const [status = '', ...text] = (expected.join(' | ') || '200').split(' ');
  const answer = await fetched(`${base}${path}`, method, body.join(' '));
  if (String(answer.status) !== status)
    throw new Error(`expected status ${status}, got ${answer.status}: ${answer.body}`);
  const wanted = text.join(' ');
  if (/^\/.*\/$/s.test(wanted)) same(wanted, answer.body);
  else if (!answer.body.includes(wanted))
    throw new Error(`expected ${wanted} in ${JSON.stringify(answer.body)}`);
}

async function fetched(
  url: string,
  method: string,
  body: string,
): Promise<{ status: number; body: string }> {
  const { request: ask } = await import(url.startsWith('https') ? 'node:https' : 'node:http');
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const options = { method, rejectUnauthorized: false, agent: false };
  const call = ask(url, options, (answer: import('node:http').IncomingMessage) => {
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => {
      text += chunk;
    });
    answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
  });
  call.on('error', reject);
  call.end(body);
  return promise;
}

/** Runs a page's scripts with just as much of a browser as ours need, until the page shows a text. */
async function page(where: string, _: string[], expected: string[]): Promise<void> {
  const url = new URL(`http://127.0.0.1:${where}`);
  const { status, body } = await fetched(url.href, 'GET', '');
  if (status !== 200) throw new Error(`status ${status}`);
  const shown: string[] = [];
  const sockets: WebSocket[] = [];
  const window = browserLike(url, shown, sockets);
  try {
    for (const [, script = ''] of body.matchAll(/<script[^>]*>(.*?)<\/script>/gs))
      runInNewContext(script, window);
    while (!expected.every((text) => shown.some((each) => each.includes(text))))
      await new Promise((next) => setTimeout(next, 10));
  } finally {
    for (const socket of sockets) socket.terminate();
  }
}

function browserLike(url: URL, shown: string[], sockets: WebSocket[]): Record<string, unknown> {
  class PageSocket extends WebSocket {
    constructor(address: string, protocols?: string | string[]) {
      super(new URL(address, url.href.replace(/^http/, 'ws')), protocols);
      sockets.push(this);
    }
  }
  const element = () => ({
    append: (...texts: unknown[]) => void shown.push(texts.join('')),
    set textContent(text: unknown) {
      shown.push(String(text));
    },
  });
  return {
    WebSocket: PageSocket,
    EventSource: undefined,
    location: url,
    console,
    setTimeout,
    JSON,
    document: { body: element(), querySelector: element, getElementById: element },
  };
}
