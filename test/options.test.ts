import { describe, expect, it } from '@jest/globals';
import {
  BusinessWorker,
  ChannelClient,
  ChannelServer,
  Gateway,
  GatewayClient,
  GlobalDataClient,
  GlobalDataServer,
} from '../src/index.ts';

// As from a program that no compiler has looked at.
type Make = (options: object) => unknown;

const MAKERS: Record<string, Make> = {
  ChannelServer: (options) => new ChannelServer('127.0.0.1:9', options),
  ChannelClient: (options) => new ChannelClient('127.0.0.1:9', options),
  GlobalDataServer: (options) => new GlobalDataServer('127.0.0.1:9', options),
  GlobalDataClient: (options) => new GlobalDataClient('127.0.0.1:9', options),
  GatewayClient: (options) => new GatewayClient(options),
  Gateway: (options) => new Gateway('websocket://127.0.0.1:9', options),
  BusinessWorker: (options) => new BusinessWorker(options),
};

describe('a constructor that is given wrong options', () => {
  it.each(Object.keys(MAKERS))('%s names the one that there is not', (name) => {
    const make = () => MAKERS[name]?.({ secrte: 'x' });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(/^secrte is not an option; known: /);
  });

  it.each(Object.keys(MAKERS))('%s names the one that is something else', (name) => {
    expect(() => MAKERS[name]?.({ secret: 5 })).toThrow('secret is 5, expected a text');
  });

  it.each<[string, object, string]>([
    ['ChannelServer', { heartbeat: '5' }, 'heartbeat is "5", expected a number'],
    ['ChannelServer', { heartbeat: 0 }, '"heartbeat" is 0, expected more than 0'],
    ['ChannelServer', { members: 5 }, 'members is 5, expected a text or a list of texts'],
    ['ChannelServer', { ssl: '/cert' }, 'ssl is "/cert", expected an object with options'],
    ['ChannelServer', { ssl: {} }, 'ssl needs cert and key'],
    ['ChannelClient', { history: { channels: '*' } }, 'expected a list'],
    ['ChannelClient', { heartbeat: 0 }, '"heartbeat" is 0 seconds, expected 0 to 2147483'],
    ['ChannelClient', { tls: 1 }, 'tls is 1, expected true, false or an object with options'],
    ['GlobalDataServer', { file: 5 }, 'file is 5, expected a text of at least one character'],
    ['GlobalDataServer', { fsync: 'never' }, '"fsync" is never, expected always, second or no'],
    ['GlobalDataClient', { timeout: Number.NaN }, 'timeout is NaN, expected a number'],
    ['GlobalDataClient', { timeout: '5' }, 'timeout is "5", expected a number'],
    ['GatewayClient', { gateways: 'a:1' }, 'gateways is "a:1", expected a list of texts'],
    ['Gateway', { innerSsl: true }, 'innerSsl is true, expected an object with options'],
    ['Gateway', { patience: '5' }, 'patience is 5, allowed: 0 to 2147483647'],
  ])('%s with %j', (name, options, message) => {
    expect(() => MAKERS[name]?.(options)).toThrow(message);
  });
});

describe('a client that is closed, or has nobody to ask', () => {
  it('GatewayClient is not made for no gateways', () => {
    expect(() => new GatewayClient({ gateways: [] })).toThrow('the list "gateways" is empty');
  });

  it('GatewayClient without any that somebody knows settles within its timeout, and then sends nothing', async () => {
    const client = new GatewayClient({ timeout: 0.05 });
    expect(client.sendToAll('early')).toBe(true);
    await client.connect();
    await expect(client.getAllClientIdCount()).rejects.toThrow('no gateway is connected');
    expect(client.sendToAll('late')).toBe(false);
    client.close();
  });

  it('GatewayClient sends nothing and answers nothing when it is closed', async () => {
    const client = new GatewayClient({ gateways: ['127.0.0.1:9'], timeout: 0.1 });
    client.close();
    expect(client.sendToAll('x')).toBe(false);
    for (const asked of [client.getAllClientIdCount(), client.isOnline('A'.repeat(20))])
      await expect(asked).rejects.toThrow('the GatewayClient was closed');
  });

  it('ChannelClient is not connected and publishes nothing when it is closed', () => {
    const client = new ChannelClient('127.0.0.1:9');
    client.onError = () => {};
    client.connect();
    client.close();
    expect([client.connected, client.publish('a', 1), client.enqueue('q', 1)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it.each([ChannelServer, GlobalDataServer])(
    '%p with a secret that cannot be read does not listen',
    async (Server) => {
      process.env['LONGSHORE_SECRET_FILE'] = '/nowhere/secret';
      try {
        await expect(new Server('127.0.0.1:0').listen()).rejects.toThrow(
          /LONGSHORE_SECRET_FILE: ENOENT/,
        );
      } finally {
        delete process.env['LONGSHORE_SECRET_FILE'];
      }
    },
  );
});
