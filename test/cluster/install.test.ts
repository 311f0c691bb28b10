import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { describeOnCluster, helm, kubectl } from './support/cluster.ts';
import { LONG_MS, type Operator, operator, uninstall } from './support/operator.ts';
import { ROOT } from './support/run.ts';

const CHARTS = join(ROOT, 'charts');

/** What docs/install.md tells a user to do, in one namespace. */
async function asTold({ namespace, image }: Operator): Promise<void> {
  const where = ['--namespace', namespace];
  const first = await helm('test', 'longshore', ...where, '--logs');
  expect(first).toContain(`ws://longshore-test.${namespace}:2346 echoes`);

  const values = ['--set', `image=${image},app=echo.ts,replicas=2`];
  const workers = 'workers=[{"name":"echo","listen":"websocket://0.0.0.0:2346"}]';
  const chart = join(CHARTS, 'socket-server');
  await helm('install', 'echo', chart, ...where, ...values, '--set-json', workers);
  await kubectl('wait', '--for=condition=Ready', 'lss/echo', ...where, '--timeout=120s');

  const address = ['--set', `test.address=ws://echo.${namespace}:2346`];
  const upgrade = ['upgrade', 'longshore', join(CHARTS, 'longshore'), ...where, '--wait'];
  await helm(...upgrade, '--reset-then-reuse-values', ...address);
  expect(await helm('test', 'longshore', ...where, '--logs')).toContain('echoes');

  await helm('uninstall', 'echo', ...where);
  await kubectl('wait', '--for=delete', 'lss/echo', ...where, '--timeout=60s');
}

describeOnCluster('an installation', () => {
  const passes = async () => {
    const own = await operator('install', 'networkPolicy.enabled=true');
    try {
      await asTold(own);
    } finally {
      // Its ClusterRoles would not go with the namespace.
      await uninstall(own);
    }
  };
  it('passes helm test, with a server of its own and with one that is there', passes, LONG_MS);
});
