import { afterEach, describe, expect, it } from '@jest/globals';
import type { BusinessWorker } from '../../src/gateway/business-worker.ts';
import { gatewayStats } from '../../src/gateway/stats.ts';
import { eventually, type Peer } from '../support/peer.ts';
import { Scene } from './scene.ts';

let scene: Scene;
afterEach(() => scene.end());

/** A BusinessWorker that writes down what happens, by client. */
function diary(worker: BusinessWorker, seen: string[], name = ''): void {
  worker.onConnect = ({ session }) => {
    session['seen'] = [`connect${name}`];
  };
  worker.onMessage = (client, message) => {
    client.session['seen'].push(`${message}${name}`);
    client.send(client.session['seen'].join(' '));
  };
  worker.onClose = (client) => seen.push(client.session['seen'].join(' '));
}

/** Says it and gives the answer. */
const ask = (peer: Peer, line: string): Promise<string> => peer.send(`${line}\n`).line();

describe('handlers', () => {
  it('run one after the other for a client, also async ones, and beside each other for several', async () => {
    scene = await Scene.open({ gateways: 1 });
    const gate = Promise.withResolvers<void>();
    const business = scene.business((worker) => {
      worker.onMessage = async (client, message) => {
        if (message === 'wait') await gate.promise;
        client.send(`did ${message}`);
      };
    });
    await business.listen();
    const [slow, quick] = [await scene.client(0), await scene.client(0)];
    slow.send('wait\nnext\n');
    expect(await ask(quick, 'hello')).toBe('did hello');
    expect(slow.received.length).toBe(0);
    gate.resolve();
    expect(await slow.line()).toBe('did wait');
    expect(await slow.line()).toBe('did next');
  });

  it('that fail harm nobody', async () => {
    scene = await Scene.open({ gateways: 1 });
    const business = scene.business((worker) => {
      worker.onMessage = (client, message) => {
        if (message === 'throw') throw new Error('planned');
        if (message === 'reject') return Promise.reject(new Error('planned, too'));
        if (message === 'cycle') client.session['self'] = client.session;
        else delete client.session['self'];
        return client.send('still here');
      };
    });
    await business.listen();
    const peer = await scene.client(0);
    expect(await ask(peer, 'throw\nreject\ncycle')).toBe('still here');
    expect(await ask(peer, 'hello')).toBe('still here');
  });

  it('get the session and uid in onClose, and the reason why it is the last', async () => {
    scene = await Scene.open({ gateways: 1 });
    const seen: string[] = [];
    const business = scene.business((worker) => {
      worker.onConnect = (client) => {
        worker.gateway.bindUid(client.id, 'ann');
        client.session['name'] = client.uid ?? '';
      };
      worker.onClose = (client) => {
        seen.push(`${client.session['name']} ${client.uid} ${client.remoteAddress}`);
      };
    });
    await business.listen();
    const peer = await scene.client(0);
    const address = `127.0.0.1:${peer.socket.localPort}`;
    const api = await scene.outside();
    await eventually(() => business.clients === 1, 'the client');
    expect(await api.isUidOnline('ann')).toBe(true);
    peer.socket.end();
    await eventually(() => seen.length === 1, 'onClose');
    expect(seen).toEqual([`ann ann ${address}`]);
  });

  it('and others change different keys of a session without losing either', async () => {
    scene = await Scene.open({ gateways: 1 });
    const gate = Promise.withResolvers<void>();
    const business = scene.business((worker) => {
      worker.onMessage = async (client, message) => {
        client.session[message] = true;
        await gate.promise;
        client.send(client.id);
      };
    });
    await business.listen();
    const peer = await scene.client(0);
    peer.send('inside\n');
    await eventually(() => business.clients === 1, 'the client');
    const api = await scene.outside();
    const [id = ''] = await api.getAllClientIdList();
    api.setSession(id, { outside: true });
    expect(await api.getSession(id)).toEqual({ outside: true });
    gate.resolve();
    await peer.line();
    await eventually(() => business.clients === 1, 'the client');
    expect(await api.getSession(id)).toEqual({ outside: true, inside: true });
    await ask(peer, 'again');
    expect(await api.getSession(id)).toEqual({ outside: true, inside: true, again: true });
  });
});

