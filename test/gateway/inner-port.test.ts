import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { GatewayClient } from '../../src/gateway/client.ts';
import { KIND } from '../../src/gateway/format.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { Writer } from '../../src/gateway/wire.ts';
import { writeAnswer, writeBare, writeRest } from '../../src/gateway/writing.ts';
import { newCertificate, type TestCertificate } from '../support/certificate.ts';
import { endClients, server } from '../support/clients.ts';
import { hex } from '../support/cuts.ts';
import { eventually, Peer } from '../support/peer.ts';
import { Random } from '../support/random.ts';
import { Scene } from './scene.ts';

let scene: Scene | undefined;
const clients: GatewayClient[] = [];
afterEach(async () => {
  for (const each of clients.splice(0)) each.close();
  await scene?.end();
  await endClients();
});

const portOf = (opened: Scene): number => Number(/\d+$/.exec(opened.addresses[0] ?? '')?.[0]);

/** A peer that has got the hello. */
async function greeted(opened: Scene): Promise<Peer> {
  const peer = await Peer.to({ host: '127.0.0.1', port: portOf(opened) });
  await peer.take(hello(false).length);
  return peer;
}

/** What a gateway says first. */
function hello(guarded: boolean): Buffer {
  const nonce = '00'.repeat(16);
  return hex(`0000002700 01 0${guarded ? 1 : 0} ${nonce} 0000000c ${'41'.repeat(12)}`);
}

function answer(proof: Uint8Array = Buffer.alloc(0)): Buffer {
  const out = new Writer();
  writeAnswer(out, Buffer.alloc(16), proof);
  return Buffer.from(out.take());
}

const bare = (kind: number): Buffer => {
  const out = new Writer();
  writeBare(out, kind);
  return Buffer.from(out.take());
};

