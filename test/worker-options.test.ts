import { describe, expect, it } from '@jest/globals';
import { text } from '../src/protocols/text.ts';
import { Worker } from '../src/worker.ts';
import { checkOptions } from '../src/worker-options.ts';

/** `limits.maxConnections` and 5 as `{ limits: { maxConnections: 5 } }`. */
const option = (name: string, value: unknown): object => {
  const [group = '', inner] = name.split('.');
  return { [group]: inner === undefined ? value : { [inner]: value } };
};

const GIB2 = 2 ** 31 - 1;

/** Name, lowest, highest, whether it is a whole number. */
const NUMBERS: [string, number, number, boolean][] = [
  ['count', 1, 1024, true],
  ['backlog', 1, GIB2, true],
  ['closeUnauthenticatedAfter', 0, 86_400, false],
  ['handshakeTimeout', 0.1, 3600, false],
  ['maxSendBufferSize', 1, GIB2, true],
  ['maxPackageSize', 1, GIB2, true],
  ['limits.maxConnections', 0, GIB2, true],
  ['limits.messagesPerSecond', 0, 1_000_000, false],
  ['limits.maxConnectionAge', 0, 31_536_000, false],
  ['limits.maxConnectionAgeJitter', 0, 1, false],
  ['heartbeat.idle', 0, 86_400, false],
  ['heartbeat.ping', 0, 86_400, false],
  ['websocket.maxPayload', 1, GIB2, true],
  ['http.keepAlive', 0, 86_400, false],
  ['http.requestTimeout', 0, 86_400, false],
];

describe('numbers among the options', () => {
  it.each(NUMBERS)('%s goes from %d to %d', (name, lowest, highest, whole) => {
    const step = whole ? 1 : 0.001;
    for (const value of [lowest, highest]) checkOptions(option(name, value));
    for (const value of [lowest - step, highest + step]) {
      const check = () => checkOptions(option(name, value));
      expect(check).toThrow(RangeError);
      expect(check).toThrow(`${name} is ${value}, allowed: ${lowest} to ${highest}`);
      expect(check).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
  });

  it.each(NUMBERS)('%s is a number between %d and %d and nothing else', (name, ...bounds) => {
    const whole = bounds[2];
    const none = ['1', null, Number.NaN, Number.POSITIVE_INFINITY, true, {}, [1]];
    for (const value of whole ? [...none, 1.5] : none) {
      const check = () => checkOptions(option(name, value));
      expect(check).toThrow(TypeError);
      expect(check).toThrow(whole ? 'expected a whole number' : 'expected a number');
      expect(check).toThrow(name);
    }
  });

  it.each(NUMBERS)('%s may be undefined', (name) => {
    expect(() => checkOptions(option(name, undefined))).not.toThrow();
  });

  it('refuses a rate that would never let a message pass', () => {
    // The bucket holds one second's worth, and less than one message never passes.
    expect(() => checkOptions({ limits: { messagesPerSecond: 0.5 } })).toThrow(RangeError);
    checkOptions({ limits: { messagesPerSecond: 0 } });
    checkOptions({ limits: { messagesPerSecond: 1.5 } });
  });
});

describe('names among the options', () => {
  it('takes every one that there is', () => {
    expect(() =>
      checkOptions({
        name: 'chat',
        count: 4,
        protocol: text,
        reusePort: true,
        user: 'nobody',
        group: 'nogroup',
        reloadable: false,
        backlog: 511,
        ssl: { cert: 'c', key: 'k', passphrase: 'p', ca: 'ca' },
        limits: {
          maxConnections: 1,
          messagesPerSecond: 1,
          maxConnectionAge: 1,
          maxConnectionAgeJitter: 0.5,
        },
        heartbeat: { idle: 55, ping: 25, data: 'ping' },
        closeUnauthenticatedAfter: 5,
        handshakeTimeout: 5,
        maxSendBufferSize: 1,
        maxPackageSize: 1,
        trustedProxies: ['10.0.0.0/8'],
        proxyProtocol: true,
        websocket: { subprotocols: ['a'], deflate: true, maxPayload: 1 },
        http: { keepAlive: 1, requestTimeout: 1 },
      }),
    ).not.toThrow();
    expect(() => checkOptions({})).not.toThrow();
  });

  it.each(['cuont', 'limits.maxConnection', 'heartbeat.pong', 'websocket.compress', 'http.x'])(
    'refuses %s and lists those that there are',
    (name) => {
      const check = () => checkOptions(option(name, 1));
      expect(check).toThrow(TypeError);
      expect(check).toThrow(new RegExp(`^${name} is not an option; known: .+, .+`));
    },
  );

  it.each(['ssl.certificate', 'ssl.rejectUnauthorized'])('refuses %s', (name) => {
    expect(() => checkOptions(option(name, ''))).toThrow(`${name} is not an option; known: cert,`);
  });

  it.each([{}, { trustedProxies: [] }])('refuses proxyProtocol with %j', (others) => {
    expect(() => checkOptions({ proxyProtocol: true, ...others })).toThrow(/trustedProxies/);
    expect(() => checkOptions({ proxyProtocol: false, ...others })).not.toThrow();
  });
});

describe('options of another kind', () => {
  it.each<[string, unknown, string]>([
    ['name', '', 'name is "", expected a text of at least one character'],
    ['name', 5, 'name is 5, expected a text of at least one character'],
    ['reusePort', 'no', 'reusePort is "no", expected true or false'],
    ['reloadable', 0, 'reloadable is 0, expected true or false'],
    ['user', 1000, 'user is 1000, expected a text'],
    ['heartbeat', 5, 'heartbeat is 5, expected an object with options'],
    ['limits', [1], 'limits is [1], expected an object with options'],
    ['limits', null, 'limits is null, expected an object with options'],
    ['ssl', true, 'ssl is true, expected an object with options'],
    ['ssl', {}, 'ssl needs cert and key'],
    ['ssl', { cert: 'c' }, 'ssl needs cert and key'],
    ['ssl', { cert: 5, key: 'k' }, 'ssl.cert is 5, expected a text'],
    ['trustedProxies', '10.0.0.0/8', 'trustedProxies is "10.0.0.0/8", expected a list of texts'],
    ['trustedProxies', [10], 'trustedProxies is [10], expected a list of texts'],
    ['websocket.deflate', 'yes', 'websocket.deflate is "yes", expected true, false or an object'],
    ['websocket.subprotocols', 'a', 'websocket.subprotocols is "a", expected a list of texts'],
    ['heartbeat.data', 5, 'heartbeat.data is 5, expected a text or bytes'],
    ['protocol', {}, 'protocol is {}, expected a protocol: name, decoder(limits) and encode'],
    ['protocol', 'text', 'protocol is "text", expected a protocol'],
    ['protocol', { input: 1, decode: 1, encode: 1 }, 'packages() makes one from input, decode'],
    ['protocol', () => text, 'protocol is a function, expected a protocol'],
    ['name', 'x'.repeat(0) || 10n, 'name is 10n, expected'],
    ['constructor', 1, 'constructor is not an option; known: name,'],
  ])('%s cannot be %j', (name, value, message) => {
    const check = () => checkOptions(option(name, value));
    expect(check).toThrow(TypeError);
    expect(check).toThrow(message);
    expect(check).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it.each([5, 'x', null, [1]])('all of them cannot be %j', (options) => {
    expect(() => checkOptions(options as never)).toThrow('expected an object');
  });

  it('TLS is not for datagrams', () => {
    const ssl = { cert: 'c', key: 'k' };
    expect(() => new Worker('udp://127.0.0.1:9', { ssl })).toThrow('not with udp://');
  });
});
