import { describe, expect, it } from '@jest/globals';
import { complete, defaulted } from '../../../operator/api/defaults.ts';
import { specSchema } from '../../../operator/api/schema.ts';
import type { SocketServer } from '../../../operator/api/types.ts';

const FULL = {
  replicas: 1,
  image: 'a',
  app: 'app.ts',
  workers: [],
  config: {},
  env: [],
  envFrom: [],
  resources: {},
  service: { type: 'ClusterIP', annotations: {} },
  drain: { propagationSeconds: 5, windowSeconds: 30 },
  rollout: {
    maxSurge: 1,
    maxUnavailable: 0,
    minReadySeconds: 5,
    paused: false,
    progressDeadlineSeconds: 0,
    revisionHistoryLimit: 5,
  },
  limits: {},
  tuning: { mode: 'Safe', sysctls: {} },
  podTemplate: {},
};

describe('defaults', () => {
  it.each<[string, object, object]>([
    ['nothing else', {}, {}],
    [
      'zero and false',
      { replicas: 0, drain: { windowSeconds: 0 } },
      { replicas: 0, drain: { ...FULL.drain, windowSeconds: 0 } },
    ],
    [
      'a part of an object',
      { rollout: { paused: true } },
      { rollout: { ...FULL.rollout, paused: true } },
    ],
    ['null', { replicas: null, limits: { maxConnections: null } }, {}],
    ['items of a list', { workers: [{ name: 'a', count: null }] }, { workers: [{ name: 'a' }] }],
    [
      'keys of one’s own',
      { config: { a: '' }, tuning: { sysctls: { b: '' } } },
      { config: { a: '' }, tuning: { mode: 'Safe', sysctls: { b: '' } } },
    ],
    ['what has no default', { code: { configMap: 'c' } }, { code: { configMap: 'c' } }],
    [
      'what Kubernetes checks later',
      { resources: { limits: { cpu: null } } },
      { resources: { limits: { cpu: null } } },
    ],
  ])('with %s', (_, given, more) => {
    expect(defaulted(specSchema, { image: 'a', ...given })).toEqual({ ...FULL, ...more });
  });

  it('put in twice are the same, and leave the rest of the object alone', () => {
    const server = {
      apiVersion: 'longshore.dev/v1alpha1',
      kind: 'SocketServer',
      metadata: { name: 'chat' },
      spec: { image: 'a' },
    } as unknown as SocketServer;
    const full = complete(server);
    expect(full).toEqual({ ...server, spec: FULL });
    expect(complete(full)).toEqual(full);
    expect(server.spec).toEqual({ image: 'a' });
  });
});
