import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { archived, docker } from './docker.ts';
import { eventually, ROOT, run, works } from './run.ts';
import { describeUnless } from './skip.ts';

const HOME = process.env['CLUSTER_HOME'] || '/var/lib/longshore-cluster';
const SCRIPT = join(ROOT, 'test', 'cluster', 'cluster');
const NODES = '2';
/** The first time everything is compiled. */
const UP_MS = 1_800_000;

const OWN = join(HOME, 'run', 'admin.kubeconfig');
const given = process.env['KUBECONFIG'] || undefined;
/** Whoever has a cluster has its tools; for ours they are built with it. */
export const PATH: string = `${join(HOME, 'bin')}:${process.env['PATH']}`;

/** Why there is no cluster here; `undefined` if there is one, or one can be made. */
export const noCluster: string | undefined = given ? undefined : await whyNoneCanBeMade();

async function whyNoneCanBeMade(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'KUBECONFIG is not set, and a cluster of our own needs Linux and root';
  for (const tool of ['iptables', 'ip', 'conntrack', 'openssl']) {
    if (!(await works('which', tool))) return `KUBECONFIG is not set, and ${tool} is missing`;
  }
  const built = existsSync(join(HOME, 'bin', 'recipe'));
  return built || (await works('go', 'version'))
    ? undefined
    : 'KUBECONFIG is not set, and Go is missing';
}

let made: Promise<string> | undefined;

/** The path of a kubeconfig: the given one, or that of our own cluster, which is started if it does not run. */
export function kubeconfig(): Promise<string> {
  made ??= given ? Promise.resolve(given) : start();
  return made;
}

async function start(): Promise<string> {
  const ran = await works(
    join(HOME, 'bin', 'kubectl'),
    '--kubeconfig',
    OWN,
    'get',
    '--raw',
    '/readyz',
  );
  if (ran) return OWN;
  await run(SCRIPT, ['up', NODES], { ms: UP_MS });
  // teardown.cjs stops what bears this mark, and no other.
  if (process.env['KEEP_CLUSTER'] !== '1') writeFileSync(join(HOME, 'run', 'started-by-tests'), '');
  return OWN;
}

/**
 * A group of tests on a cluster: one is there before the first of them, and the namespaces they made are gone after the
 * last.
 */
export function describeOnCluster(name: string, tests: () => void): void {
  describeUnless(noCluster, name, () => {
    beforeAll(async () => void (await kubeconfig()), UP_MS);
    tests();
    afterAll(removeNamespaces);
  });
}

/** Runs `kubectl`; gives what it prints. */
export async function kubectl(...args: string[]): Promise<string> {
  return run('kubectl', args, { env: { KUBECONFIG: await kubeconfig(), PATH } });
}

/** Runs `helm`; gives what it prints. */
export async function helm(...args: string[]): Promise<string> {
  return run('helm', args, { env: { KUBECONFIG: await kubeconfig(), PATH }, ms: 600_000 });
}

/** What every object of the API has. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
};

/** Server-side apply; gives the object as it is then. */
export async function apply<T extends object>(object: T): Promise<T> {
  const text = await run(
    'kubectl',
    [
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager=longshore-test',
      '--output=json',
      '--filename=-',
    ],
    { input: JSON.stringify(object), env: { KUBECONFIG: await kubeconfig(), PATH } },
  );
  return JSON.parse(text) as T;
}

/** An object or a list, as it is now. `what`: as for `kubectl get`, for example `pods -l app=x`. */
export async function get<T>(what: string, namespace: string): Promise<T> {
  const args = ['get', ...what.split(' '), '--namespace', namespace, '--output=json'];
  return JSON.parse(await kubectl(...args)) as T;
}

const namespaces = new Set<string>();

/** A namespace of a test's own. */
export async function namespace(purpose: string): Promise<string> {
  const name = `${purpose}-${Math.random().toString(36).slice(2, 7)}`;
  namespaces.add(name);
  await kubectl('create', 'namespace', name);
  await eventually('the default service account', async () => {
    await kubectl('get', 'serviceaccount', 'default', '--namespace', name);
    return true;
  });
  return name;
}

async function removeNamespaces(): Promise<void> {
  const names = [...namespaces];
  namespaces.clear();
  if (names.length === 0) return;
  await kubectl('delete', 'namespace', '--ignore-not-found', '--timeout=100s', ...names);
  // What an operator that was installed there has for the whole cluster.
  for (const kind of ['clusterrole', 'clusterrolebinding']) {
    const all = (await kubectl('get', kind, '-o', 'name')).split('\n');
    const theirs = all.filter((each) => names.some((name) => each.includes(`/${name}-longshore`)));
    if (theirs.length > 0) await kubectl('delete', '--ignore-not-found', ...theirs);
  }
}

/** The address of a pod, once it is Ready. The host reaches pods directly. */
export function podAddress(name: string, inNamespace: string, ms?: number): Promise<string> {
  return eventually(
    `readiness of pod ${name}`,
    async () => {
      const { status } = await get<Pod>(`pod ${name}`, inNamespace);
      const ready = status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
      return ready && status.podIP;
    },
    ms,
  );
}

type Pod = {
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
};

/** Brings an image of the Docker engine into every node. */
export async function load(image: string): Promise<void> {
  await kubeconfig();
  const id = await docker('image', 'inspect', '--format', '{{.Id}}', image);
  const command = process.env['CLUSTER_LOAD'] || `${SCRIPT} load`;
  // Ours remembers what it has; another cluster may have been made anew since.
  const known = join(HOME, 'run', 'images');
  const key = `${image} ${id}`;
  const isOwn = !given || given === OWN;
  if (isOwn && existsSync(known) && readFileSync(known, 'utf8').split('\n').includes(key)) return;
  await archived(image, (file) =>
    run('sh', ['-c', `${command} "$1"`, 'load', file], { ms: 300_000 }),
  );
  if (isOwn) writeFileSync(known, `${key}\n`, { flag: 'a' });
}
