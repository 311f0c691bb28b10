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
