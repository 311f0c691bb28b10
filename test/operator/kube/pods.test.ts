import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PodAdmin, type PodAdminOptions, PodError } from '../../../operator/kube/pods.ts';
import { Fixture, TALKER } from '../../support/fixture.ts';
import { endPrograms, freePort, start } from '../../support/program.ts';

const IP = '127.0.0.1';
const servers: { close(): unknown; closeAllConnections?(): void }[] = [];
const admins: PodAdmin[] = [];

afterEach(async () => {
  for (const each of admins.splice(0)) each.close();
  for (const each of servers.splice(0)) {
    each.closeAllConnections?.();
    each.close();
  }
  await endPrograms();
});

function podAdmin(options: PodAdminOptions): PodAdmin {
  const admin = new PodAdmin(options);
  admins.push(admin);
  return admin;
}

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  servers.push(server);
  server.listen(0, IP);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A pod that answers like this. */
const pod = async (answers: RequestListener, timeoutMs = 5000): Promise<PodAdmin> =>
  podAdmin({ port: await listening(createServer(answers)), timeoutMs });

async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof PodError) return `${error.kind}: ${error.message}`;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('PodAdmin and a pod that answers anything', () => {
  it.each([
    [400, '"x" is not a field\nand more', 'refused: "x" is not a field'],
    [401, 'who are you', 'unauthorized: who are you'],
    [404, '', 'refused: it answered 404'],
    [409, 'not yet', 'conflict: not yet'],
    [500, 'sorry', 'unreachable: sorry'],
    [503, '', 'unreachable: it answered 503'],
    [302, '', 'nonsense: it answered 302'],
    [200, '{', 'nonsense: the answer is not JSON'],
    [200, '{"id":{}}', 'nonsense: id is {}, expected a number'],
    [200, 'x'.repeat(1_048_577), 'nonsense: the answer is over the limit of 1048576 bytes'],
  ])('%i', async (status, body, expected) => {
    const admin = await pod((_, response) => response.writeHead(status).end(body));
    const told = await failure(admin.reload(IP, ['token']));
    expect(told.slice(0, expected.length)).toBe(expected);
  });

  it('that is not HTTP', async () => {
    const port = await listening(createTcpServer((socket) => socket.end('hello\n\n')));
    expect(await failure(podAdmin({ port }).status(IP, ['t']))).toMatch(/^nonsense: /);
  });

  it('that does not end its answer', async () => {
    const admin = await pod((_, response) => response.writeHead(200).write('{'), 100);
    expect(await failure(admin.status(IP, ['t']))).toBe('unreachable: no answer within 0.1 s');
  });

  it('that hangs up', async () => {
    const admin = await pod((request) => request.socket.destroy());
    expect(await failure(admin.status(IP, ['t']))).toMatch(/^unreachable: /);
  });

  it.each([IP, '::1', 'no address', ''])('that is not at %j', async (ip) => {
    const admin = podAdmin({ port: await freePort() });
    expect(await failure(admin.status(ip, ['t']))).toMatch(/^unreachable: ./);
  });
});

describe('PodAdmin and tokens', () => {
  const asked: string[] = [];
  const knows = (known: string) =>
    pod((request, response) => {
      const token = (request.headers.authorization ?? '').replace('Bearer ', '');
      asked.push(token);
      response.writeHead(token === known ? 200 : 401).end(token === known ? '{"id":1}' : 'no');
    });

  it.each([
    ['the first that is known counts', 'b', ['a', 'b', 'c'], ['a', 'b'], 1],
    ['none is known', 'x', ['a', 'b'], ['a', 'b'], 'unauthorized: no'],
    ['there is none', 'x', [], [], 'unauthorized: there is no token for it'],
    ['one that no header can hold', 'a\nb', ['a\nb'], [], /^unauthorized: (?!.*a\nb)/s],
  ])('%s', async (_, known, tokens, tried, expected) => {
    asked.length = 0;
    const admin = await knows(known);
    const result = await admin.reload(IP, tokens).catch((error) => failure(Promise.reject(error)));
    if (expected instanceof RegExp) expect(result).toMatch(expected);
    else expect(result).toBe(expected);
    expect(asked).toEqual(tried);
  });
});

describe('PodAdmin', () => {
  it('has 64 calls under way at most', async () => {
    const held: (() => void)[] = [];
    let most = 0;
    let open = 0;
    const full = Promise.withResolvers<void>();
    const admin = await pod((_, response) => {
      open += 1;
      most = Math.max(most, open);
      held.push(() => {
        open -= 1;
        response.end('{"id":1}');
      });
      if (held.length === 64) full.resolve();
      if (held.length > 64) held.at(-1)?.();
    });
    const calls = Array.from({ length: 200 }, () => admin.reload(IP, ['t']));
    await full.promise;
    for (const end of held.slice(0, 64)) end();
    expect(await Promise.all(calls)).toHaveLength(200);
    expect(most).toBe(64);
  });

  it('ends what is under way', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const admin = await pod(() => resolve());
    const call = failure(admin.status(IP, ['t']));
    await promise;
    admin.close();
    expect(await call).toMatch(/^unreachable: /);
  });
});

describe('PodAdmin and a server of ours', () => {
  it('reads its status, and makes it reload, take a configuration, drain and come back', async () => {
    using app = await Fixture.create(TALKER);
    const port = await freePort();
    const program = await start(app.file, {
      LONGSHORE_ADMIN: `${IP}:${port}`,
      LONGSHORE_ADMIN_TOKEN: 'secret',
    });
    const admin = podAdmin({ port, timeoutMs: 10_000 });
    const tokens = ['old', 'secret'];
    const before = await admin.status(IP, tokens);
    expect(before).toMatchObject({
      pid: program.pid,
      phase: 'running',
      workers: [{ name: 'talker', count: 2 }],
      processes: [
        { worker_id: 0, state: 'ready', connections: 0 },
        { worker_id: 1, state: 'ready', connections: 0 },
      ],
    });
    expect(before.reload).toBeUndefined();

    const offset = program.output.length;
    const id = await admin.reload(IP, tokens);
    for (const slot of [0, 1]) await program.line(new RegExp(`begin ${slot}`), offset);
    expect((await admin.status(IP, tokens)).reload).toMatchObject({ id, total: 2 });

    await admin.config(IP, tokens, { colour: 'blue' });
    await program.line(/reloading \{"colour":"blue"\}/);

    await admin.drain(IP, tokens, { propagationSeconds: 0, windowSeconds: 0 });
    await program.line(/draining/);
    expect((await admin.status(IP, tokens)).phase).toMatch(/^(held|draining)$/);
    await admin.undrain(IP, tokens);
    expect((await admin.status(IP, tokens)).phase).toBe('running');

    expect(await failure(admin.status(IP, ['wrong']))).toMatch(/^unauthorized: this call needs/);
    expect(await failure(admin.drain(IP, tokens, { windowSeconds: -1 }))).toMatch(
      /^refused: "windowSeconds" is -1/,
    );
  }, 30_000);
});
