import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { CHARTS, commandPath, ROOT } from '../../tools/helm.ts';
import { ApiServer, noApiServer } from './support/api-server.ts';
import { eventually } from './support/run.ts';
import { describeUnless } from './support/skip.ts';

/** The charts and manifests against a real API server: it alone executes the rules in CEL, and keeps what helm wrote. */

const missing = ['helm', 'kubectl'].find((name) => commandPath(name) === undefined);
const reason =
  noApiServer ?? (missing && `there is no ${missing}; test/cluster/cluster build makes it`);

let server: ApiServer;
let folder: string;

beforeAll(async () => {
  if (reason !== undefined) return;
  server = await ApiServer.start();
  folder = mkdtempSync(join(tmpdir(), 'charts-'));
  writeFileSync(join(folder, 'config'), server.kubeconfig({ token: 'admin' }));
}, 180_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  if (folder) rmSync(folder, { recursive: true });
});

function run(name: 'helm' | 'kubectl', ...args: string[]): string {
  const env = { ...process.env, KUBECONFIG: join(folder, 'config'), HOME: folder };
  try {
    return execFileSync(commandPath(name) ?? name, args, {
      ...{ encoding: 'utf8', stdio: 'pipe', cwd: ROOT, env },
    }) as string;
  } catch (error) {
    throw new Error((error as { stderr?: string }).stderr);
  }
}
const helm = (...args: string[]) => run('helm', ...args);
const kubectl = (...args: string[]) => run('kubectl', ...args);
const failure = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it did not fail');
};
const replicas = (name: string) =>
  Number(kubectl('get', 'lss', name, '-o', 'jsonpath={.spec.replicas}'));
const operatorIn = (namespace: string) => ['--namespace', namespace, '--create-namespace'];

describeUnless(reason, 'charts/longshore on an API server', () => {
  it('is installed, and its definition then knows servers', async () => {
    helm('install', 'longshore', join(CHARTS, 'longshore'), ...operatorIn('longshore-system'));
    kubectl('wait', '--for=condition=Established', 'crd/socketservers.longshore.dev');
    const explained = () => kubectl('explain', 'lss.spec.drain.windowSeconds');
    await eventually('discovery', explained, 30_000);
    expect(explained()).toContain('connections are closed');
  });

  it.each(readdirSync(join(ROOT, 'manifests/samples')))('lets in the sample %s', (file) => {
    // A namespace of the same file is not there yet in a dry run.
    if (file === 'tuned.yaml') kubectl('create', 'namespace', 'tuned');
    const answer = kubectl('apply', '--dry-run=server', '-f', `manifests/samples/${file}`);
    expect(answer).toContain('socketserver.longshore.dev/');
  });

  it('keeps out what its rules forbid', () => {
    const wrong = readFileSync(join(ROOT, 'manifests/samples/echo.yaml'), 'utf8');
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, wrong.replace('echo.ts', 'echo.txt'));
    expect(failure(() => kubectl('apply', '-f', file))).toContain('echo.txt');
  });

  it('gives the operator the rights of rbac/, and no others', () => {
    const can = (...args: string[]) => {
      const account = 'system:serviceaccount:longshore-system:longshore';
      try {
        return kubectl('auth', 'can-i', '--as', account, ...args).trim();
      } catch {
        return 'no';
      }
    };
    expect(can('list', 'socketservers.longshore.dev', '--all-namespaces')).toBe('yes');
    expect(can('patch', 'socketservers.longshore.dev/status', '-n', 'default')).toBe('yes');
    expect(can('get', 'secrets', '-n', 'default')).toBe('yes');
    expect(can('list', 'secrets', '-n', 'default')).toBe('no');
    expect(can('create', 'pods', '-n', 'default')).toBe('no');
    expect(can('create', 'leases.coordination.k8s.io', '-n', 'longshore-system')).toBe('yes');
    expect(can('create', 'leases.coordination.k8s.io', '-n', 'default')).toBe('no');
  });

  it('upgrades the definition too', () => {
    const copy = join(folder, 'longshore');
    cpSync(join(CHARTS, 'longshore'), copy, { recursive: true });
    const file = join(copy, 'templates/crd.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('What is going on.', 'What goes on.'));
    helm('upgrade', 'longshore', copy, '--namespace', 'longshore-system');
    const crd = kubectl('get', 'crd', 'socketservers.longshore.dev', '-o', 'json');
    expect(crd).toContain('What goes on.');
  });

  it('leaves servers and their definition behind, and takes them over again', () => {
    kubectl('apply', '-f', 'manifests/samples/echo.yaml');
    helm('uninstall', 'longshore', '--namespace', 'longshore-system');
    expect(replicas('echo')).toBe(1);
    helm('install', 'longshore', join(CHARTS, 'longshore'), ...operatorIn('longshore-system'));
    expect(replicas('echo')).toBe(1);
    kubectl('delete', 'lss', 'echo');
    helm('uninstall', 'longshore', '--namespace', 'longshore-system');
  });

  it('reaches only the namespaces that it is told', () => {
    for (const name of ['games', 'chat']) kubectl('create', 'namespace', name);
    const set = ['--set', 'watchNamespaces={games,chat},crds.enabled=false'];
    helm('install', 'some', join(CHARTS, 'longshore'), ...operatorIn('some'), ...set);
    const can = (verb: string, what: string, namespace: string) => {
      const account = 'system:serviceaccount:some:some-longshore';
      const args = ['auth', 'can-i', verb, what, '--as', account, '-n', namespace];
      try {
        return kubectl(...args).trim();
      } catch {
        return 'no';
      }
    };
    expect(can('patch', 'pods', 'games')).toBe('yes');
    expect(can('patch', 'pods', 'default')).toBe('no');
    expect(can('list', 'nodes', 'default')).toBe('yes');
  });
});

