import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import type { Source } from './credentials.ts';

/** For tests: another folder than the one where Kubernetes mounts a pod's service account. */
const FOLDER_ENV = 'LONGSHORE_SERVICE_ACCOUNT';
const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The service account of this pod; `undefined` outside of one.
 *
 * The token is read at each use: the kubelet replaces it before it expires.
 */
export function inCluster(env: Env): Source | undefined {
  const folder = env[FOLDER_ENV] || FOLDER;
  const host = env['KUBERNETES_SERVICE_HOST'];
  if (host === undefined || host === '') return undefined;
  const port = env['KUBERNETES_SERVICE_PORT'] || '443';
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    getCurrentCluster: () => ({ server }),
    applyToHTTPSOptions(options: RequestOptions) {
      options.ca = readFileSync(`${folder}/ca.crt`);
      const token = readFileSync(`${folder}/token`, 'utf8').trim();
      options.headers = { ...options.headers, authorization: `Bearer ${token}` };
    },
  };
}