describe('the inner port', () => {
  it.each([
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a length below the shortest', hex('00000004')],
    ['a length above the longest', hex('7fffffff 0e')],
    ['an unknown kind', hex('00000005 63')],
    ['an answer of another version', hex(`00000016 01 02 ${'00'.repeat(16)}`)],
    ['half a proof', answer(Buffer.alloc(31))],
    ['a command before it has answered', bare(KIND.join)],
    ['an event', Buffer.concat([answer(), hex('0000000d 0e 02 01 000000000001')])],
    ['a list that is not there', Buffer.concat([answer(), hex('0000000b 0f 00 01 ffffffff')])],
    ['a ping of half a number', Buffer.concat([answer(), hex('00000007 09 0001')])],
    [
      'a command without a body',
      Buffer.concat([answer(), hex('0000000f 0f 0b 02 00000001 00000000')]),
    ],
  ])('ends a peer that sends %s; nobody else notices', async (_, bytes) => {
    scene = await Scene.open({ gateways: 1 });
    const api = await scene.outside();
    const peer = await greeted(scene);
    peer.send(bytes);
    await peer.end();
    expect(await api.getAllClientIdCount()).toBe(0);
  });

  it('survives noise', async () => {
    scene = await Scene.open({ gateways: 1 });
    const api = await scene.outside();
    const random = new Random(3);
    for (let round = 0; round < 100; round += 1) {
      const peer = await greeted(scene);
      peer.send(answer());
      for (let i = 0; i < 5; i += 1) {
        const body = random.bytes(random.int(1, 60));
        const head = Buffer.alloc(4);
        head.writeUInt32BE(body.length + 4);
        body[0] = random.int(0, 20);
        peer.send(Buffer.concat([head, body]));
      }
      peer.socket.end();
      await peer.end();
      peer.destroy();
    }
    expect(await api.getAllClientIdCount()).toBe(0);
  });

  it('waits 10 s at most for an answer', async () => {
    jest.useFakeTimers({
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'],
    });
    try {
      scene = await Scene.open({ gateways: 1 });
      const peer = await greeted(scene);
      await jest.advanceTimersByTimeAsync(10_000);
      expect(String(await peer.until((bytes) => bytes.includes('in time')))).toContain(
        'no answer in time',
      );
      await peer.end();
    } finally {
      jest.useRealTimers();
    }
  });

  it('gives up a peer that is silent for half a minute, and is not given up itself', async () => {
    jest.useFakeTimers({
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'],
    });
    try {
      scene = await Scene.open({ gateways: 1 });
      const api = await scene.outside();
      const peer = await greeted(scene);
      peer.send(answer());
      await peer.take(5);
      for (let i = 0; i < 7; i += 1) {
        await jest.advanceTimersByTimeAsync(5000);
        for (let turn = 0; turn < 5; turn += 1) await new Promise((next) => setImmediate(next));
      }
      await peer.end();
      expect(api.connected).toBe(1);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('a secret', () => {
  const tried = async (secret: string | undefined): Promise<number> => {
    const api = new GatewayClient({
      gateways: scene?.addresses ?? [],
      ...(secret === undefined ? {} : { secret }),
    });
    clients.push(api);
    await api.connect();
    return api.connected;
  };

  it.each([
    ['the right one', 'right', 1],
    ['a wrong one', 'wrong', 0],
    ['none', undefined, 0],
  ])('is asked for: %s', async (_, secret, connected) => {
    scene = await Scene.open({ gateways: 1, secret: 'right' });
    expect(await tried(secret)).toBe(connected);
  });

  it('is asked of the gateway, too', async () => {
    scene = await Scene.open({ gateways: 1 });
    expect(await tried('right')).toBe(0);
  });

  it('is not believed of a gateway that only says so', async () => {
    let spoken = 0;
    const port = await server((socket) => {
      socket.write(hello(true));
      socket.once('data', () => {
        spoken += 1;
        const out = new Writer();
        writeRest(out, KIND.welcome, Buffer.alloc(32));
        socket.write(Buffer.from(out.take()));
      });
    });
    const api = new GatewayClient({ gateways: [`127.0.0.1:${port}`], secret: 'right' });
    clients.push(api);
    await api.connect();
    expect([spoken, api.connected]).toEqual([1, 0]);
  });

  it('is a must on addresses that others reach', async () => {
    const gateway = new Gateway('text://127.0.0.1:0', { inner: '0.0.0.0:0' });
    await expect(gateway.listen()).rejects.toThrow('needs a secret');
  });
});

describe('TLS on the inner port', () => {
  it('works with a trusted certificate', async () => {
    await using certificate: TestCertificate = newCertificate();
    scene = await Scene.open({
      gateways: 1,
      innerSsl: { cert: certificate.cert, key: certificate.key },
    });
    const api = await scene.outside({ tls: { ca: certificate.ca } });
    expect(await api.getAllClientIdCount()).toBe(0);
  });
});

describe('a GatewayClient', () => {
  it('says false, and rejects, where no gateway answers', async () => {
    const port = await server((socket) => socket.destroy());
    const api = new GatewayClient({ gateways: [`127.0.0.1:${port}`], timeout: 0.2 });
    clients.push(api);
    await api.connect();
    expect(api.sendToAll('hi')).toBe(false);
    await expect(api.getAllClientIdCount()).rejects.toMatchObject({ code: 'GATEWAY_INCOMPLETE' });
  });

  it('gives what came where one gateway of two is silent', async () => {
    const port = await server((socket) => {
      socket.write(hello(false));
      socket.once('data', () => socket.write(hex('00000005 02')));
    });
    scene = await Scene.open({ gateways: 1 });
    await scene.client(0);
    await eventually(() => scene?.gateways[0]?.connections.size === 1, 'the client');
    const api = await scene.outside({
      gateways: [...scene.addresses, `127.0.0.1:${port}`],
      timeout: 0.2,
    });
    expect(api.connected).toBe(2);
    await expect(api.getAllClientIdCount()).rejects.toMatchObject({
      code: 'GATEWAY_INCOMPLETE',
      partial: 1,
    });
  });

  it('is connected once where two addresses are the same gateway', async () => {
    scene = await Scene.open({ gateways: 1 });
    const [one = ''] = scene.addresses;
    const api = await scene.outside({ gateways: [one, one.replace('127.0.0.1', 'localhost')] });
    expect(api.connected).toBe(1);
  });

  it('keeps what is sent before the gateways are reached', async () => {
    scene = await Scene.open({ gateways: 1 });
    const peer = await scene.client(0);
    await eventually(() => scene?.gateways[0]?.connections.size === 1, 'the client');
    const api = new GatewayClient({ gateways: scene.addresses });
    clients.push(api);
    expect(api.sendToAll('early')).toBe(true);
    expect(await peer.line()).toBe('early');
  });

  it('comes back to a gateway that was restarted', async () => {
    scene = await Scene.open({ gateways: 1 });
    const api = await scene.outside();
    const [inner = ''] = scene.addresses;
    await scene.gateways[0]?.close();
    await eventually(() => api.connected === 0, 'it is gone');
    const again = new Gateway<string>('text://127.0.0.1:0', { inner });
    scene.gateways.push(again);
    await again.listen();
    await eventually(() => api.connected === 1, 'it is back');
  });
});
