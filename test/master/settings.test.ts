import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ENV } from '../../src/contract.ts';
import type { Declared } from '../../src/master/messages.ts';
import { overridden, settingsOf } from '../../src/master/settings.ts';

const DEFAULTS = {
  admin: { host: '127.0.0.1', port: 9464, asked: false },
  drain: { propagationMs: 0, windowMs: 20_000, gracefulMs: 300_000 },
  config: {},
  workers: [],
  limits: {},
  sysctlWanted: {},
};

const READ = [
  ENV.admin,
  ENV.config,
  ENV.drainPropagation,
  ENV.drainWindow,
  ENV.grace,
  ENV.graceful,
  ENV.sysctlWanted,
  ENV.workers,
];

describe('settings', () => {
  it('have defaults', () => {
    expect(settingsOf({})).toEqual(DEFAULTS);
  });

  it.each(READ)('take an empty %s for an absent one', (name) => {
    expect(settingsOf({ [name]: '' })).toEqual(DEFAULTS);
  });

  it.each([
    ['127.0.0.1:9000', { host: '127.0.0.1', port: 9000, asked: true }],
    ['localhost:0', { host: 'localhost', port: 0, asked: true }],
    ['[::1]:65535', { host: '::1', port: 65_535, asked: true }],
    ['off', undefined],
  ])('take the admin address %j', (text, admin) => {
    expect(settingsOf({ [ENV.admin]: text }).admin).toEqual(admin);
  });

  it.each(['9464', ':9464', 'h:', 'h:65536', 'h:-1', '::1:9464', 'h:1:2', 'OFF', 'tcp://h:1'])(
    'refuse the admin address %j',
    (text) => {
      expect(() => settingsOf({ [ENV.admin]: text })).toThrow(`"${text}" is not HOST:PORT`);
    },
  );

  it.each([
    [ENV.drainPropagation, 'propagationMs'],
    [ENV.drainWindow, 'windowMs'],
    [ENV.graceful, 'gracefulMs'],
  ] as const)('take %s in seconds', (name, key) => {
    for (const [text, ms] of [
      ['0', 0],
      ['2.5', 2500],
      ['86400', 86_400_000],
    ] as const)
      expect(settingsOf({ [name]: text }).drain[key]).toBe(ms);
  });

  it.each([ENV.drainPropagation, ENV.drainWindow, ENV.graceful, ENV.grace])(
    'refuse %s out of bounds, and name it',
    (name) => {
      for (const text of ['-1', '86401', 'ten', '5s', 'NaN', 'Infinity']) {
        const read = () => settingsOf({ [name]: text });
        expect(read).toThrow(`${name} is "${text}", allowed: 0 to 86400 seconds`);
        expect(read).toThrow(RangeError);
      }
    },
  );

  it('cut the drain to the grace period, with five seconds left', () => {
    const env = { [ENV.grace]: '15', [ENV.drainPropagation]: '4' };
    expect(settingsOf(env).drain).toEqual({
      propagationMs: 4000,
      windowMs: 6000,
      gracefulMs: 10_000,
    });
  });

  it('take configuration and wanted sysctls as JSON', () => {
    const env = { [ENV.config]: '{"a":"1"}', [ENV.sysctlWanted]: '{"net.core.somaxconn":"4096"}' };
    expect(settingsOf(env)).toMatchObject({
      config: { a: '1' },
      sysctlWanted: { 'net.core.somaxconn': '4096' },
    });
  });

  it('take configuration from a folder, as Kubernetes mounts a ConfigMap', () => {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-test-'));
    try {
      mkdirSync(join(folder, '..data'));
      writeFileSync(join(folder, '..data', 'motd'), 'hello\n');
      symlinkSync(join('..data', 'motd'), join(folder, 'motd'));
      writeFileSync(join(folder, 'limit'), '5');
      mkdirSync(join(folder, 'folder'));
      expect(settingsOf({ [ENV.config]: folder }).config).toEqual({ motd: 'hello\n', limit: '5' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    [ENV.config, '{"a":1}'],
    [ENV.config, '{"a"'],
    [ENV.config, '/nowhere/at/all'],
    [ENV.sysctlWanted, '[]'],
    [ENV.sysctlWanted, 'null'],
    [ENV.sysctlWanted, '{"a":null}'],
    [ENV.sysctlWanted, 'x'],
    [ENV.workers, '{}'],
    [ENV.workers, 'x'],
    [ENV.workers, '[null]'],
    [ENV.workers, '["chat"]'],
    [ENV.workers, '[{"count":1}]'],
    [ENV.workers, '[{"name":"chat","count":0}]'],
    [ENV.workers, '[{"name":"chat","count":1025}]'],
    [ENV.workers, '[{"name":"chat","count":1.5}]'],
    [ENV.workers, '[{"name":"chat","count":"2"}]'],
    [ENV.workers, '[{"name":"chat","listen":5}]'],
  ])('refuse %s=%s, and name it', (name, text) => {
    const read = () => settingsOf({ [name]: text });
    expect(read).toThrow(name);
    expect(read).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});

describe('overrides', () => {
  const worker = (name: string, count: number): Declared => ({
    name,
    count,
    reloadable: true,
    address: 'tcp://0.0.0.0:1',
    backlog: 511,
    reusePort: true,
  });
  const declared = [worker('chat', 1), worker('push', 2)];

  it('change count and address of the Worker they name', () => {
    const { workers } = settingsOf({
      [ENV.workers]: '[{"name":"push","count":1024,"listen":"tcp://0.0.0.0:9"}]',
    });
    expect(overridden(declared, workers)).toEqual([
      worker('chat', 1),
      { ...worker('push', 1024), address: 'tcp://0.0.0.0:9' },
    ]);
  });

  it('leave alone what they do not say', () => {
    expect(overridden(declared, [{ name: 'chat' }])).toEqual(declared);
    expect(overridden(declared, [])).toEqual(declared);
  });

  it('are refused for a Worker that there is not', () => {
    expect(() => overridden(declared, [{ name: 'caht' }])).toThrow(
      /no Worker "caht", only chat, push/,
    );
  });
});
