// npm run demo: the operator, the chat and a Prometheus on a cluster, left running. `npm run demo -- down` takes them away.
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { archived, build, image as ownImage } from '../test/cluster/support/docker.ts';
import { eventually, ROOT, run } from '../test/cluster/support/run.ts';
import { chat, prometheus, TARGETS } from './demo/objects.ts';

const HOME = process.env['CLUSTER_HOME'] || '/var/lib/longshore-cluster';
const SCRIPT = join(ROOT, 'test/cluster/cluster');
const NAMESPACE = process.env['DEMO_NAMESPACE'] || 'longshore-demo';
const given = process.env['KUBECONFIG'];
process.env['PATH'] = `${join(HOME, 'bin')}${delimiter}${process.env['PATH']}`;

const kubectl = (...args: string[]): Promise<string> => run('kubectl', ['-n', NAMESPACE, ...args]);
const apply = (...objects: object[]): Promise<string> =>
  run('kubectl', ['apply', '--server-side', '--force-conflicts', '-f', '-'], {
    input: objects.map((each) => JSON.stringify(each)).join('\n---\n'),
  });

async function step<T>(what: string, act: () => Promise<T>): Promise<T> {
  const began = performance.now();
  process.stdout.write(`${what} … `);
  const result = await act();
  console.log(`${((performance.now() - began) / 1000).toFixed(0)} s`);
  return result;
}

/** A cluster of our own, unless there is one. */
async function cluster(): Promise<void> {
  if (!given) process.env['KUBECONFIG'] = join(HOME, 'run', 'admin.kubeconfig');
  if (!given) await run(SCRIPT, ['up', '2'], { ms: 1_800_000 });
  await run('kubectl', ['get', 'nodes']);
}

async function images(): Promise<{ longshore: string; prometheus: string }> {
  const names = {
    longshore: await ownImage(),
    prometheus: await build(join(ROOT, 'tools/demo'), 'longshore-prometheus:demo'),
  };
  const command = process.env['CLUSTER_LOAD'] || `${SCRIPT} load`;
  for (const name of Object.values(names))
    await archived(name, (file) =>
      run('sh', ['-c', `${command} "$1"`, 'load', file], { ms: 300_000 }),
    );
  return names;
}

async function operator(image: string): Promise<void> {
  // By itself, because a cluster may have it already from somewhere else, and then helm would refuse.
  await kubectl('apply', '--server-side', '--force-conflicts', '-f', 'manifests/crd.yaml');
  const colon = image.lastIndexOf(':');
  await run(
    'helm',
    [
      ...['upgrade', '--install', 'longshore', 'charts/longshore', '--create-namespace'],
      ...['--namespace', NAMESPACE, '--wait', '--timeout', '180s', '--set', 'crds.enabled=false'],
      ...['--set', `image.repository=${image.slice(0, colon)},image.tag=${image.slice(colon + 1)}`],
      ...['--set', `watchNamespaces={${NAMESPACE}}`],
    ],
    { ms: 240_000 },
  );
}

/** Both answer through the API server, which every cluster has. */
async function served(): Promise<void> {
  await kubectl('wait', '--for=condition=Ready', 'lss/chat', 'lss/rooms', '--timeout=110s');
  await kubectl('rollout', 'status', 'deployment/prometheus', '--timeout=110s');
  const query = 'api/v1/query?query=count(up==1)';
  const path = `/api/v1/namespaces/${NAMESPACE}/services/prometheus:9090/proxy/${query}`;
  await eventually('Prometheus having the chat and the operator', async () =>
    (await run('kubectl', ['get', '--raw', path])).includes(`"${TARGETS}"`),
  );
}

async function up(): Promise<void> {
  await step(given ? 'the cluster of $KUBECONFIG' : 'a cluster of two nodes', cluster);
  const names = await step('the images, in all nodes', images);
  await step('helm install longshore charts/longshore', () => operator(names.longshore));
  const rules = readFileSync(join(ROOT, 'charts/longshore/rules/longshore.yaml'), 'utf8');
  await step('the chat and Prometheus', async () => {
    await apply(
      ...chat(NAMESPACE, names.longshore),
      ...prometheus(NAMESPACE, names.prometheus, rules),
    );
    await served();
  });
  console.log(await kubectl('get', 'lss'));
  console.log(await text());
}

/** How to look at it. On our own cluster the host reaches Services and pods. */
async function text(): Promise<string> {
  const at = async (what: string, field: string) =>
    (await kubectl('get', ...what.split(' '), '-o', `jsonpath={${field}}`)).trim();
  const page = await at('service chat', '.spec.clusterIP');
  const graph = await at('service prometheus', '.spec.clusterIP');
  const pod = await at('pods -l longshore.dev/server=chat', '.items[0].status.podIP');
  const near = await fetch(`http://${page}/`, { signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  );
  const forward = `kubectl -n ${NAMESPACE} port-forward`;
  const [chatUrl, metricsUrl, graphUrl] = near
    ? [`http://${page}/`, `http://${pod}:9464/metrics`, `http://${graph}:9090/graph`]
    : ['http://127.0.0.1:8080/', 'http://127.0.0.1:9464/metrics', 'http://127.0.0.1:9090/graph'];
  const lines = [
    ...(given
      ? []
      : [`export KUBECONFIG=${process.env['KUBECONFIG']} PATH=${join(HOME, 'bin')}:$PATH`, '']),
    `chat         ${chatUrl}`,
    `metrics      ${metricsUrl}`,
    `Prometheus   ${graphUrl}`,
    '',
    near ? 'From another machine, or another cluster:' : 'These reach them:',
    `  ${forward} service/chat 8080:80`,
    `  ${forward} service/prometheus 9090`,
    `  ${forward} $(kubectl -n ${NAMESPACE} get pods -l longshore.dev/server=chat -o name) 9464`,
    '',
    'Watch it, and give it something to do:',
    `  kubectl -n ${NAMESPACE} get lss --watch`,
    `  kubectl -n ${NAMESPACE} annotate lss chat longshore.dev/reload="$(date)" --overwrite`,
    '',
    'Take it down:',
    '  npm run demo -- down',
    ...(given ? [] : ['  test/cluster/cluster down']),
  ];
  return lines.join('\n');
}

async function down(): Promise<void> {
  if (!given) process.env['KUBECONFIG'] = join(HOME, 'run', 'admin.kubeconfig');
  await step('the server, the operator and the namespace', async () => {
    await kubectl('delete', 'lss', '--all', '--timeout=60s');
    await run('helm', ['uninstall', 'longshore', '-n', NAMESPACE, '--wait', '--ignore-not-found']);
    await run('kubectl', ['delete', 'namespace', NAMESPACE, '--ignore-not-found']);
  });
  console.log('The definition of SocketServer stays: kubectl delete -f manifests/crd.yaml');
}

const [what = 'up'] = process.argv.slice(2);
if (what === 'up') await up();
else if (what === 'down') await down();
else {
  console.error(`npm run demo takes "up" or "down", not ${JSON.stringify(what)}`);
  process.exitCode = 2;
}