describe('a client without a BusinessWorker', () => {
  it('waits, with all it says, until one comes', async () => {
    scene = await Scene.open({ gateways: 1 });
    const [stays, leaves] = [await scene.client(0), await scene.client(0)];
    stays.send('one\ntwo\n');
    leaves.send('bye\n');
    leaves.socket.end();
    await leaves.end();
    const seen: string[] = [];
    const business = scene.business((worker) => diary(worker, seen));
    await business.listen();
    expect(await stays.line()).toBe('connect one');
    expect(await stays.line()).toBe('connect one two');
    await eventually(() => seen.length === 1, 'onClose');
    expect(seen).toEqual(['connect bye']);
  });

  it('is sent away with a hint when its patience is over', async () => {
    scene = await Scene.open({ gateways: 1, patience: 0.1, scheme: 'websocket' });
    const peer = await scene.client(0);
    const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13';
    peer.send(
      `GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n${key}\r\n\r\n`,
    );
    await peer.until((bytes) => bytes.includes('\r\n\r\n'));
    const frame = await peer.until((bytes) => bytes.length > 4);
    expect(frame.readUInt16BE(2)).toBe(1013);
    expect(JSON.parse(frame.toString('utf8', 4))).toEqual({ reconnect: [1000, 5000] });
  });

  it('is not read any more when much of it waits, and nothing is dropped', async () => {
    scene = await Scene.open({ gateways: 1, maxWaiting: 10_000 });
    const peer = await scene.client(0);
    const count = 20_000;
    for (let i = 0; i < count; i += 1) peer.send(`${i} ${'.'.repeat(100)}\n`);
    const [connection] = scene.gateways[0]?.connections.values() ?? [];
    await eventually(() => connection.bytesRead > 10_000, 'some of it was read');
    // Time in which it would go on reading.
    const api = await scene.outside();
    for (let i = 0; i < 100; i += 1) await api.getAllClientIdCount();
    expect(connection.bytesRead).toBeLessThan(count * 50);
    let next = 0;
    const business = scene.business((worker) => {
      worker.onMessage = (_, message) => {
        if (Number.parseInt(message, 10) === next) next += 1;
      };
    });
    await business.listen();
    await eventually(() => next === count, 'everything, in order');
  });
});

describe('a BusinessWorker that leaves', () => {
  it('finishes what it has; what comes meanwhile goes to the next one, in order', async () => {
    scene = await Scene.open();
    const gate = Promise.withResolvers<void>();
    const make = (name: string) =>
      scene.business((worker) => {
        worker.onMessage = async (client, message) => {
          client.session['said'] = (client.session['said'] ?? '') + message;
          if (message === 'a') await gate.promise;
          client.send(`${name} ${client.session['said']}`);
        };
      });
    const [old, next] = [make('old'), make('next')];
    await old.listen();
    const peers = [await scene.client(0), await scene.client(1)];
    for (const peer of peers) peer.send('a\n');
    await eventually(() => old.clients === 2, 'both clients');
    await next.listen();
    const left = old.beforeLeave(10_000);
    // Behind the leaving, on the same links.
    await old.gateway.getAllClientIdCount();
    for (const peer of peers) peer.send('b\nc\n');
    const connections = scene.gateways.flatMap((gateway) => [...gateway.connections.values()]);
    await eventually(() => connections.every(({ bytesRead }) => bytesRead === 6), 'both lines');
    gate.resolve();
    await left;
    for (const peer of peers) {
      expect(await peer.line()).toBe('old a');
      expect(await peer.line()).toBe('next ab');
      expect(await peer.line()).toBe('next abc');
    }
    await old.lastWords();
    expect(old.clients).toBe(0);
    expect(next.clients).toBe(2);
  });

  it('does not wait for ever for a handler', async () => {
    scene = await Scene.open({ gateways: 1 });
    const business = scene.business((worker) => {
      worker.onMessage = () => new Promise(() => {});
    });
    await business.listen();
    const peer = await scene.client(0);
    peer.send('never\n');
    await eventually(() => business.clients === 1, 'the client');
    await business.beforeLeave(20);
    await business.gateway.getAllClientIdCount();
    expect(gatewayStats.current?.maybeLost).toBe(1);
  });
});

