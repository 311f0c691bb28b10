import { describe, expect, it } from '@jest/globals';
import { formatAddress, hostPort, parseAddress } from '../src/address.ts';

const tcp = { scheme: 'tcp', host: '0.0.0.0', port: 80, path: undefined, target: '/' };
const unix = { scheme: 'unix', host: '', port: 0, target: '/' };

describe('addresses', () => {
  it.each([
    ['tcp://0.0.0.0:80', tcp, 'tcp://0.0.0.0:80'],
    ['TCP://0.0.0.0:80', tcp, 'tcp://0.0.0.0:80'],
    ['tcp://0.0.0.0:0', { ...tcp, port: 0 }, 'tcp://0.0.0.0:0'],
    ['tcp://h:65535', { ...tcp, host: 'h', port: 65_535 }, 'tcp://h:65535'],
    ['tcp://[::]:80', { ...tcp, host: '::' }, 'tcp://[::]:80'],
    ['tcp://[2001:db8::1]:80', { ...tcp, host: '2001:db8::1' }, 'tcp://[2001:db8::1]:80'],
    ['ws://h:80/chat?a=1', { ...tcp, scheme: 'ws', host: 'h', target: '/chat?a=1' }, 'ws://h:80'],
    ['ws://h:80?a=1', { ...tcp, scheme: 'ws', host: 'h', target: '/?a=1' }, 'ws://h:80'],
    ['my+own.x-1://h:80', { ...tcp, scheme: 'my+own.x-1', host: 'h' }, 'my+own.x-1://h:80'],
    ['unix:///run/a.sock', { ...unix, path: '/run/a.sock' }, 'unix:///run/a.sock'],
    ['unix:///run/a:1.sock', { ...unix, path: '/run/a:1.sock' }, 'unix:///run/a:1.sock'],
    ['unix://run/a.sock', { ...unix, path: 'run/a.sock' }, 'unix://run/a.sock'],
    ['unix://a.sock', { ...unix, path: 'a.sock' }, 'unix://a.sock'],
  ])('%s is taken apart, and put together again', (text, address, again) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(parseAddress(text))).toBe(again);
  });

  it('uses the default port only where the text names none', () => {
    expect(parseAddress('ws://h/x', 443).port).toBe(443);
    expect(parseAddress('ws://h:1/x', 443).port).toBe(1);
    expect(parseAddress('ws://h:0/x', 443).port).toBe(0);
  });

  it.each([
    ['', /expected scheme/],
    ['0.0.0.0:80', /expected scheme/],
    ['tcp:/h:80', /expected scheme/],
    ['1tcp://h:80', /expected scheme/],
    ['tcp://h:80a', /expected scheme/],
    ['tcp://h:-1', /expected scheme/],
    ['tcp://h:123456', /expected scheme/],
    ['tcp://::1:80', /expected scheme/],
    ['ws://h:80/a\nb', /expected scheme/],
    ['tcp://h', /port is missing/],
    ['tcp://:80', /host is missing/],
    ['tcp://', /host is missing/],
    ['tcp://h:65536', /port 65536 is above 65535/],
    ['tcp://[127.0.0.1]:80', /not an IPv6 address/],
    ['tcp://[]:80', /not an IPv6 address/],
    ['tcp://[x]:80', /not an IPv6 address/],
    ['unix://', /path of the unix socket is missing/],
    ['unix:///', /path of the unix socket is missing/],
    [`unix:///${'é'.repeat(54)}`, /limited to 107 bytes/],
  ])('refuses %j and says why', (text, why) => {
    expect(() => parseAddress(text)).toThrow(why);
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }));
    expect(() => parseAddress(text)).toThrow(TypeError);
  });

  it('takes a unix path of 107 bytes', () => {
    expect(parseAddress(`unix:///${'x'.repeat(106)}`).path).toHaveLength(107);
  });

  it('writes host and port as people do', () => {
    expect(hostPort({ host: '::1', port: 1, path: undefined })).toBe('[::1]:1');
    expect(hostPort({ host: 'h', port: 1, path: undefined })).toBe('h:1');
    expect(hostPort({ host: '', port: 0, path: '/a' })).toBe('/a');
  });
});
