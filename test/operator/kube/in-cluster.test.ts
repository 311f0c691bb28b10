import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { inCluster } from '../../../operator/kube/in-cluster.ts';

const folder = mkdtempSync(join(tmpdir(), 'longshore-account-'));
afterAll(() => rmSync(folder, { recursive: true }));

const optionsOf = (env: Record<string, string>): RequestOptions => {
  const options: RequestOptions = { headers: { accept: 'application/json' } };
  void inCluster({ ...env, LONGSHORE_SERVICE_ACCOUNT: folder })?.applyToHTTPSOptions(options);
  return options;
};

describe('the service account of a pod', () => {
  it.each([
    [{}, undefined],
    [{ KUBERNETES_SERVICE_HOST: '' }, undefined],
    [{ KUBERNETES_SERVICE_HOST: '10.96.0.1' }, 'https://10.96.0.1:443'],
    [
      { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '6443' },
      'https://10.96.0.1:6443',
    ],
    [{ KUBERNETES_SERVICE_HOST: 'fd00::1' }, 'https://[fd00::1]:443'],
  ])('with %j is for %s', (env, server) => {
    expect(inCluster(env)?.getCurrentCluster()?.server).toBe(server);
  });

  it('is read anew each time, because the kubelet replaces the token', () => {
    const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1' };
    writeFileSync(join(folder, 'ca.crt'), 'certificate');
    for (const token of ['one', 'two']) {
      writeFileSync(join(folder, 'token'), `${token}\n`);
      const { headers, ca } = optionsOf(env);
      expect(headers).toEqual({ accept: 'application/json', authorization: `Bearer ${token}` });
      expect(String(ca)).toBe('certificate');
    }
  });

  it('that is not mounted says which file is missing', () => {
    rmSync(join(folder, 'token'));
    expect(() => optionsOf({ KUBERNETES_SERVICE_HOST: '10.96.0.1' })).toThrow(/ENOENT.*token/);
  });
});