describe('a BusinessWorker that is killed', () => {
  it('loses what it had begun; its clients stay and go on with another one', async () => {
    scene = await Scene.open({ gateways: 1 });
    const killed = scene.business((worker) => {
      worker.onConnect = (client) => {
        client.session['name'] = 'ann';
      };
      worker.onMessage = () => new Promise(() => {});
    });
    await killed.listen();
    const peer = await scene.client(0);
    peer.send('lost\n');
    await eventually(() => killed.clients === 1, 'the client');
    const before = gatewayStats.current?.maybeLost ?? 0;
    killed.gateway.close();
    const seen: string[] = [];
    const other = scene.business((worker) => {
      worker.onConnect = () => seen.push('connect');
      worker.onMessage = (client, message) => client.send(`${client.session['name']} ${message}`);
    });
    await other.listen();
    expect(await ask(peer, 'kept')).toBe('ann kept');
    expect(seen).toEqual([]);
    // The message; that onConnect was through has been said with its session.
    expect((gatewayStats.current?.maybeLost ?? 0) - before).toBe(1);
  });
});

describe('a gateway that is gone', () => {
  it('has no clients, groups and uids anywhere, and its clients’ onClose runs with their last session', async () => {
    scene = await Scene.open();
    const seen: string[] = [];
    const business = scene.business((worker) => {
      worker.onMessage = (client, message) => {
        client.session['name'] = message;
        worker.gateway.bindUid(client.id, message);
        worker.gateway.joinGroup(client.id, 'all');
        client.send('hello');
      };
      worker.onClose = (client) => seen.push(`${client.session['name']} ${client.uid}`);
    });
    await business.listen();
    const peers = [await scene.client(0), await scene.client(1)];
    expect(await ask(peers[0] as Peer, 'ann')).toBe('hello');
    expect(await ask(peers[1] as Peer, 'bob')).toBe('hello');
    const api = await scene.outside();
    expect((await api.getUidListByGroup('all')).sort()).toEqual(['ann', 'bob']);
    await scene.gateways[0]?.close();
    await eventually(() => seen.length === 1, 'onClose');
    expect(seen).toEqual(['ann ann']);
    expect(business.clients).toBe(1);
    expect(await business.gateway.getAllUidList()).toEqual(['bob']);
    await eventually(() => api.connected === 1, 'it is known to be gone');
    expect(await api.isUidOnline('ann')).toBe(false);
    expect(await api.getClientIdCountByGroup('all')).toBe(1);
  });
});

describe('a client whose own handler is slow', () => {
  it('waits at the gateway and does not hold up others of the same BusinessWorker', async () => {
    scene = await Scene.open({ gateways: 1, maxWaiting: 4096 });
    const gate = Promise.withResolvers<void>();
    let slow = 0;
    const business = scene.business((worker) => {
      worker.onMessage = async (client, message) => {
        if (message.startsWith('slow')) {
          await gate.promise;
          slow += 1;
        } else client.send(message);
      };
    });
    await business.listen();
    const [flood, other] = [await scene.client(0), await scene.client(0)];
    const count = 30_000;
    for (let i = 0; i < count; i += 1) flood.send(`slow ${'.'.repeat(60)}\n`);
    for (let i = 0; i < 100; i += 1) expect(await ask(other, `${i}`)).toBe(`${i}`);
    const [connection] = scene.gateways[0]?.connections.values() ?? [];
    expect(connection.bytesRead).toBeLessThan(count * 60);
    gate.resolve();
    await eventually(() => slow === count, 'all of it');
  });
});