describeUnless(reason, 'manifests on an API server', () => {
  it('are let in', () => {
    kubectl('apply', '--server-side', '--force-conflicts', '-f', 'manifests/crd.yaml');
    const answer = kubectl('apply', '--server-side', '-f', 'manifests/operator.yaml');
    expect(answer).toContain('deployment.apps/longshore serverside-applied');
  });
});

describeUnless(reason, 'charts/socket-server on an API server', () => {
  const chart = join(CHARTS, 'socket-server');

  it.each(readdirSync(join(CHARTS, 'socket-server/ci')))('is let in with %s', (file) => {
    helm('install', 'try', chart, '--values', join(chart, 'ci', file));
    helm('uninstall', 'try');
  });

  it.each([
    ['keepReplicas=true', 3],
    ['autoscaling.enabled=true,resources.requests.cpu=1', 3],
  ])('with %s leaves the number of pods alone on upgrades', (set, first) => {
    const args = ['--values', join(chart, 'ci/echo-values.yaml'), '--set', `replicas=3,${set}`];
    helm('install', 'kept', chart, ...args);
    expect(replicas('kept')).toBe(first);
    kubectl('scale', 'lss', 'kept', '--replicas', '5');
    helm('upgrade', 'kept', chart, ...args, '--set', 'drain.windowSeconds=9');
    expect(replicas('kept')).toBe(5);
    kubectl('scale', 'lss', 'kept', '--replicas', '2');
    helm('upgrade', 'kept', chart, ...args);
    expect(replicas('kept')).toBe(2);
    helm('uninstall', 'kept');
  });

  it('without either sets it', () => {
    const args = ['--values', join(chart, 'ci/echo-values.yaml'), '--set', 'replicas=3'];
    helm('install', 'fixed', chart, ...args);
    kubectl('scale', 'lss', 'fixed', '--replicas', '5');
    helm('upgrade', 'fixed', chart, ...args, '--set', 'replicas=4');
    expect(replicas('fixed')).toBe(4);
    // Why the chart writes a number that is not its own: what a release does not have any more gets the default.
    helm('upgrade', 'fixed', chart, ...args, '--set', 'replicas=null');
    expect(replicas('fixed')).toBe(1);
    helm('uninstall', 'fixed');
  });
});
